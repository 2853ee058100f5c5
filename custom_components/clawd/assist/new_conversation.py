"""New conversations with an agent."""

import re
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant

from ..const import CONF_AGENT, CONF_SESSION_NAME, LOGGER
from ..gateway import GatewayError
from ..util.drill_lock import drill_lock
from .ask import async_choose_session
from .session import is_beside, named_session_key
from .sessions import get_sessions
from .throwaway import async_delete_idle, async_delete_later, can_delete

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry

    from ..coordinator import ClawdConfigEntry
    from .question import Question

# Commands of the Gateway. OpenClaw's `agent` takes them only from administrators,
# Clawdbot's passes them on to the model.
_COMMAND: Final = re.compile(r"/(?:new|reset)(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)


def text_after_command(text: str) -> str | None:
    """Return the text after `/new` or `/reset`.

    None without such a command.
    """
    found = _COMMAND.fullmatch(text.strip())
    return (found[1] or "") if found else None


async def async_new_conversation_of(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
) -> None:
    """Restart the session of a question.

    A drill in progress ends first: it reloads the entry.

    Raises:
        GatewayError: the entry is not loaded.

    """
    async with drill_lock(entry).question():
        session = await async_choose_session(hass, entry, subentry, question)
        await async_new_conversation(
            hass, entry, subentry, session.base, named=session.named
        )


async def async_new_conversations(
    hass: HomeAssistant, entry: ClawdConfigEntry, subentry: ConfigSubentry
) -> int:
    """Restart all sessions of an agent.

    Return the number of sessions in use.
    """
    sessions, own = get_sessions(entry), subentry.subentry_id
    used = [
        (key, session)
        for key, session in sessions.known.items()
        if session.subentry_id == own
    ]
    named = {session.base for _, session in used if session.named}
    if (name := subentry.data.get(CONF_SESSION_NAME)) is not None:
        # Another agent may have used the session last.
        named.add(named_session_key(subentry.data[CONF_AGENT], name))
    # Includes sessions too old to be remembered.
    sessions.begin(own)
    _end_sessions(hass, entry, [key for key, session in used if not session.named])
    for base in sorted(named):
        await _async_renew_named(hass, entry, base)
    await sessions.async_save()
    LOGGER.debug("New conversations instead of %s", len(used))
    return len(used)


async def async_new_conversation(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    base: str,
    *,
    named: bool,
) -> int:
    """Restart a session.

    Return 1 if it was in use.
    """
    sessions = get_sessions(entry)
    key = sessions.current_key(subentry.subentry_id, base, named=named)
    used = int(key in sessions.known)
    if named:
        await _async_renew_named(hass, entry, base)
    else:
        sessions.begin(base)
        _end_sessions(hass, entry, [key, *_side_sessions(entry, key)])
    await sessions.async_save()
    LOGGER.debug("New conversation instead of %s", used)
    return used


async def _async_renew_named(
    hass: HomeAssistant, entry: ClawdConfigEntry, base: str
) -> None:
    """Restart a named session.

    Under the same name if its history can be deleted.
    """
    sessions = get_sessions(entry)
    key = sessions.current_key("", base, named=True)
    keys = [key, *_side_sessions(entry, key)]
    if not await _async_delete_now(entry, keys):
        sessions.begin(base)
        _end_sessions(hass, entry, keys)


async def _async_delete_now(entry: ClawdConfigEntry, keys: list[str]) -> bool:
    """Delete idle sessions.

    Return whether all of them are deleted.
    """
    # Clawdbot lets only an administrator delete a session.
    if not can_delete(entry):
        return False
    try:
        return all([await async_delete_idle(entry, key) for key in keys])
    except GatewayError as err:
        LOGGER.debug("Session not deleted: %s", err.code)
    return False


def _side_sessions(entry: ClawdConfigEntry, key: str) -> list[str]:
    """Return the side sessions of a session."""
    return [other for other in get_sessions(entry).known if is_beside(other, key)]


def _end_sessions(
    hass: HomeAssistant, entry: ClawdConfigEntry, keys: list[str]
) -> None:
    """Forget sessions and delete them later."""
    sessions = get_sessions(entry)
    for key in keys:
        sessions.forget(key)
    async_delete_later(hass, entry, keys)
