"""Sessions of agents."""

from typing import Final

from ..models import WRITE_SCOPE
from .base import Commands, Method


class SessionCommands(Commands):
    """Commands on sessions."""

    PATCH: Final = Method("sessions.patch", WRITE_SCOPE)

    async def patch(self, session_key: str, *, model: str | None) -> None:
        """Set the model of a session; None restores the agent's own.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        await self._call(self.PATCH, {"key": session_key, "model": model})
