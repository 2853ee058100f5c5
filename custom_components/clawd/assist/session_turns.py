"""Turns of the questions in a session."""

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntryState

from ..coordinator import get_runtime
from .errors import translated_error
from .sessions import ChosenSession, choose_named_session
from .throwaway import async_delete_later

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from homeassistant.config_entries import ConfigSubentry

    from ..coordinator import ClawdConfigEntry


@asynccontextmanager
async def async_take_turn(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, key: str, timeout: float
) -> AsyncGenerator[None]:
    """Wait until a session is free.

    The fate of a second question in a session depends on the Gateway's version and
    settings: it waits, steers the first run, is collected with it, or is dropped.

    Raises:
        HomeAssistantError: the session is busy for too long.
        NotConnectedError: the entry is unloaded.

    """
    runtime = get_runtime(entry)
    turn = runtime.session_turn(key)
    try:
        async with asyncio.timeout(timeout):
            await turn.acquire()
    except TimeoutError:
        raise translated_error("session_busy", agent=subentry.title) from None
    try:
        yield
    finally:
        turn.release()
        loaded = entry.state is ConfigEntryState.LOADED
        # A new conversation was begun, which has left the session to its run.
        if loaded and key in runtime.ended_sessions:
            async_delete_later(runtime.coordinator.hass, entry)


@asynccontextmanager
async def async_take_named_turn(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, name: str, timeout: float
) -> AsyncGenerator[ChosenSession]:
    """Wait until a named session is free."""

    async def choose() -> ChosenSession:
        return choose_named_session(entry, subentry, name)

    async with async_take_turn_in(entry, subentry, choose, timeout) as session:
        yield session


@asynccontextmanager
async def async_take_turn_in(
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    choose: Callable[[], Awaitable[ChosenSession]],
    timeout: float,
) -> AsyncGenerator[ChosenSession]:
    """Wait until the chosen session is free."""
    session = await choose()
    while True:
        turn = async_take_turn(entry, subentry, session.key, timeout)
        async with turn:
            current = await choose()
            # Unless a new conversation was begun meanwhile.
            if current.key == session.key:
                yield current
                return
        session = current
