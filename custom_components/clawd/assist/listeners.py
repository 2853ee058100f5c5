"""Listeners of sessions.

They get the messages that come later. Kept in a private store: a sub-agent may end
after a restart of Home Assistant.
"""

import asyncio
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from hashlib import sha256
import time
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..client_factory import get_history
from ..const import DOMAIN
from ..coordinator import async_create_background_task, get_runtime
from ..home.announcements import Listener
from ..storage import EntryStore, async_load_store, async_save_store
from ..util.bounded import remember
from ..util.moment import Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..coordinator import ClawdConfigEntry
    from ..gateway import RunResult

TASK_NAME: Final = f"{DOMAIN} listeners"
MAX_SESSIONS: Final = 256
MAX_SPAWNS: Final = 128
MAX_DELIVERED: Final = 512
MAX_UNFINISHED: Final = 32
# Seconds to wait for a sub-agent; OpenClaw archives its session after one hour, and
# gives up its completion after a few.
MAX_SPAWN_AGE: Final = 86_400.0
# Seconds for which a reply that somebody asked for is not told once more: the
# completion of a sub-agent may repeat what the run that waited for it has said.
MAX_TOLD_AGE: Final = 60.0

_LISTENERS: Final[HassKey[SessionListeners]] = HassKey("listeners")


@dataclass(frozen=True, slots=True)
class Owner:
    """Last user of a session.

    Attributes:
        agent: name of the agent, the title of notifications.
        shared: others may ask in the session, too.
        subentry_id: of the agent; earlier versions stored none.

    """

    listener: Listener
    agent: str
    shared: bool = False
    subentry_id: str | None = None


@dataclass(frozen=True, slots=True)
class Spawn:
    """Run of a sub-agent in progress.

    Attributes:
        at: of the end of the run that started it.

    """

    session_key: str = field(repr=False)
    owner: Owner
    at: Moment


@dataclass(frozen=True, slots=True)
class Message:
    """Message in delivery."""

    owner: Owner
    text: str = field(repr=False)


