"""Sessions of other channels, cron and sub-agents."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ..const import TASK_SESSION_PREFIX
from ..gateway import GatewayError, SessionInfo
from ..util.bounded import remember

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .origin import CallOrigin, OriginRegistry

# Kinds of sessions to name to the user; other parts of a key are personal, such as
# telephone numbers or chosen names.
KINDS: Final = frozenset(
    {
        *("main", "cron", "subagent", "hook", "webchat", "whatsapp", "telegram"),
        *("discord", "slack", "signal", "imessage", "matrix", "msteams", "line"),
        *("googlechat", "mattermost", "irc", "nostr", "zalo", "sms", "email"),
    }
)
SUBAGENT: Final = "subagent"
GROUP_PARTS: Final = frozenset({"group", "channel", "room", "thread", "topic"})
# A sub-agent may start others.
MAX_PARENTS: Final = 3
MAX_SESSIONS: Final = 256
# Seconds to cache the kind of a session.
MAX_AGE: Final = 60.0


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Parts of a canonical session key.

    Attributes:
        kind: channel or other origin of the session; `other` if that is personal.
        group: more than one person writes in it.
        task: this Home Assistant, or another, made it for one task.

    """

    agent: str
    kind: str
    group: bool
    task: bool


def parse_session_key(key: str | None) -> SessionKey | None:
    """Parse a session key.

    None if it names no agent.
    """
    match key.lower().split(":") if key else []:
        case ["agent", str(agent), str(kind), *rest] if agent and kind:
            return SessionKey(
                agent,
                kind if kind in KINDS else "other",
                bool(GROUP_PARTS & {kind, *rest}),
                kind.startswith(TASK_SESSION_PREFIX),
            )
    return None


class SessionLookup:
    """Cached session lookups."""

    def __init__(
        self,
        describe: Callable[[str], Awaitable[SessionInfo | None]],
        origins: OriginRegistry,
        clock: Callable[[], float],
    ) -> None:
        """Ask the Gateway with `describe`."""
        self._describe = describe
        self._origins = origins
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, SessionInfo | None]] = OrderedDict()
        self._adopted: OrderedDict[str, CallOrigin] = OrderedDict()

    async def async_origin_of_parent(self, key: str) -> CallOrigin | None:
        """Return the origin of a sub-agent's parent.

        None if the run is not ours. It stays the same for the sub-agent, whoever asks
        in the parent's session next.
        """
        if key in self._adopted:
            return self._adopted[key]
        parent = key
        for _ in range(MAX_PARENTS):
            parsed = parse_session_key(parent)
            if parsed is None or parsed.kind != SUBAGENT:
                return None
            info = await self._async_info(parent)
            if info is None or info.spawned_by is None:
                return None
            parent = info.spawned_by
            if origin := self._origins.latest(parent):
                origin = replace(origin, by_person=False)
                remember(self._adopted, key, origin, MAX_SESSIONS)
                return origin
        return None

    async def async_is_of_task(self, key: str) -> bool:
        """Return whether a session belongs to a task.

        Or was started from such a session. False if the Gateway does not say.
        """
        parent: str | None = key
        for _ in range(MAX_PARENTS + 1):
            if parent is None or (parsed := parse_session_key(parent)) is None:
                return False
            if parsed.task:
                return True
            info = await self._async_info(parent)
            parent = info.spawned_by if info else None
        return False

    async def async_is_group(self, key: str) -> bool:
        """Return whether a session has several users.

        Its own users, or those of its parent. True if the Gateway does not say: access
        is refused then.
        """
        for _ in range(MAX_PARENTS + 1):
            parsed, info = parse_session_key(key), await self._async_info(key)
            if parsed is None or parsed.group or info is None:
                return True
            if info.chat_type not in (None, "direct"):
                return True
            if info.spawned_by is None:
                # Only the parent of a sub-agent knows the users.
                return parsed.kind == SUBAGENT
            key = info.spawned_by
        return True

    async def _async_info(self, key: str) -> SessionInfo | None:
        at, info = self._known.get(key, (0.0, None))
        if info is not None and self._clock() - at <= MAX_AGE:
            return info
        try:
            info = await self._describe(key)
        except GatewayError:
            return None
        remember(self._known, key, (self._clock(), info), MAX_SESSIONS)
        return info
