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
        spawned_by: key of the session whose agent started this one.
        chat_type: `direct`, `group`, `channel` or `thread`, if from a channel.

    """

    spawned_by: str | None
    chat_type: str | None

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Read a row of the session list."""
        parent = payload.get("spawnedBy") or payload.get("parentSessionKey")
        chat_type = payload.get("chatType")
        return cls(
            parent if isinstance(parent, str) else None,
            chat_type if isinstance(chat_type, str) else None,
        )


class SessionCommands(Commands):
    """Commands on sessions."""

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
