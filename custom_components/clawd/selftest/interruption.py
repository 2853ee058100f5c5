"""Interruptions on purpose, and the way back."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState

from ..gateway import Cause, GatewayError, NotConnectedError

if TYPE_CHECKING:
    from ..gateway import GatewayClient, Transition
    from .model import CheckContext

# Seconds until the next hello, and the longest delay that is waited for.
BUDGET: Final = 5.0
PATIENCE: Final = 1.0
RELOAD_BUDGET: Final = 20.0

_FAILURES: Final = (Cause.FAILED, Cause.REFUSED)


class ReloadError(Exception):
    """The entry was not loaded again; `state` says how it is instead."""

    def __init__(self, state: ConfigEntryState) -> None:
        """Keep the state."""
        super().__init__(state)
        self.state = state


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an interruption; `seconds` until the next hello or the end.

    Where an attempt failed, it is the Gateway that is not back.
    """

    back: bool
    failed: bool
    seconds: float


def runs_under_way(context: CheckContext) -> str | None:
    """Name the reason if there is something not to interrupt."""
    return "runs_under_way" if context.runtime.client.runs else None


async def interrupt(
    client: GatewayClient, close_code: int | None = None, *, patient: bool = False
) -> Outcome:
    """End the connection, wait for the next one and say what came of it.

    The delay in between is cut short, unless the wait is patient and it is short.
    """
    transitions: list[Transition] = []
    lost = asyncio.Event()

    def note(transition: Transition) -> None:
        transitions.append(transition)
        lost.set()

    unsubscribe = client.subscribe_state(note)
    started = perf_counter()
    try:
        async with asyncio.timeout(BUDGET):
            await client.interrupt(close_code)
            await lost.wait()
            if not patient or (transitions[0].delay or 0) > PATIENCE:
                client.resume()
            await client.wait_connected()
    except TimeoutError, GatewayError:
        back = False
    else:
        back = True
    finally:
        unsubscribe()
    seconds = perf_counter() - started
    if not back:
        await _bring_back(client)
    failed = any(change.cause in _FAILURES for change in transitions)
    return Outcome(back, failed, seconds)


async def reconnect(client: GatewayClient, times: int) -> None:
    """Interrupt the connection some times.

    Raises:
        NotConnectedError: it did not come back.

    """
    for _ in range(times):
        if not (await interrupt(client)).back:
            raise NotConnectedError("the connection did not come back")


async def reload(context: CheckContext, times: int = 1) -> None:
    """Unload the entry and set it up again, some times.

    Nobody who gives up waiting leaves it half set up.

    Raises:
        ReloadError: it is not loaded.

    """
    entries, entry = context.hass.config_entries, context.entry
    for _ in range(times):
        task = context.hass.async_create_task(
            entries.async_reload(entry.entry_id), "clawd self-test reload"
        )
        done, _open = await asyncio.wait([task], timeout=RELOAD_BUDGET)
        if not done or task.exception() or entry.state is not ConfigEntryState.LOADED:
            raise ReloadError(entry.state)
        context.follow()


async def _bring_back(client: GatewayClient) -> None:
    client.resume()
    with suppress(TimeoutError, GatewayError):
        async with asyncio.timeout(BUDGET):
            await client.wait_connected()
