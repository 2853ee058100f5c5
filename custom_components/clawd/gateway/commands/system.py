"""Health and identity of the Gateway."""

from typing import Final

from ..exceptions import InvalidFrameError
from ..models import READ_SCOPE
from .base import Commands, Method


class SystemCommands(Commands):
    """Commands on the Gateway itself."""

    HEALTH: Final = Method("health", READ_SCOPE)
    IDENTITY: Final = Method("gateway.identity.get", READ_SCOPE, optional=True)

    async def health(self, timeout: float | None = None) -> None:
        """Ask for a sign of life, in `timeout` seconds.

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
