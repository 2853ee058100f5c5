"""Credentials of a client."""

from dataclasses import dataclass, field
import logging
from typing import TYPE_CHECKING, Final

from .exceptions import InvalidTokenError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .exceptions import GatewayError
    from .identity import DeviceIdentity
    from .models import DeviceToken

TOKEN_MISMATCH: Final = "AUTH_TOKEN_MISMATCH"  # noqa: S105 - a code

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Free text about this client, which the Gateway shows."""

    version: str
    display_name: str = "Home Assistant"
    platform: str = "linux"


@dataclass(slots=True)
class Credentials:
    """Device identity, tokens and password.

    The Gateway issues a token of its own to each device. It is sent where there is
    no other secret, or once instead of a refused one.

    Attributes:
        token: of the Gateway, from its owner.
        device_token: issued by this Gateway to this device.
        save: stores a new device token; None deletes the old one.
        password: of the Gateway, where it uses one instead of a token.
        bootstrap_token: from a setup link, until there is a device token.

    """

    identity: DeviceIdentity
    info: ClientInfo
    token: str | None = field(default=None, repr=False)
    device_token: DeviceToken | None = field(default=None, repr=False)
    save: Callable[[DeviceToken | None], Awaitable[None]] | None = None
    password: str | None = field(default=None, repr=False)
    bootstrap_token: str | None = field(default=None, repr=False)
    _fallen_back: bool = field(default=False, init=False)

    @property
    def auth(self) -> dict[str, str]:
        """Return the `auth` object of the next `connect`."""
        if self.device_token and self._uses_device_token:
            return {"token": self.device_token.token}
        if self.bootstrap_token:
            return {"bootstrapToken": self.bootstrap_token}
        if self.password:
            return {"password": self.password}
        return {"token": self.token} if self.token else {}

    async def accept(self, device_token: DeviceToken | None) -> None:
        """Store the device token of a hello."""
        if device_token is None:
            return
        self.bootstrap_token = None
        if device_token == self.device_token:
            return
        self.device_token = device_token
        _LOGGER.debug("Storing a new device token")
        if self.save:
            await self.save(device_token)

    async def fall_back(self, error: GatewayError, *, trusted: bool) -> bool:
        """Switch to another token after a refusal; return whether there is one.

        `trusted` says that the peer is known. A refused device token is deleted.
        """
        if not isinstance(error, InvalidTokenError) or self.device_token is None:
            return False
        if not self._uses_device_token:
            # Once only: a wrong token that is sent again locks the device out.
            self._fallen_back = trusted and error.code == TOKEN_MISMATCH
            return self._fallen_back
        self._fallen_back = False
        self.device_token = None
        if self.save:
            await self.save(None)
        return False

    @property
    def _uses_device_token(self) -> bool:
        given = self.token or self.password or self.bootstrap_token
        return self._fallen_back or not given
