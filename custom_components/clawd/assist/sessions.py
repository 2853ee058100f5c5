"""Sessions of an entry, kept across restarts."""

from collections import Counter, OrderedDict
from dataclasses import asdict, dataclass, replace
import time
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..client_factory import get_history
from ..const import CONF_AGENT
from ..coordinator import async_create_background_task, find_runtime, get_runtime
from ..storage import EntryStore, async_load_store, async_save_store
from ..util.bounded import remember
from .rights import rights_of_named
from .session import named_session_key

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry

    from ..coordinator import ClawdConfigEntry
    from ..storage import OnError
    from .rights import Rights

# Sessions; a new conversation is one, and the Gateway keeps 500 (its default).
MAX_SESSIONS: Final = 256
SAVE_TASK: Final = "clawd sessions"

_SESSIONS: Final[HassKey[AgentSessions]] = HassKey("sessions")


@dataclass(slots=True)
class KnownSession:
    """Session in use.

    Attributes:
        subentry_id: of the agent that used it last.
        base: key of the first conversation.
        named: the user or a caller has chosen its name.
        mode: permission mode that was set; None if none, or restored.

    """

    subentry_id: str
    base: str
    named: bool
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class ChosenSession:
    """Session of a question.

    Attributes:
        base: key of the first conversation.
        named: the user or a caller has chosen its name.

    """

    key: str
    base: str
    named: bool
    rights: Rights


@dataclass(frozen=True, slots=True)
class AppliedSettings:
    """Confirmed settings of a session.

    Attributes:
        connection: number of the connection.
        at: monotonic time in seconds.

    """

    connection: int
    model: str | None
    mode: str | None
    at: float


class AgentSessions:
    """Sessions of an entry and their settings.

    Attributes:
        conversations: number of conversations that were begun anew, by the id of an
            agent for all its sessions, or by the key of the first one.
        known: used sessions by key, the last one last.
        applied: settings of sessions, confirmed on some connection.
        handed_off: keys of the sessions with a run that is handed off; None until they
            are loaded.
        changed: there is something to store.
        clock: monotonic.

    """

    def __init__(self, hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
        """Initialize without sessions."""
        self._hass = hass
        self._entry = entry
        self.changed = False
        self.conversations: Counter[str] = Counter()
        self.known: OrderedDict[str, KnownSession] = OrderedDict()
        self.applied: OrderedDict[str, AppliedSettings] = OrderedDict()
        self.handed_off: set[str] | None = None
        self.clock = time.monotonic

    async def async_load(self) -> None:
        """Load the stored sessions."""
        match await async_load_store(
            self._hass, EntryStore.SESSIONS, self._entry.entry_id, self._on_error
        ):
            case {
                "known": dict(known),
                "conversations": dict(conversations),
                "ended": list(ended),
            }:
                for key, session in known.items():
                    self._load_session(key, session)
                counts = conversations.items()
                self.conversations.update({k: n for k, n in counts if type(n) is int})
                keys = (key for key in ended if isinstance(key, str))
                self._entry.runtime_data.ended_sessions.update(keys)

    def _load_session(self, key: str, session: object) -> None:
        match session:
            case {
                "subentry_id": str(subentry_id),
                "base": str(base),
                "named": bool(named),
                "mode": str() | None as mode,
            }:
                self.known[key] = KnownSession(subentry_id, base, named, mode)

    def current_key(self, subentry_id: str, base: str, *, named: bool) -> str:
        """Return the current key of a session."""
        count = self.conversations[base]
        if not named:
            count += self.conversations[subentry_id]
        return f"{base}-{count}" if count else base

    def begin(self, key: str) -> None:
        """Start a new conversation.

        In one session, or all of an agent.
        """
        self.conversations[key] += 1
        self.changed = True

    def use(self, chosen: ChosenSession, subentry_id: str) -> None:
        """Add a session in use."""
        key = chosen.key
        session = self.known.get(key)
        if session is None or session.subentry_id != subentry_id:
            mode = session.mode if session else None
            session = KnownSession(subentry_id, chosen.base, chosen.named, mode)
            self.changed = True
        remember(self.known, key, session, MAX_SESSIONS)

    def forget(self, key: str) -> None:
        """Remove a session."""
        self.changed |= self.known.pop(key, None) is not None
        self.applied.pop(key, None)

    def forget_model(self, key: str) -> None:
        """Remove the model of a session.

        It is set again with the next question.
        """
        if applied := self.applied.get(key):
            self.applied[key] = replace(applied, model=None)

    def apply(self, key: str, settings: AppliedSettings) -> None:
        """Record confirmed settings."""
        remember(self.applied, key, settings, MAX_SESSIONS)

    def set_mode(self, key: str, mode: str | None) -> None:
        """Record the permission mode of a session."""
        # Unless a new conversation was begun meanwhile.
        if (session := self.known.get(key)) and session.mode != mode:
            session.mode, self.changed = mode, True

    async def async_save(self) -> None:
        """Save the changes."""
        if not self.changed:
            return
        self.changed = False
        content = {
            "known": {key: asdict(session) for key, session in self.known.items()},
            "conversations": dict(self.conversations),
            "ended": sorted(self._entry.runtime_data.ended_sessions),
        }
        await async_save_store(
            self._hass,
            EntryStore.SESSIONS,
            self._entry.entry_id,
            content,
            self._on_error,
        )

    @property
    def _on_error(self) -> OnError:
        return get_history(self._hass, self._entry.entry_id).store_failed


async def async_load_agent_sessions(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> None:
    """Load the sessions during setup."""
    sessions = AgentSessions(hass, entry)
    await sessions.async_load()
    entry.runtime_data.data[_SESSIONS] = sessions


def get_sessions(entry: ClawdConfigEntry) -> AgentSessions:
    """Return the sessions of a loaded entry.

    Raises:
        NotConnectedError: it has been unloaded meanwhile.

    """
    return get_runtime(entry).data[_SESSIONS]


def find_sessions(entry: ClawdConfigEntry) -> AgentSessions | None:
    """Return the sessions of an entry; None until they are loaded."""
    runtime = find_runtime(entry)
    return runtime.data.get(_SESSIONS) if runtime else None


def choose_session(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, base: str, rights: Rights
) -> ChosenSession:
    """Use the current conversation in a session."""
    return _use(entry, subentry, base, rights, named=False)


def choose_named_session(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, name: str
) -> ChosenSession:
    """Return the current key of a named session.

    The session is used from now on.
    """
    base = named_session_key(subentry.data[CONF_AGENT], name)
    rights = rights_of_named(entry, subentry)
    return _use(entry, subentry, base, rights, named=True)


def choose_other_session(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, session: ChosenSession, key: str
) -> ChosenSession:
    """Return another session with the same rights."""
    other = replace(session, key=key)
    get_sessions(entry).use(other, subentry.subentry_id)
    return other


def _use(
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    base: str,
    rights: Rights,
    *,
    named: bool,
) -> ChosenSession:
    sessions, own = get_sessions(entry), subentry.subentry_id
    key = sessions.current_key(own, base, named=named)
    session = ChosenSession(key, base, named, rights)
    sessions.use(session, own)
    return session


@callback
def async_save_later(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Save the changes in the background."""
    sessions = get_sessions(entry)
    if sessions.changed:
        async_create_background_task(hass, entry, sessions.async_save(), SAVE_TASK)
