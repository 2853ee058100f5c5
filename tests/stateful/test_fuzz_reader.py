"""Fuzz test of a connected client."""

import asyncio
from contextlib import suppress

from custom_components.clawd.gateway import (
    AgentRun,
    Event,
    GatewayClient,
    GatewayError,
    RunRequest,
    Timing,
)
from custom_components.clawd.gateway.statistics import MAX_NAME_LENGTH
from tests.simulator import GatewaySimulator, Pause, Reply
from tests.simulator.recordings import Frame
from tests.unit.clients import connected

from .mutations import SeededRandom, mutated_frames

FRAMES = 50_000
BATCH = 500
KEY = "agent:main:fuzz"
QUIET = {"tickIntervalMs": 3_600_000}


class Fuzzer:
    """Client that receives mutated frames during a run."""

    def __init__(self, gateway: GatewaySimulator, client: GatewayClient) -> None:
        """Start with the first frame."""
        self.gateway = gateway
        self.client = client
        self.rng = SeededRandom(f"reader {gateway.protocol}")
        self.events: list[Event] = []
        client.subscribe("chat", self.events.append)

    async def run_batch(self) -> None:
        """Send mutated frames during a request and a run."""
        self.gateway.hold("chat.history")
        request = asyncio.create_task(self._request_history())
        run = await self.client.start_run(RunRequest("Go", KEY))
        await self.gateway.wait_for_request("chat.history")
        await self.gateway.wait_paused()
        before = self.received_count()
        self._send(run)
        await self.client.request("sessions.list")
        assert self.received_count() == before + BATCH + 1
        self.gateway.release("chat.history")
        self.gateway.proceed()
        with suppress(GatewayError):
            await run.result()
        await request
        self.gateway.requests.clear()

    def received_count(self) -> int:
        """Return the number of received frames."""
        statistics = self.client.statistics
        return statistics.frames_in + statistics.invalid_frames

    async def _request_history(self) -> None:
        with suppress(GatewayError):
            await self.client.request("chat.history", {"sessionKey": KEY})

    def _send(self, run: AgentRun) -> None:
        [connection] = self.gateway.connections
        ids = [request.id for request in self.client.introspection.pending]

        def retarget(frame: Frame) -> None:
            if "id" in frame and not self.rng.below(20):
                frame["id"] = self.rng.choose(ids)
            payload = frame.get("payload")
            if isinstance(payload, dict) and "runId" in payload:
                payload["runId"] = run.run_id

        for data in mutated_frames(self.rng, BATCH, retarget):
            if self.rng.below(4):
                connection.send_text(data)
            else:
                connection.send(data)


async def test_client_survives_mutated_frames(protocol: int) -> None:
    async with GatewaySimulator(protocol=protocol, policy=QUIET) as gateway:
        gateway.script(Reply("It is"), Pause(), Reply(" on."))
        async with connected(gateway, Timing()) as client:
            fuzzer = Fuzzer(gateway, client)
            for _ in range(FRAMES // BATCH):
                await fuzzer.run_batch()
                assert client.introspection.pending == ()
                assert client.introspection.runs == ()
            statistics = client.statistics
            assert (statistics.connects, statistics.drops) == (1, 0)
            assert statistics.invalid_frames > FRAMES / 10
            assert fuzzer.events
            assert max(len(entry.name) for entry in statistics.trace) <= MAX_NAME_LENGTH
            assert set(client.introspection.tasks.values()) == {"run", "watchdog"}
    print(
        f"protocol {protocol}: {statistics.frames_in} frames read, "
        f"{statistics.invalid_frames} invalid"
    )
