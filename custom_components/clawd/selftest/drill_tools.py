"""Tools for drills."""

import asyncio
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
import gc
from time import perf_counter
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState

from ..gateway import Cause, ConnectionState, GatewayError, NotConnectedError
from ..reports import Mode
from .model import check
from .prerequisites import (
    connected,
    gateway_answers,
    no_open_calls,
    no_open_runs,
    setup_complete,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..gateway import GatewayClient, Transition
    from .model import CheckContext

# Seconds for all drills of a self-test together, also with a Gateway that is frozen.
DRILL_TIMEOUT: Final = 15.0
RECONNECT_TIMEOUT: Final = 5.0
MAX_WAITED_DELAY: Final = 1.0
RELOAD_TIMEOUT: Final = 10.0

# Seconds of lag of the event loop that explain a late reconnect.
MAX_LAG: Final = 1.0

_FAILURES: Final = (Cause.FAILED, Cause.REFUSED)
_ATTEMPTING: Final = (ConnectionState.CONNECTING, ConnectionState.HANDSHAKING)

PREREQUISITES: Final = (
    gateway_answers,
    setup_complete,
    connected,
    no_open_runs,
    no_open_calls,
)
drill = partial(check, mode=Mode.DRILL, requires=PREREQUISITES, timeout=DRILL_TIMEOUT)


class RunStartedError(Exception):
    """Run started during a drill."""


class ReloadError(Exception):
    """Entry not loaded after a reload."""

    def __init__(self, state: ConfigEntryState) -> None:
        """Initialize the error with the entry's state."""
        super().__init__(state)
        self.state = state


@dataclass(frozen=True, slots=True)
class DrillResult:
    """Result of an interruption.

    Attributes:
        reconnected: whether there was another hello in time.
        attempt_failed: whether the Gateway refused an attempt, or did not answer.
        attempting: whether an attempt was under way at the timeout.
        seconds: until the next hello, or until the timeout.

    """

    reconnected: bool
    attempt_failed: bool
    attempting: bool
    seconds: float


async def interrupt(
    client: GatewayClient, close_code: int | None = None, *, wait_delay: bool = False
) -> DrillResult:
    """Interrupt the connection and await the next.

    The delay in between is skipped; with `wait_delay` only a long one.
    """
    transitions: list[Transition] = []
    lost = asyncio.Event()

    def record(transition: Transition) -> None:
        transitions.append(transition)
        lost.set()

    unsubscribe = client.subscribe_state(record)
    started = perf_counter()
    try:
        async with asyncio.timeout(RECONNECT_TIMEOUT):
            await client.interrupt(close_code)
            await lost.wait()
            if not wait_delay or (transitions[0].delay or 0) > MAX_WAITED_DELAY:
                client.resume()
            await client.wait_connected()
    except TimeoutError, GatewayError:
        reconnected = False
    else:
        reconnected = True
    finally:
        unsubscribe()
    seconds = perf_counter() - started
    # While an attempt is unanswered, do not start another.
    attempting = not reconnected and client.state in _ATTEMPTING
    if not reconnected and not attempting:
        await _restore_connection(client)
    attempt_failed = any(change.cause in _FAILURES for change in transitions)
    return DrillResult(reconnected, attempt_failed, attempting, seconds)


async def reconnect(context: CheckContext, times: int) -> None:
    """Interrupt the connections several times.

    Raises:
        NotConnectedError: one did not come back.
        RunStartedError: a run has started, which must not be interrupted.

    """
    for _ in range(times):
        # A node that is not approved, or has no Gateway, has no connection to cut.
        for client in filter(_is_connected, context.runtime.clients):
            require_no_runs(context)
            if not (await interrupt(client)).reconnected:
                raise NotConnectedError("the connection did not come back")


async def reload(context: CheckContext, times: int = 1) -> None:
    """Reload the entry several times.

    Raises:
        ReloadError: it is not loaded.
        RunStartedError: a run has started, which must not be interrupted.

    """
    entries, entry = context.hass.config_entries, context.entry
    for _ in range(times):
        require_no_runs(context)
        for client in context.runtime.clients:
            client.mark_drill()
        # A task of its own: a timeout of the check must not cancel the setup
        # halfway.
        task = context.hass.async_create_task(
            entries.async_reload(entry.entry_id), "clawd self-test reload"
        )
        done, _pending = await asyncio.wait([task], timeout=RELOAD_TIMEOUT)
        if not done or task.exception() or entry.state is not ConfigEntryState.LOADED:
            raise ReloadError(entry.state)
        # Otherwise the context would keep the former client alive.
        context.refresh_runtime()
        await _wait_for_node(context)


def require_no_runs(context: CheckContext, calls: int = 0) -> None:
    """Raise if a run or call is active.

    The drill's own call is not counted.

    Raises:
        RunStartedError: there is one.

    """
    node = context.runtime.node
    if no_open_runs(context) or (node and len(node.host.open_calls) > calls):
        raise RunStartedError


def _is_connected(client: GatewayClient) -> bool:
    return client.hello is not None


@contextmanager
def frozen_objects() -> Iterator[None]:
    """Restrict garbage collection to new objects."""
    # A collection of all objects of Home Assistant would block its loop. Objects
    # frozen by others stay frozen.
    frozen_before = gc.get_freeze_count() > 0
    if not frozen_before:
        gc.freeze()
    try:
        yield
    finally:
        if not frozen_before:
            gc.unfreeze()


async def _wait_for_node(context: CheckContext) -> None:
    """Wait for the node's first connection attempt."""
    if node := context.runtime.node:
        with suppress(TimeoutError, GatewayError):
            async with asyncio.timeout(RECONNECT_TIMEOUT):
                await node.client.wait_connected(retry=False)


async def _restore_connection(client: GatewayClient) -> None:
    client.resume()
    with suppress(TimeoutError, GatewayError):
        async with asyncio.timeout(RECONNECT_TIMEOUT):
            await client.wait_connected()
