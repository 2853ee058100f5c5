"""Pairing and scopes of this device."""

from typing import TYPE_CHECKING, Final

from ..exceptions import InvalidFrameError, RequestFailedError
from ..models import PAIRING_SCOPE, READ_SCOPE, DeviceToken
from .base import Commands, Method

if TYPE_CHECKING:
    from collections.abc import Iterable

# Seconds. A request lasts 300 s; asking again lengthens it, under the same id.
UPGRADE_TIMEOUT: Final = 240.0


class DeviceCommands(Commands):
    """Commands on this device's own pairing (v4)."""

    REQUEST_UPGRADE: Final = Method(
        "device.scopes.requestUpgrade", READ_SCOPE, optional=True
    )
    REMOVE: Final = Method("device.pair.remove", PAIRING_SCOPE, optional=True)
    WAIT_UPGRADE: Final = Method("device.scopes.waitUpgrade", READ_SCOPE, optional=True)

    async def request_upgrade(self, scopes: Iterable[str]) -> str:
        """Request more scopes; return the request's id.

        Raises:
            GatewayError: the Gateway did not answer, or not with an id.

        """
        match await self._call(self.REQUEST_UPGRADE, {"scopes": list(scopes)}):
            case {"requestId": str(request_id)}:
                return request_id
        raise InvalidFrameError(f"the response to {self.REQUEST_UPGRADE} has no id")

    async def wait_upgrade(self, request_id: str) -> DeviceToken | None:
        """Wait for the decision about a request.

        Return the new device token, or None if the request is refused. The approval
        revokes the old token.

        Raises:
            RequestTimeoutError: it is not decided yet.
            GatewayError: the Gateway did not answer, or does not know the request.

        """
        params = {"requestId": request_id}
        match await self._call(self.WAIT_UPGRADE, params, UPGRADE_TIMEOUT):
            case {
                "status": "approved",
                "deviceToken": str(token),
                "scopes": list(scopes),
            }:
                return DeviceToken(token, tuple(map(str, scopes)))
            case {"status": "expired"}:
                raise RequestFailedError("the request has expired", code="EXPIRED")
        return None

    async def remove(self, device_id: str) -> None:
        """Remove a device and its pairing.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        await self._call(self.REMOVE, {"deviceId": device_id})
