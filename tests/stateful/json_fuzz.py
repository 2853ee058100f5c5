"""Fuzzing of JSON payloads."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from copy import deepcopy
from typing import Any, Final

from custom_components.clawd.gateway import (
    GatewayClient,
    GatewayError,
    RunRequest,
    Timing,
)
from tests.simulator import GatewaySimulator, Reply, Tool
from tests.simulator.recordings import Frame
from tests.unit.clients import client_of, running

from .mutations import SeededRandom

KEY: Final = "agent:main:json"
PLACE: Final = "@@here@@"
MIB: Final = 2**20
TIMING: Final = Timing(
    connect_timeout=2,
    request_timeout=1,
    run_timeout=1,
    run_idle_timeout=1,
    recovery_timeout=1,
    wait_timeout=0.02,
    poll_interval=0.001,
    close_timeout=0.1,
    initial_delay=0,
    max_delay=0,
    max_attempts=1_000_000,
)


def _nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return opening * depth + b"0" + closing * depth


VALUES: Final = (
    *(b"null", b"true", b"false", b"0", b"-1", b"1", b"1.5", b"-0.0"),
    *(b"1e308", b"-1e308", b"1e999", b"NaN", b"Infinity", b"-Infinity"),
    *(b"9007199254740993", b"1" * 25, b"9" * 400, b"9" * 5_000),
    *(b'""', b'"x"', b'"\\u0000"', b'"\\u2028"', b'"\\ud83d"', b'"\\udc00 \\ud83d"'),
    *(b'"accepted"', b'"ok"', b'"timeout"', b'"error"', b'"agent"', b'"hello-ok"'),
    *(b"[]", b"{}", b"[[]]", b"[{}]", b"[null]", b'{"":null}', b'{"text":[]}'),
    *(b'{"a":1,"a":{}}', b'{"\\ud83d":1}', b'["\\ud83d"]', b'{"text":"\\ud83d"}'),
    *(_nested(200), _nested(1_000), _nested(10_000), _nested(10_000, b'{"a":', b"}")),
    *(b'{"%s":1}' % (b"k" * MIB), b'"%s"' % (b"s" * MIB), b"[1%s]" % (b",1" * 9_999)),
)
REQUESTS: Final = ("agents.list", "models.list", "health", "gateway.identity.get")
RUNS: Final = ("event agent", "event agent", "event agent", "agent", "agent accepted")
CONNECTS: Final = ("hello-ok", "hello-ok", "connect.challenge")
RECOVERIES: Final = ("chat.history", "chat.history", "agent.wait")
EVENTS: Final = ("event shutdown", "event chat", "event tick", "event presence")
SCRIPT: Final = (
    Reply("Let me look."),
    Tool("look", {"where": "here"}),
    Reply(chunks=("It is ", "on.")),
)


class JsonFuzz:
    """Client whose Gateway says something odd once in each case.

    Attributes:
        cases: number of cases by what was odd.
        last: what is odd in this case.

    """

    def __init__(self, gateway: GatewaySimulator, client: GatewayClient) -> None:
        """Start with the first case."""
        self._gateway = gateway
        self._client = client
        self._rng = SeededRandom(f"json {gateway.protocol}")
        self._skipped = 0
        self.cases: Counter[str] = Counter()
        self.last = ""
        gateway.script(*SCRIPT)

    async def case(self) -> None:
        """Let one thing be odd; the client must get over it."""
        rng = self._rng
        drive, kinds = rng.choose(
            (
                (self._connect, CONNECTS),
                (self._request, REQUESTS),
                (self._run, RUNS),
                (self._recover, RECOVERIES),
                (self._hear, EVENTS),
            )
        )
        kind = rng.choose(kinds)
        self.cases[kind] += 1
        self._arm(kind)
        await drive(kind)
        self._gateway.edit(kind, lambda _: None)
        self._gateway.wire_faults.rewrite = bytes

    def summary(self) -> str:
        """Return the counts of cases and frames."""
        statistics = self._client.statistics
        return (
            f"{self.cases.total()} cases, "
            f"{statistics.repaired_frames} frames repaired, "
            f"{statistics.invalid_frames} invalid, "
            f"{statistics.skipped_run_events} events of runs skipped"
        )

    async def check(self) -> None:
        """See that the client works and that nothing is left of the cases."""
        await self._reconnect()
        await self._client.request("health")
        run = await self._client.start_run(self._question())
        assert (await run.result()).text == "Let me look.\n\nIt is on."
        client, statistics = self._client, self._client.statistics
        assert client.introspection.runs == ()
        assert client.introspection.pending == ()
        assert statistics.main_loop_errors == 0, client.introspection.history.failure
        assert not statistics.task_failures, client.introspection.history.failure
        assert statistics.listener_errors == 0

    def _question(self) -> RunRequest:
        """Return a question in a session of its own, so that histories are short."""
        return RunRequest("Go", f"{KEY}-{self.cases.total()}")

    def _arm(self, kind: str) -> None:
        """Put a value in one place of the next payload of a kind."""
        value = self._rng.choose(VALUES)
        self.last = f"{kind}: {value[:40]!r}"
        self._skipped = self._rng.below(8) if kind == "event agent" else 0

        def change(payload: Frame) -> None:
            if self._skipped < 0:
                return
            self._skipped -= 1
            if self._skipped < 0:
                changed = deepcopy(payload)
                self._put(changed)
                payload.clear()
                payload.update(changed)

        def rewrite(data: bytes) -> bytes:
            return data.replace(b'"%s"' % PLACE.encode(), value)

        self._gateway.edit(kind, change)
        self._gateway.wire_faults.rewrite = rewrite

    def _put(self, payload: Any) -> None:  # noqa: ANN401 - JSON
        """Put the place of the value anywhere in a payload."""
        rng, place = self._rng, payload
        while True:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            if not keys:
                return
            key = rng.choose(keys)
            inner = place[key]
            if not isinstance(inner, dict | list) or not inner or not rng.below(4):
                place[key] = PLACE
                return
            place = inner

    async def _connect(self, _: str) -> None:
        await self._drop()
        await self._reconnect()

    async def _request(self, method: str) -> None:
        client = self._client
        with suppress(GatewayError):
            match method:
                case "agents.list":
                    agents = await client.agents.list()
                    assert all(isinstance(agent.name, str) for agent in agents.agents)
                case "models.list":
                    repr(await client.models.list())
                case "health":
                    await client.system.health()
                case _:
                    assert isinstance(await client.fetch_id(), str)

    async def _run(self, _: str) -> None:
        with suppress(GatewayError):
            run = await self._client.start_run(self._question())
            told = "".join([text async for text in run])
            (await run.result()).text.encode()
            told.encode()

    async def _recover(self, _: str) -> None:
        with suppress(GatewayError):
            run = await self._client.start_run(self._question())
            self._gateway.drop()
            await run.result()
        await self._reconnect()

    async def _hear(self, kind: str) -> None:
        heard: list[object] = []
        name = kind.removeprefix("event ")
        unsubscribe = self._client.subscribe(name, heard.append)
        payload: Frame = {
            "reason": "x",
            "restartExpectedMs": 5,
            "list": [1, {"text": "x"}],
        }
        self._gateway.broadcast(name, payload)
        with suppress(GatewayError):
            await self._client.request("health")
        unsubscribe()

    async def _reconnect(self) -> None:
        """Connect with nothing odd."""
        self._gateway.wire_faults.rewrite = bytes
        await self._drop()

    async def _drop(self) -> None:
        """Cut the connection and wait for the next one, whatever it waits for."""
        client = self._client
        connects = client.statistics.connects
        self._gateway.drop()
        while client.statistics.connects == connects or not client.hello:
            client.resume()
            await asyncio.sleep(0)


@asynccontextmanager
async def json_fuzz(protocol: int) -> AsyncGenerator[JsonFuzz]:
    """Run a client of a Gateway that says odd things."""
    unseen: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unseen.append(context))
    policy = {"tickIntervalMs": 3_600_000}
    try:
        async with GatewaySimulator(protocol=protocol, policy=policy) as gateway:
            client = client_of(gateway, TIMING)
            async with running(client):
                await client.wait_connected()
                yield JsonFuzz(gateway, client)
    finally:
        loop.set_exception_handler(None)
    assert unseen == []
