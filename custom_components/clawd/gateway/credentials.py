"""What a client shows to be let in."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .exceptions import InvalidTokenError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .exceptions import GatewayError
    from .handshake import ClientInfo
    from .identity import DeviceIdentity
    from .models import DeviceToken

TOKEN_MISMATCH: Final = "AUTH_TOKEN_MISMATCH"  # noqa: S105 - a code


@dataclass(slots=True)
class Credentials:
    """The device, its token and the Gateway's, or its password.

    The Gateway gives each device a token of its own. It is shown where there is
    no other one, or once in the place of one that was refused.

    Attributes:
        token: of the Gateway, from its owner.
        device_token: from this Gateway, for this device.
        save: keeps a new device token; None means to forget the old one.
        password: of the Gateway, where it wants one in the place of a token.
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
        """Return what is shown now, as `connect` says it."""
        if self.device_token and self._shows_own:
            return {"token": self.device_token.token}
        if self.bootstrap_token:
            return {"bootstrapToken": self.bootstrap_token}
        if self.password:
            return {"password": self.password}
        return {"token": self.token} if self.token else {}

    async def accept(self, device_token: DeviceToken | None) -> None:
        """Keep the device token of a hello, before it is used."""
        if device_token is None:
            return
        self.bootstrap_token = None
        if device_token == self.device_token:
            return
        self.device_token = device_token
        if self.save:
            await self.save(device_token)

    async def fall_back(self, error: GatewayError, *, trusted: bool) -> bool:
        """Return whether there is another token to show after a refusal.

        `trusted` says that it is known who asks for it. A device token that is
        refused itself is forgotten.
        """
        if not isinstance(error, InvalidTokenError) or self.device_token is None:
            return False
        if not self._shows_own:
            self._fallen_back = trusted and error.code == TOKEN_MISMATCH
            return self._fallen_back
        self._fallen_back = False
        self.device_token = None
        if self.save:
            await self.save(None)
        return False

    @property
    def _shows_own(self) -> bool:
        given = self.token or self.password or self.bootstrap_token
        return self._fallen_back or not given
