"""Simulator compared with recordings of real Gateways."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

import pytest

from tests.simulator import Fail, GatewaySimulator, Pause, Reply, Retry, Step, Tool
from tests.simulator.raw_client import raw_client
from tests.simulator.recordings import V3, V4, WIRE, recording
from tests.simulator.replay import Replay

from .fidelity import PROXY, assert_matches_recordings
from .test_node_fidelity import PLAYED as PLAYED_BY_NODES

TOKEN = "GATEWAY-TOKEN"


def _words(count: int, prefix: str = "w") -> Reply:
    """Return a reply with numbered words."""
    return Reply(" ".join(f"{prefix}{index}" for index in range(count)))


REST = " " + _words(40).text.removeprefix("w0 ")
HELLO = (_words(20, "word"),)
PAUSED = (Reply(chunks=("w0", " w1")), Pause(), Reply(chunks=(" w2",)), Pause())

type Action = Callable[[GatewaySimulator], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """Replay of one client's recording.

    ``actions`` run before the line of that number is awaited; ``order`` groups
    the lines of one run that were recorded between other lines.
    """

    protocol: int
    name: str
    script: tuple[Step, ...] = ()
    signed_token: str = TOKEN
    headers: dict[str, str] = field(default_factory=dict)
    tick_ms: int = 30_000
    actions: dict[int, Action] = field(default_factory=dict)
    order: tuple[range, ...] = ()

    def __str__(self) -> str:
        """Return the test id."""
        return f"v{self.protocol}-{self.name}"


def tool_script(protocol: int, name: str, *, with_text: bool) -> tuple[Step, ...]:
    """Return the script of a recorded run with a tool."""
    frames = [line["frame"] for line in recording(protocol, name) if "frame" in line]
    answer = frames[-1]["payload"]["result"]["payloads"][-1]["text"]
    tool = Tool("exec", {"command": "echo hi"}, "hi")
    for frame in frames:
        match frame.get("payload"):
            case {"data": {"phase": "start", "name": str(called), "args": dict(args)}}:
                tool = Tool(called, args)
    before = (Reply("Let me look that up."),) if with_text else ()
    return *before, tool, Reply(answer)


async def proceed(gateway: GatewaySimulator) -> None:
    """Continue the paused run."""
    gateway.proceed()


async def release(gateway: GatewaySimulator) -> None:
    """Release held `agent.wait` requests."""
    gateway.release("agent.wait")


CASES = [
    *(
        case
        for protocol in (V3, V4)
        for case in (
            Case(protocol, "hello_ok"),
            Case(protocol, "token_mismatch", signed_token="wrong"),
            Case(protocol, "token_missing", signed_token=""),
            Case(protocol, "pairing_required", headers=PROXY),
            Case(protocol, "protocol_mismatch"),
            Case(protocol, "device_signature_invalid", signed_token="another"),
            Case(protocol, "agent_run", HELLO),
            Case(protocol, "agent_run_unicode"),
            Case(protocol, "agent_run_slow"),
            Case(protocol, "agent_run_long"),
            Case(protocol, "agent_run_idempotent_replay", HELLO),
            Case(protocol, "agent_run_two_same_session"),
            Case(
                protocol,
                "agent_run_tool",
                tool_script(protocol, "agent_run_tool", with_text=False),
            ),
            Case(
                protocol,
                "agent_run_text_tool_text",
                tool_script(protocol, "agent_run_text_tool_text", with_text=True),
            ),
            Case(protocol, "rpc_bad_frames"),
        )
    ),
    Case(V3, "agent_run_model_error", (*[Retry()] * 3, Fail("500 mock failure"))),
    Case(V4, "agent_run_model_error", (*[Retry()] * 7, Fail())),
    Case(V3, "agent_run_abort", PAUSED, actions={62: proceed}),
    Case(V4, "agent_run_abort", (_words(36), Pause())),
    Case(V3, "restart_mid_run", PAUSED, actions={47: GatewaySimulator.restart}),
    Case(V4, "idle_tick", tick_ms=10),
    Case(V3, "rpc_survey", HELLO, order=(range(22), range(40, 66), range(22, 40))),
    Case(V4, "rpc_survey"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_recorded_client_gets_recorded_frames(case: Case) -> None:
    lines = recording(case.protocol, case.name)
    policy = {"tickIntervalMs": case.tick_ms}
    async with (
        GatewaySimulator(protocol=case.protocol, token=TOKEN, policy=policy) as gateway,
        raw_client(gateway.url, headers=case.headers) as client,
    ):
        if case.script:
            gateway.script(*case.script)
        actions = {
            number: partial(action, gateway) for number, action in case.actions.items()
        }
        replay = Replay(client, case.signed_token, actions)
        await replay.play(lines, list(chain(*case.order)) or range(len(lines)))
        assert_matches_recordings(case.protocol, replay)


# Lines of the first client, of the second, and of the first again, and the lines at
# which the run starts, the first wait times out, and the run continues and ends.
WAIT_LINES = {
    V3: (range(7), range(8, 75), range(75, 135), (13, 28, 30, 70)),
    V4: (range(7), range(8, 86), range(86, 159), (13, 29, 31, 76)),
}


async def test_second_client_waits_as_recorded(protocol: int) -> None:
    lines = recording(protocol, "agent_wait_and_history")
    start, second, rest, (begin, timeout, on, end) = WAIT_LINES[protocol]
    async with (
        GatewaySimulator(protocol=protocol, token=TOKEN) as gateway,
        raw_client(gateway.url) as client,
        raw_client(gateway.url) as other,
    ):
        gateway.run("first", Pause(), Reply("done"), session_key="agent:main:ha-wait")
        gateway.script(Reply("w0"), Pause(), Reply(chunks=(REST,)), Pause())
        first = Replay(client, TOKEN)
        await first.play(lines, start)
        gateway.hold("agent.wait")
        actions = {
            begin: partial(proceed, gateway),
            timeout: partial(release, gateway),
            on: partial(proceed, gateway),
            end: partial(proceed, gateway),
        }
        waiting = Replay(other, TOKEN, actions, shortened_timeout=500)
        await waiting.play(lines, second)
        await first.play(lines, rest)
        assert_matches_recordings(protocol, waiting)
        assert_matches_recordings(protocol, first)


async def test_stopped_gateway_keeps_reply_but_not_run() -> None:
    lines = recording(V4, "stopped_mid_run")
    async with GatewaySimulator(protocol=V4, token=TOKEN) as gateway:
        async with raw_client(gateway.url) as client:
            actions = {161: partial(GatewaySimulator.restart, gateway)}
            before = Replay(client, TOKEN, actions)
            await before.play(lines, range(len(lines)))
            assert_matches_recordings(V4, before)
        lines = recording(V4, "after_stop_recovery")
        async with raw_client(gateway.url) as client:
            after = Replay(client, TOKEN, shortened_timeout=10_000)
            await after.play(lines, range(len(lines)))
            assert_matches_recordings(V4, after)
        history = after.client.frames[-1]["payload"]["messages"]
        recorded = lines[-1]["frame"]["payload"]["messages"]
        assert [message["role"] for message in history] == ["user", "assistant"]
        assert history[1]["content"][0]["text"] == (
            recorded[1]["content"][0]["text"].strip()
        )


def test_each_recording_is_played() -> None:
    recordings = {f"{path.parent.name}-{path.stem}" for path in WIRE.glob("*/*.jsonl")}
    separate = {"v3-agent_wait_and_history", "v4-agent_wait_and_history"}
    separate |= {"v4-stopped_mid_run", "v4-after_stop_recovery"}
    separate |= PLAYED_BY_NODES
    assert {str(case) for case in CASES} | separate == recordings
