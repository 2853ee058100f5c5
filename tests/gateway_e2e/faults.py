"""Faults during a run, and the expected results."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from custom_components.clawd.gateway import (
    ConnectionState,
    DeviceToken,
    GatewayClient,
    InvalidTokenError,
    Timing,
)
from tests.simulator import Reply, Tool

from .cases import CASES, Case, same_reply
from .clients import TIMING
from .relay import ForwardChunk, delay, forward, shorten_tick_interval, split
from .scenario import TEXTS, TOOL_CALL, RunScenario

BEFORE_TOOLS: Final = "Before"
IN_FIRST_TOOL: Final = TEXTS[0]
BETWEEN_TOOLS: Final = "Between"
AFTER_TOOLS: Final = "After"
ACCEPTED: Final = b'"status":"accepted"'
COMPLETED: Final = b'"status":"ok"'
HELLO: Final = b'"hello-ok"'
REFUSED_ATTEMPTS: Final = 3
HALF_CASE: Final = Case(
    rf"say A half \ud83d is cut. | {TOOL_CALL} | say So is \ud83d this.",
    (
        Reply("A half \ud83d is cut.", delay=0.02),
        Tool("exec"),
        Reply("So is \ud83d this.", delay=0.02),
    ),
    same_reply("A half \ufffd is cut.\n\nSo is \ufffd this."),
)
SHORT_RECOVERY: Final = replace(TIMING, recovery_timeout=3)
# The Gateway's word is shortened, too. The client takes silence of twice this time for
# a lost connection; a run on a busy machine is silent for a second.
SHORT_TICK: Final = replace(TIMING, min_tick_interval=1.5)

type InjectFault = Callable[[RunScenario], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """Fault during a run, and the error codes by protocol.

    Without a code the complete reply is expected. `inject` returns when the fault
    is over. `down` is the relay's initial forwarding to the client; a fault that is
    not `relayed` may stop the Gateway, so that the client connects to it directly.
    """

    inject: InjectFault
    codes: dict[int, str] = field(default_factory=dict)
    timing: Timing = TIMING
    relayed: bool = True
    down: ForwardChunk = forward


async def no_fault(scenario: RunScenario) -> None:
    """Wait for the middle of the run."""
    await scenario.wait_for_text(BETWEEN_TOOLS)


async def cut(scenario: RunScenario, *, at: tuple[str, ...]) -> None:
    """Cut the connection at each text."""
    for text in at:
        await scenario.wait_for_text(text)
        scenario.relay.cut()


async def cut_half(scenario: RunScenario) -> None:
    """Cut the connection in a reply that has half a surrogate pair."""
    scenario.start_run(HALF_CASE)
    await scenario.wait_for_text("is cut.")
    scenario.relay.cut()


async def cut_queue(scenario: RunScenario) -> None:
    """Cut the connection while a second run is queued."""
    scenario.start_run()
    await scenario.wait_for_text(BEFORE_TOOLS)
    scenario.start_run(CASES["words"])
    await scenario.wait_for_text(BETWEEN_TOOLS)
    scenario.relay.cut()


async def cut_handshake(scenario: RunScenario) -> None:
    """Cut the connection, and the next one before its hello."""
    await scenario.wait_for_text(BETWEEN_TOOLS)
    scenario.relay.cut()
    await scenario.relay.cut_before(HELLO).wait()


async def lose_request(scenario: RunScenario) -> None:
    """Cut the connection before the run request is received."""
    scenario.relay.up = scenario.relay.stall
    scenario.start_run()
    await scenario.relay.stalled.wait()
    scenario.relay.cut()
    scenario.relay.resume()


async def lose_acceptance(scenario: RunScenario) -> None:
    """Cut the connection before the acknowledgment of the run."""
    lost = scenario.relay.cut_before(ACCEPTED)
    scenario.start_run()
    await lost.wait()


async def lose_result(scenario: RunScenario) -> None:
    """Cut the connection before the final response."""
    await scenario.wait_for_text(AFTER_TOOLS)
    await scenario.relay.cut_before(COMPLETED).wait()


async def close_tcp(scenario: RunScenario) -> None:
    """Close the TCP connection without a WebSocket close."""
    await scenario.wait_for_text(BETWEEN_TOOLS)
    scenario.relay.close()


async def delay_chunks(scenario: RunScenario) -> None:
    """Delay all following chunks."""
    await scenario.wait_for_text(BEFORE_TOOLS)
    scenario.relay.up = scenario.relay.down = delay


async def split_chunks(scenario: RunScenario) -> None:
    """Split all following chunks."""
    await scenario.wait_for_text(BEFORE_TOOLS)
    scenario.relay.up = scenario.relay.down = split


async def truncate_frame(scenario: RunScenario) -> None:
    """Drop the last byte of a frame."""
    await scenario.wait_for_text(BETWEEN_TOOLS)
    scenario.relay.down = scenario.relay.truncate


async def stall_down(scenario: RunScenario) -> None:
    """Stall frames to the client until it disconnects."""
    await scenario.wait_for_text(BETWEEN_TOOLS)
    scenario.relay.down = scenario.relay.stall
    await scenario.wait_until(_is_disconnected)
    scenario.relay.resume()


async def stall_up(scenario: RunScenario) -> None:
    """Stall frames to the Gateway."""
    await scenario.wait_for_text(BETWEEN_TOOLS)
    scenario.relay.up = scenario.relay.stall


async def refuse_permanently(scenario: RunScenario) -> None:
    """Refuse connections permanently."""
    await scenario.wait_for_text(BETWEEN_TOOLS)
    await scenario.relay.refuse()


async def refuse(scenario: RunScenario) -> None:
    """Refuse connections until the client has retried."""
    await scenario.wait_for_text(BETWEEN_TOOLS)
    await scenario.relay.refuse()
    await scenario.wait_until(lambda client: _retries(client) >= REFUSED_ATTEMPTS)
    await scenario.relay.listen()


async def freeze(scenario: RunScenario) -> None:
    """Suspend the Gateway until the client disconnects."""
    await scenario.wait_for_text(BETWEEN_TOOLS)
    scenario.harness.freeze()
    try:
        await scenario.wait_until(_is_disconnected)
    finally:
        scenario.harness.thaw()


async def restart(scenario: RunScenario) -> None:
    """Restart the Gateway."""
    await scenario.wait_for_text(BETWEEN_TOOLS)
    await scenario.harness.restart()


async def kill(scenario: RunScenario) -> None:
    """Kill the Gateway and start it again."""
    await scenario.wait_for_text(BETWEEN_TOOLS)
    await scenario.harness.kill()
    await scenario.harness.start()


async def stop_permanently(scenario: RunScenario) -> None:
    """Stop the Gateway permanently."""
    await scenario.wait_for_text(BETWEEN_TOOLS)
    await scenario.harness.stop()


async def revoke_tokens(scenario: RunScenario) -> None:
    """Cut the connection and invalidate both tokens."""
    await scenario.wait_for_text(BETWEEN_TOOLS)
    scenario.credentials.token = "revoked"
    scenario.credentials.device_token = DeviceToken("revoked, too", ())
    scenario.relay.cut()
    await scenario.wait_until(lambda client: client.state is ConnectionState.PAUSED)
    assert isinstance(scenario.client.last_error, InvalidTokenError)


def _is_disconnected(client: GatewayClient) -> bool:
    return client.state is not ConnectionState.CONNECTED


def _retries(client: GatewayClient) -> int:
    return sum(
        transition.state is ConnectionState.RECONNECTING
        for transition in client.introspection.transitions
    )


FAULTS: Final = {
    "none": Fault(no_fault),
    "cut before a tool": Fault(partial(cut, at=(BEFORE_TOOLS,))),
    "cut during a tool": Fault(partial(cut, at=(IN_FIRST_TOOL,))),
    "cut between tools": Fault(partial(cut, at=(BETWEEN_TOOLS,))),
    "cut after the tools": Fault(partial(cut, at=(AFTER_TOOLS,))),
    "three cuts": Fault(partial(cut, at=(BEFORE_TOOLS, BETWEEN_TOOLS, AFTER_TOOLS))),
    "cut after half a character": Fault(cut_half),
    "cut with a queued run": Fault(cut_queue),
    "cut again during the handshake": Fault(cut_handshake),
    "request lost": Fault(lose_request),
    "acceptance lost": Fault(lose_acceptance),
    "result lost": Fault(lose_result),
    "TCP close": Fault(close_tcp),
    "each chunk delayed by 50 ms": Fault(delay_chunks),
    "each chunk split": Fault(split_chunks),
    "frame truncated": Fault(truncate_frame),
    "downstream stalled": Fault(
        stall_down, timing=SHORT_TICK, down=shorten_tick_interval
    ),
    "upstream stalled": Fault(stall_up),
    "new connections refused": Fault(refuse),
    "new connections refused permanently": Fault(
        refuse_permanently, {3: "REFUSED", 4: "REFUSED"}, SHORT_RECOVERY
    ),
    "token revoked": Fault(
        revoke_tokens, {3: "AUTH_TOKEN_MISMATCH", 4: "AUTH_TOKEN_MISMATCH"}
    ),
    "Gateway frozen": Fault(freeze, timing=SHORT_TICK, down=shorten_tick_interval),
    "Gateway restarted": Fault(restart, relayed=False),
    "Gateway killed": Fault(kill, {3: "RUN_LOST", 4: "RUN_LOST"}, relayed=False),
    "Gateway stopped permanently": Fault(
        stop_permanently, {3: "REFUSED"}, SHORT_RECOVERY, relayed=False
    ),
}
