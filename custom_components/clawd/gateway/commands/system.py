"""Health and identity of the Gateway."""

from typing import Final

from ..exceptions import InvalidFrameError
from ..models import READ_SCOPE, WRITE_SCOPE
from .base import Commands, Method


class SystemCommands(Commands):
    """Commands on the Gateway itself."""

    HEALTH: Final = Method("health", READ_SCOPE)
    IDENTITY: Final = Method("gateway.identity.get", READ_SCOPE, optional=True)
    WAKE: Final = Method("wake", WRITE_SCOPE)

    async def health(self, timeout: float | None = None) -> None:
        """Check that the Gateway responds.

        Raises:
            GatewayError: there was none.

        """
        await self._call(self.HEALTH, timeout=timeout)

    async def device_id(self) -> str:
        """Return the Gateway's device id (v4).

        Raises:
            GatewayError: the Gateway did not answer, or not with an id.

        """
        match await self._call(self.IDENTITY):
            case {"deviceId": str(device_id)}:
                return device_id
        raise InvalidFrameError("the response to gateway.identity.get has no id")

    async def wake(
        self,
        text: str,
        *,
        now: bool = True,
        session_key: str | None = None,
        agent: str | None = None,
    ) -> None:
        """Queue an event for a session, or the main one of an agent (v4).

        Handled now, or at the next heartbeat.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        params = {"mode": "now" if now else "next-heartbeat", "text": text}
        if session_key:
            params["sessionKey"] = session_key
        if agent:
            params["agentId"] = agent
        await self._call(self.WAKE, params)
