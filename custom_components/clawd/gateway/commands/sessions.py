"""Sessions of agents."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from ..models import READ_SCOPE, WRITE_SCOPE
from .base import Commands, Method

if TYPE_CHECKING:
    from ..models import Payload

_WIRE_NAMES: Final = {"permission_mode": "permissionMode"}
# Sessions of a search; a Gateway keeps 500 of each agent (its default).
MAX_FOUND: Final = 500


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """Session of a Gateway.

    Attributes:
        session_id: of its history; changes with a new conversation.
        spawned_by: key of the parent session.
        chat_type: `direct`, `group`, `channel` or `thread`, if from a channel.
        permission_mode: `read-only`, `guarded`, `workspace` or `full`; None if the
            Gateway decides.

    """

    session_id: str | None
    spawned_by: str | None
    chat_type: str | None
    permission_mode: str | None

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Read a row of the session list."""
        session_id = payload.get("sessionId")
        parent = payload.get("spawnedBy") or payload.get("parentSessionKey")
        chat_type, mode = payload.get("chatType"), payload.get("permissionMode")
        return cls(
            session_id if isinstance(session_id, str) else None,
            parent if isinstance(parent, str) else None,
            chat_type if isinstance(chat_type, str) else None,
            mode if isinstance(mode, str) else None,
        )


@dataclass(frozen=True, slots=True)
class FoundSession:
    """Search result.

    Attributes:
        age: seconds since its last change, by the Gateway's clock.

    """

    key: str = field(repr=False)
    age: float


class SessionCommands(Commands):
    """Commands on sessions."""

    DELETE: Final = Method("sessions.delete", WRITE_SCOPE, optional=True)
    LIST: Final = Method("sessions.list", READ_SCOPE)
    DESCRIBE: Final = Method("sessions.describe", READ_SCOPE, optional=True)
    PATCH: Final = Method("sessions.patch", WRITE_SCOPE)

    async def describe(self, session_key: str) -> SessionInfo | None:
        """Return a session, if it exists.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        match await self._call(self.DESCRIBE, {"key": session_key}):
            case {"session": dict(session)}:
                return SessionInfo.from_payload(session)
        return None

    async def search(self, text: str) -> tuple[FoundSession, ...]:
        """Search for sessions by key (v4).

        Includes archived sessions.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        # An answer has either the archived sessions or the others.
        return await self._search(text) + await self._search(text, archived=True)

    async def _search(self, text: str, **more: bool) -> tuple[FoundSession, ...]:
        params: Payload = {"search": text, "limit": MAX_FOUND, **more}
        match await self._call(self.LIST, params):
            case {"sessions": list(rows), "ts": int(now)}:
                return tuple(
                    FoundSession(key, (now - changed) / 1000)
                    for key, changed in map(_key_and_change, rows)
                    if text in key
                )
        return ()

    async def spawned_by(self, session_key: str) -> tuple[str, ...]:
        """Return the keys of a session's sub-sessions.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        match await self._call(self.LIST, {"spawnedBy": session_key}):
            case {"sessions": list(rows)}:
                keys = (row.get("key") for row in rows if isinstance(row, dict))
                return tuple(key for key in keys if isinstance(key, str))
        return ()

    async def patch(self, session_key: str, **changes: str | None) -> str | None:
        """Change settings; return the resulting permission mode.

        Args:
            session_key: canonical.
            changes: `model`, `permission_mode`; None restores the agent's own.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        params = {_WIRE_NAMES.get(name, name): value for name, value in changes.items()}
        match await self._call(self.PATCH, {"key": session_key, **params}):
            case {"entry": {"permissionMode": str(mode)}}:
                return mode
        return None

    async def delete(self, session_key: str) -> bool:
        """Delete a session and its history (v4).

        Return whether it existed. The Gateway aborts its runs.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        session = await self.describe(session_key)
        if session is None or session.session_id is None:
            return False
        # Without the scope of an administrator, only archived sessions can be deleted.
        expected = {"archived": True, "expectedSessionId": session.session_id}
        await self._call(self.PATCH, {"key": session_key, **expected})
        options = {"archivedOnly": True, "deleteTranscript": True}
        await self._call(self.DELETE, {"key": session_key, **options})
        return True


def _key_and_change(row: object) -> tuple[str, int]:
    """Return key and last change of a row.

    The change is in milliseconds since 1970.
    """
    match row:
        case {"key": str(key), "updatedAt": int(changed)}:
            return key, changed
    return "", 0
