"""Credentials of a client."""

from dataclasses import dataclass, field
from enum import StrEnum
import logging
from typing import TYPE_CHECKING, Final

from .exceptions import SCOPE_MISMATCH, InvalidTokenError, PairingRequiredError
from .tracebacks import error_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .exceptions import GatewayError
    from .identity import DeviceIdentity
    from .models import DeviceToken

TOKEN_MISMATCH: Final = "AUTH_TOKEN_MISMATCH"  # noqa: S105 - a code
# Characters; a shorter secret may be an ordinary word, which would be found anywhere.
MIN_SECRET_LENGTH: Final = 8

_LOGGER = logging.getLogger(__name__)


class Credential(StrEnum):
    """Kind of credential."""

    TOKEN = "token"  # noqa: S105 - a name
    DEVICE_TOKEN = "device_token"  # noqa: S105 - a name
    PASSWORD = "password"  # noqa: S105 - a name
    BOOTSTRAP_TOKEN = "bootstrap_token"  # noqa: S105 - a name
    NONE = "none"


_AUTH_FIELDS: Final = {
    Credential.TOKEN: "token",
    Credential.DEVICE_TOKEN: "token",
    Credential.PASSWORD: "password",
    Credential.BOOTSTRAP_TOKEN: "bootstrapToken",
}


class DeviceTokenUse(StrEnum):
    """Use of the device token after a refusal.

    Attributes:
        SHOWN: it was refused itself.
        TRIED_NEXT: it is shown in the next attempt.
        ABSENT: there is none.
        OTHER_REFUSAL: the refusal does not call for it.
        UNKNOWN_PEER: the peer may be another one than the issuer: the address is a
            name or another machine, and no certificate is pinned.

    """

    SHOWN = "shown"
    TRIED_NEXT = "tried_next"
    ABSENT = "absent"
    OTHER_REFUSAL = "other_refusal"
    UNKNOWN_PEER = "unknown_peer"


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Description of this client for the Gateway."""

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
        on_save_error: gets an exception of `save`.
        device_token_use: whether the device token was tried after the last refusal.
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
    on_save_error: Callable[[Exception], object] = field(
        default=lambda _: None, init=False, repr=False
    )
    device_token_use: DeviceTokenUse | None = field(default=None, init=False)
    _fallen_back: bool = field(default=False, init=False)
    _narrowed: bool = field(default=False, init=False)
    _optional_refused: bool = field(default=False, init=False)

    @property
    def shown(self) -> Credential:
        """Return the credential for the next `connect`."""
        return self._offer[0]

    @property
    def auth(self) -> dict[str, str]:
        """Return the `auth` object for `connect`."""
        kind, secret = self._offer
        return {_AUTH_FIELDS[kind]: secret} if secret else {}

    @property
    def has_gateway_secret(self) -> bool:
        """Return whether a shared secret is configured.

        The token or password of the Gateway.
        """
        return bool(self.token or self.password)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the secrets, for redaction."""
        own = self.device_token.token if self.device_token else None
        known = (
            self.token,
            self.password,
            self.bootstrap_token,
            self.identity.secret,
            own,
        )
        return tuple(
            secret for secret in known if secret and len(secret) >= MIN_SECRET_LENGTH
        )

    async def accept(self, device_token: DeviceToken | None) -> None:
        """Store the device token of a hello."""
        if device_token is None:
            return
        self.bootstrap_token = None
        if device_token == self.device_token:
            return
        known, self.device_token = self.device_token, device_token
        if known is None or not set(device_token.scopes) <= set(known.scopes):
            self._narrowed = self._optional_refused = False
        _LOGGER.debug("Storing a new device token")
        await self._save(device_token)

    async def fall_back(
        self, error: GatewayError, *, trusted: bool, optional: tuple[str, ...] = ()
    ) -> bool:
        """Switch to another token after a refusal.

        Return whether there is one. `trusted` says that the peer is known. A refused
        device token is deleted. Without `optional` scopes, the same token may do.
        """
        self.device_token_use = None
        if isinstance(error, PairingRequiredError) and self._granted(optional):
            # The Gateway's owner revoked only the optional scopes.
            self._optional_refused = True
            return True
        if error.code == SCOPE_MISMATCH:
            return self._narrow()
        if not isinstance(error, InvalidTokenError):
            return False
        self.device_token_use = use = self._use_after(error, trusted=trusted)
        self._fallen_back = use is DeviceTokenUse.TRIED_NEXT
        if use is DeviceTokenUse.SHOWN:
            self.device_token = None
            await self._save(None)
        return self._fallen_back

    def scopes(
        self, wanted: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """Return the scopes for the next `connect`.

        After a mismatch these are the device token's: v4 refuses more, and
        counts it as a failed authentication. `optional` ones are asked for if the
        device has them: with one more, the Gateway would refuse the connection.
        """
        own = self._own_scopes if self._narrowed else ()
        return own or (*wanted, *self._granted(optional))

    def _granted(self, optional: tuple[str, ...]) -> tuple[str, ...]:
        if self.device_token is None or self._optional_refused:
            return ()
        return tuple(scope for scope in optional if scope in self.device_token.scopes)

    @property
    def _own_scopes(self) -> tuple[str, ...]:
        uses_own = self.device_token and self._uses_device_token
        return self.device_token.scopes if self.device_token and uses_own else ()

    def _narrow(self) -> bool:
        """Ask for fewer scopes once; return whether there are any."""
        narrowed = not self._narrowed and bool(self._own_scopes)
        self._narrowed = self._narrowed or narrowed
        return narrowed

    def _use_after(self, error: GatewayError, *, trusted: bool) -> DeviceTokenUse:
        if self.device_token is None:
            return DeviceTokenUse.ABSENT
        # Once only: a wrong token that is sent again locks the device out.
        if self._uses_device_token:
            return DeviceTokenUse.SHOWN
        if error.code != TOKEN_MISMATCH:
            return DeviceTokenUse.OTHER_REFUSAL
        return DeviceTokenUse.TRIED_NEXT if trusted else DeviceTokenUse.UNKNOWN_PEER

    async def _save(self, device_token: DeviceToken | None) -> None:
        """Store the device token.

        Without a store it is kept in memory.
        """
        if self.save is None:
            return
        try:
            await self.save(device_token)
        except Exception as err:  # noqa: BLE001 - it must not cost the connection
            _LOGGER.debug("Device token not stored: %s", error_name(err))
            self.on_save_error(err)

    @property
    def _offer(self) -> tuple[Credential, str]:
        own = self.device_token.token if self.device_token else None
        offers = (
            (Credential.DEVICE_TOKEN, own if self._uses_device_token else None),
            (Credential.BOOTSTRAP_TOKEN, self.bootstrap_token),
            (Credential.PASSWORD, self.password),
            (Credential.TOKEN, self.token),
        )
        found = ((kind, secret) for kind, secret in offers if secret)
        return next(found, (Credential.NONE, ""))

    @property
    def _uses_device_token(self) -> bool:
        given = self.token or self.password or self.bootstrap_token
        return self._fallen_back or not given
