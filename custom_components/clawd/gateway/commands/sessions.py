"""Sessions of agents."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from ..models import READ_SCOPE, WRITE_SCOPE
from .base import Commands, Method

if TYPE_CHECKING:
    from ..models import Payload


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """Session of a Gateway.

    Attributes:
        session_id: of its history; changes with a new conversation.
        spawned_by: key of the session whose agent started this one.
        chat_type: `direct`, `group`, `channel` or `thread`, if from a channel.

    """

    session_id: str | None
    spawned_by: str | None
    chat_type: str | None

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Read a row of the session list."""
        session_id = payload.get("sessionId")
        parent = payload.get("spawnedBy") or payload.get("parentSessionKey")
        chat_type = payload.get("chatType")
        return cls(
            session_id if isinstance(session_id, str) else None,
            parent if isinstance(parent, str) else None,
            chat_type if isinstance(chat_type, str) else None,
        )


class SessionCommands(Commands):
    """Commands on sessions."""

    DELETE: Final = Method("sessions.delete", WRITE_SCOPE, optional=True)
    DESCRIBE: Final = Method("sessions.describe", READ_SCOPE, optional=True)
    PATCH: Final = Method("sessions.patch", WRITE_SCOPE)

    async def describe(self, session_key: str) -> SessionInfo | None:
        """Return a session; None if the Gateway does not know it.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        match await self._call(self.DESCRIBE, {"key": session_key}):
            case {"session": dict(session)}:
                return SessionInfo.from_payload(session)
        return None

    async def patch(self, session_key: str, *, model: str | None) -> None:
        """Set the model of a session; None restores the agent's own.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        await self._call(self.PATCH, {"key": session_key, "model": model})

    async def delete(self, session_key: str) -> bool:
        """Delete a session and its history (v4); return whether it existed.

        Raises:
            GatewayError: the Gateway did not answer, or refused: a run is active.

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
