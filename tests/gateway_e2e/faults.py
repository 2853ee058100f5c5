"""Faults in the middle of a run, and how the run has to end on each protocol."""

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

from .cases import CASES
from .clients import TIMING
from .relay import Way, delay, forward, halve, hurry
from .scenario import TEXTS, Scene

BEFORE: Final = "Before"
LOOKING: Final = TEXTS[0]
BETWEEN: Final = "Between"
AFTER: Final = "After"
ACCEPTED: Final = b'"status":"accepted"'
COMPLETED: Final = b'"status":"ok"'
HELLO: Final = b'"hello-ok"'
REFUSED_ATTEMPTS: Final = 3
SHORT: Final = replace(TIMING, recovery_timeout=3)

type Provocation = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, and the code of the error by protocol.

    Without a code the whole reply arrives. `provoke` returns when all is well
    again. `down` is how the relay passes frames on from the start; without a
    relay, the client is connected to the Gateway itself, which may die.
    """

    provoke: Provocation
    codes: dict[int, str] = field(default_factory=dict)
    timing: Timing = TIMING
    relayed: bool = True
    down: Way = forward


async def nothing(scene: Scene) -> None:
    """Only wait for the middle of the run."""
    await scene.hear(BETWEEN)


async def cut(scene: Scene, *, at: tuple[str, ...]) -> None:
    """Cut the connection at some words."""
    for word in at:
        await scene.hear(word)
        scene.relay.cut()


async def cut_queue(scene: Scene) -> None:
    """Cut the connection while a second run waits for the first one."""
    scene.ask()
    await scene.hear(BEFORE)
    scene.ask(CASES["words"])
    await scene.hear(BETWEEN)
    scene.relay.cut()


async def cut_handshake(scene: Scene) -> None:
    """Cut the connection, and the next one before its hello."""
    await scene.hear(BETWEEN)
    scene.relay.cut()
    await scene.relay.cut_before(HELLO).wait()


async def lose_question(scene: Scene) -> None:
    """Cut the connection before the question has reached the Gateway."""
    scene.relay.up = scene.relay.stall
    scene.ask()
    await scene.relay.stalled.wait()
    scene.relay.cut()
    scene.relay.flow()


async def lose_answer(scene: Scene) -> None:
    """Cut the connection before the Gateway can say that it has the question."""
    lost = scene.relay.cut_before(ACCEPTED)
    scene.ask()
    await lost.wait()


async def lose_result(scene: Scene) -> None:
    """Cut the connection before the Gateway can say that the run has ended."""
    await scene.hear(AFTER)
    await scene.relay.cut_before(COMPLETED).wait()


async def hang_up(scene: Scene) -> None:
    """Close the connection below the WebSocket."""
    await scene.hear(BETWEEN)
    scene.relay.hang_up()


async def slow_down(scene: Scene) -> None:
    """Delay each chunk from now on."""
    await scene.hear(BEFORE)
    scene.relay.up = scene.relay.down = delay


async def split(scene: Scene) -> None:
    """Halve each chunk from now on."""
    await scene.hear(BEFORE)
    scene.relay.up = scene.relay.down = halve


async def truncate(scene: Scene) -> None:
    """Keep the last byte of a frame."""
    await scene.hear(BETWEEN)
    scene.relay.down = scene.relay.truncate


async def stall_down(scene: Scene) -> None:
    """Let nothing through from the Gateway until the client has noticed."""
    await scene.hear(BETWEEN)
    scene.relay.down = scene.relay.stall
    await scene.until(_is_away)
    scene.relay.flow()


async def stall_up(scene: Scene) -> None:
    """Let nothing through to the Gateway any more."""
    await scene.hear(BETWEEN)
    scene.relay.up = scene.relay.stall


async def refuse_for_good(scene: Scene) -> None:
    """Refuse connections."""
    await scene.hear(BETWEEN)
    await scene.relay.refuse()


async def refuse(scene: Scene) -> None:
    """Refuse connections until the client has tried some times."""
    await scene.hear(BETWEEN)
    await scene.relay.refuse()
    await scene.until(lambda client: _retries(client) >= REFUSED_ATTEMPTS)
    await scene.relay.admit()


async def freeze(scene: Scene) -> None:
    """Let the Gateway do nothing until the client has noticed."""
    await scene.hear(BETWEEN)
    scene.stage.freeze()
    try:
        await scene.until(_is_away)
    finally:
        scene.stage.thaw()


async def restart(scene: Scene) -> None:
    """Let the Gateway restart."""
    await scene.hear(BETWEEN)
    await scene.stage.restart()


async def kill(scene: Scene) -> None:
    """Kill the Gateway and start it again."""
    await scene.hear(BETWEEN)
    await scene.stage.kill()
    await scene.stage.start()


async def stop_for_good(scene: Scene) -> None:
    """Stop the Gateway."""
    await scene.hear(BETWEEN)
    await scene.stage.stop()


async def revoke(scene: Scene) -> None:
    """Cut the connection, and let neither the token nor the device open again."""
    await scene.hear(BETWEEN)
    scene.credentials.token = "revoked"
    scene.credentials.device_token = DeviceToken("revoked, too", ())
    scene.relay.cut()
    await scene.until(lambda client: client.state is ConnectionState.PAUSED)
    assert isinstance(scene.client.last_error, InvalidTokenError)


def _is_away(client: GatewayClient) -> bool:
    return client.state is not ConnectionState.CONNECTED


def _retries(client: GatewayClient) -> int:
    return sum(
        transition.state is ConnectionState.RECONNECTING
        for transition in client.introspection.transitions
    )


FAULTS: Final = {
    "none": Fault(nothing),
    "cut before a tool": Fault(partial(cut, at=(BEFORE,))),
    "cut in a tool": Fault(partial(cut, at=(LOOKING,))),
    "cut between tools": Fault(partial(cut, at=(BETWEEN,))),
    "cut after the tools": Fault(partial(cut, at=(AFTER,))),
    "three cuts": Fault(partial(cut, at=(BEFORE, BETWEEN, AFTER))),
    "cut with a run in the queue": Fault(cut_queue),
    "cut, and the next handshake": Fault(cut_handshake),
    "question lost": Fault(lose_question),
    "answer to the question lost": Fault(lose_answer),
    "result lost": Fault(lose_result),
    "polite close": Fault(hang_up),
    "each chunk 50 ms late": Fault(slow_down),
    "each chunk halved": Fault(split),
    "frame truncated": Fault(truncate),
    "nothing comes any more": Fault(stall_down, down=hurry),
    "nothing goes any more": Fault(stall_up),
    "new connections refused": Fault(refuse),
    "new connections refused for good": Fault(
        refuse_for_good, {3: "REFUSED", 4: "REFUSED"}, SHORT
    ),
    "token not valid any more": Fault(
        revoke, {3: "AUTH_TOKEN_MISMATCH", 4: "AUTH_TOKEN_MISMATCH"}
    ),
    "Gateway frozen": Fault(freeze, down=hurry),
    "Gateway restarted": Fault(restart, relayed=False),
    "Gateway killed": Fault(kill, {3: "RUN_LOST", 4: "RUN_LOST"}, relayed=False),
    "Gateway stopped for good": Fault(
        stop_for_good, {3: "REFUSED"}, SHORT, relayed=False
    ),
}
