"""Whatever frames come, the client reads on, answers, and keeps nothing."""

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

from .mutations import Dice, mutated

FRAMES = 50_000
BATCH = 500
KEY = "agent:main:fuzz"
QUIET = {"tickIntervalMs": 3_600_000}


class Fuzz:
    """A client with an open request and an open run, and the frames it gets."""

    def __init__(self, gateway: GatewaySimulator, client: GatewayClient) -> None:
        """Start with the first frame."""
        self.gateway = gateway
        self.client = client
        self.dice = Dice(f"reader {gateway.protocol}")
        self.heard: list[Event] = []
        client.subscribe("chat", self.heard.append)

    async def batch(self) -> None:
        """Send frames while a request and a run are open; end both."""
        self.gateway.hold("chat.history")
        asking = asyncio.create_task(self._ask())
        run = await self.client.start_run(RunRequest("Go", KEY))
        await self.gateway.wait_for_request("chat.history")
        await self.gateway.wait_paused()
        before = self.counted()
        self._send(run)
        await self.client.request("sessions.list")
        assert self.counted() == before + BATCH + 1
        self.gateway.release("chat.history")
        self.gateway.proceed()
        with suppress(GatewayError):
            await run.result()
        await asking
        self.gateway.requests.clear()

    def counted(self) -> int:
        """Return how many frames the client has seen."""
        statistics = self.client.statistics
        return statistics.frames_in + statistics.invalid_frames

    async def _ask(self) -> None:
        with suppress(GatewayError):
            await self.client.request("chat.history", {"sessionKey": KEY})

    def _send(self, run: AgentRun) -> None:
        [peer] = self.gateway.connections
        ids = [request.id for request in self.client.introspection.pending]

        def address(frame: Frame) -> None:
            if "id" in frame and not self.dice.below(20):
                frame["id"] = self.dice.choose(ids)
            payload = frame.get("payload")
            if isinstance(payload, dict) and "runId" in payload:
                payload["runId"] = run.run_id

        for data in mutated(self.dice, BATCH, address):
            if self.dice.below(4):
                peer.send_text(data)
            else:
                peer.send(data)


async def test_no_frame_keeps_the_client_from_its_work(protocol: int) -> None:
    async with GatewaySimulator(protocol=protocol, policy=QUIET) as gateway:
        gateway.script(Reply("It is"), Pause(), Reply(" on."))
        async with connected(gateway, Timing()) as client:
            fuzz = Fuzz(gateway, client)
            for _ in range(FRAMES // BATCH):
                await fuzz.batch()
                assert client.introspection.pending == ()
                assert client.introspection.runs == ()
            statistics = client.statistics
            assert (statistics.connects, statistics.drops) == (1, 0)
            assert statistics.invalid_frames > FRAMES / 10
            assert fuzz.heard
            assert max(len(entry.name) for entry in statistics.trace) <= MAX_NAME_LENGTH
            assert set(client.introspection.tasks.values()) == {"run", "watchdog"}
    print(
        f"protocol {protocol}: {statistics.frames_in} frames read, "
        f"{statistics.invalid_frames} invalid"
    )