class SessionListeners:
    """Listeners by session, and their deliveries.

    Attributes:
        owners: by session key, the most recent one at the end.
        spawns: by the id of the sub-agent's run.
        delivered: how often each run was delivered, by its id; oldest first.
        unfinished: messages in delivery, by run id.
        claimed: tasks with pictures shown or awaited by a chat, oldest first.

    """

    def __init__(self, hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
        """Initialize without listeners; `async_load()` comes next."""
        self._hass = hass
        self._entry = entry
        self._changed = False
        self._replies: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._on_error = get_history(hass, entry.entry_id).store_failed
        self.owners: OrderedDict[str, Owner] = OrderedDict()
        self.spawns: OrderedDict[str, Spawn] = OrderedDict()
        self.delivered: OrderedDict[str, int] = OrderedDict()
        self.unfinished: OrderedDict[str, Message] = OrderedDict()
        self.claimed: OrderedDict[str, None] = OrderedDict()

    async def async_load(self) -> None:
        """Load the stored listeners.

        Invalid parts are left out.
        """
        stored = await async_load_store(
            self._hass, EntryStore.LISTENERS, self._entry.entry_id, self._on_error
        )
        content = stored if isinstance(stored, dict) else {}
        self.owners.update(_read_all(content.get("owners"), _read_owner))
        self.spawns.update(_read_all(content.get("spawns"), _read_spawn))
        self.unfinished.update(_read_all(content.get("unfinished"), _read_message))
        delivered = content.get("delivered")
        if isinstance(delivered, list):
            ids = (run_id for run_id in delivered if isinstance(run_id, str))
            self.delivered.update(dict.fromkeys(ids, 1))
        self._bound()

    async def async_save(self) -> None:
        """Save everything, or keep it in memory."""
        self._bound()
        content = {
            "owners": {key: asdict(owner) for key, owner in self.owners.items()},
            "spawns": {
                run_id: {**asdict(spawn), "at": spawn.at.timestamp}
                for run_id, spawn in self.spawns.items()
            },
            "delivered": [*self.delivered],
            "unfinished": {key: asdict(one) for key, one in self.unfinished.items()},
        }
        await async_save_store(
            self._hass,
            EntryStore.LISTENERS,
            self._entry.entry_id,
            content,
            self._on_error,
        )

    @callback
    def async_asked(self, session_key: str, owner: Owner) -> None:
        """Set the owner of a session."""
        known = self.owners.get(session_key)
        self.owners[session_key] = owner
        self.owners.move_to_end(session_key)
        if known != owner:
            self._async_save_soon()

    @callback
    def async_answered(self, session_key: str, owner: Owner, result: RunResult) -> None:
        """Record an answer and started sub-agents."""
        reply = text_digest(result.text), time.monotonic()
        remember(self._replies, session_key, reply, MAX_SESSIONS)
        if result.completions:
            spawn = Spawn(session_key, owner, Moment.now())
            self.spawns.update(dict.fromkeys(result.completions, spawn))
            self._async_save_soon()

    @callback
    def claim(self, task_id: str) -> bool:
        """Claim a task's pictures for a chat.

        Return whether they were free.
        """
        if task_id in self.claimed:
            return False
        remember(self.claimed, task_id, None, MAX_DELIVERED)
        return True

    @callback
    def release(self, task_ids: Iterable[str]) -> None:
        """Release claimed tasks to the agent."""
        for task_id in task_ids:
            self.claimed.pop(task_id, None)

    def has_replied(self, session_key: str, text: str) -> bool:
        """Return whether a session just replied so."""
        digest, at = self._replies.get(session_key, ("", 0.0))
        return digest == text_digest(text) and time.monotonic() - at < MAX_TOLD_AGE

    @callback
    def _async_save_soon(self) -> None:
        """Save in the background."""
        if not self._changed:
            self._changed = True
            async_create_background_task(
                self._hass, self._entry, self._async_save_changes(), TASK_NAME
            )

    async def _async_save_changes(self) -> None:
        # Changes of this moment are stored together.
        await asyncio.sleep(0)
        self._changed = False
        await self.async_save()

    def _bound(self) -> None:
        """Drop the oldest and expired records."""
        for run_id, spawn in [*self.spawns.items()]:
            if spawn.at.age > MAX_SPAWN_AGE:
                del self.spawns[run_id]
        limits: tuple[tuple[OrderedDict[str, Any], int], ...] = (
            (self.owners, MAX_SESSIONS),
            (self.spawns, MAX_SPAWNS),
            (self.delivered, MAX_DELIVERED),
            (self.unfinished, MAX_UNFINISHED),
        )
        for kept, limit in limits:
            while len(kept) > limit:
                kept.popitem(last=False)


async def async_load_session_listeners(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> SessionListeners:
    """Load the listeners of an entry."""
    listeners = SessionListeners(hass, entry)
    entry.runtime_data.data[_LISTENERS] = listeners
    await listeners.async_load()
    return listeners


def get_listeners(entry: ClawdConfigEntry) -> SessionListeners:
    """Return the listeners of a loaded entry.

    Raises:
        NotConnectedError: it has been unloaded meanwhile.

    """
    return get_runtime(entry).data[_LISTENERS]


def text_digest(text: str) -> str:
    """Return a digest without formatting."""
    words = "".join(filter(str.isalnum, text))
    return sha256(words.encode()).hexdigest()


def _read_all[T](stored: object, read: Callable[[Any], T]) -> Mapping[str, T]:
    """Read the valid values of a mapping."""
    found: dict[str, T] = {}
    for key, value in stored.items() if isinstance(stored, dict) else ():
        try:
            found[key] = read(value)
        except KeyError, TypeError, ValueError:
            continue
    return found


def _read_owner(stored: Mapping[str, Any]) -> Owner:
    """Read an owner.

    Raises:
        TypeError: it was edited by hand.

    """
    ids, subentry_id = stored["listener"], stored.get("subentry_id")
    if not (
        isinstance(ids, dict)
        and isinstance(ids.get("language", ""), str)
        and all(isinstance(value, str | None) for value in (*ids.values(), subentry_id))
    ):
        raise TypeError
    return Owner(
        Listener(**ids),
        str(stored["agent"]),
        stored["shared"] is not False,
        subentry_id,
    )


def _read_spawn(stored: Mapping[str, Any]) -> Spawn:
    """Read a run of a sub-agent.

    Raises:
        TypeError: it was edited by hand.

    """
    if not isinstance(session_key := stored["session_key"], str):
        raise TypeError
    at = Moment.stored(float(stored["at"]))
    return Spawn(session_key, _read_owner(stored["owner"]), at)


def _read_message(stored: Mapping[str, Any]) -> Message:
    return Message(_read_owner(stored["owner"]), str(stored["text"]))
