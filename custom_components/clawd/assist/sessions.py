"""Sessions of an entry that this Home Assistant uses, kept across restarts."""

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
    """Session that was used.

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
    """Session that a question is asked in.

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
    """Settings of a session that the Gateway has confirmed.

    Attributes:
        connection: number of the connection.
        at: monotonic time in seconds.

    """

    connection: int
    model: str | None
    mode: str | None
    at: float


class AgentSessions:
    """Sessions of an entry: those used, and what was set of them.

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
        """Load what is stored."""
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
        """Return the key of the current conversation in a session."""
        count = self.conversations[base]
        if not named:
            count += self.conversations[subentry_id]
        return f"{base}-{count}" if count else base

    def begin(self, key: str) -> None:
        """Begin a session anew, or all those of an agent."""
        self.conversations[key] += 1
        self.changed = True

    def use(self, chosen: ChosenSession, subentry_id: str) -> None:
        """Remember a session that is used from now on."""
        key = chosen.key
        session = self.known.get(key)
        if session is None or session.subentry_id != subentry_id:
            mode = session.mode if session else None
            session = KnownSession(subentry_id, chosen.base, chosen.named, mode)
            self.changed = True
        remember(self.known, key, session, MAX_SESSIONS)

    def forget(self, key: str) -> None:
        """Forget a session that is not used any more."""
        self.changed |= self.known.pop(key, None) is not None
        self.applied.pop(key, None)

    def forget_model(self, key: str) -> None:
        """Forget the model of a session, so that it is set again."""
        if applied := self.applied.get(key):
            self.applied[key] = replace(applied, model=None)

    def apply(self, key: str, settings: AppliedSettings) -> None:
        """Remember what the Gateway has confirmed of a session."""
        remember(self.applied, key, settings, MAX_SESSIONS)

    def set_mode(self, key: str, mode: str | None) -> None:
        """Remember the permission mode that a session was given."""
        # Unless a new conversation was begun meanwhile.
        if (session := self.known.get(key)) and session.mode != mode:
            session.mode, self.changed = mode, True

    async def async_save(self) -> None:
        """Store what has changed."""
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
    """Load the sessions of an entry that is set up."""
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
    """Use the current conversation in a named session."""
    base = named_session_key(subentry.data[CONF_AGENT], name)
    rights = rights_of_named(entry, subentry)
    return _use(entry, subentry, base, rights, named=True)


def choose_other_session(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, session: ChosenSession, key: str
) -> ChosenSession:
    """Use another session with the rights of one."""
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
    """Store in the background what has changed."""
    sessions = get_sessions(entry)
    if sessions.changed:
        async_create_background_task(hass, entry, sessions.async_save(), SAVE_TASK)
