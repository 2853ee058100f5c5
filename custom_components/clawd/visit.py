"""The first visit to a Gateway: find it, see who it is, be let in."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self

from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PATH,
    CONF_PORT,
    CONF_SSL,
    CONF_TOKEN,
)
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.exceptions import ConfigEntryError
from homeassistant.util.ssl import get_default_no_verify_context

from .address import Candidate
from .connection import async_get_credentials, async_get_endpoint
from .const import CONF_ALLOW_INSECURE, CONF_CA_CERTIFICATE, CONF_FINGERPRINT
from .errors import pairing_request
from .gateway import (
    CertificateError,
    Credentials,
    DeviceToken,
    Endpoint,
    GatewayClient,
    GatewayError,
    InsecureTransportError,
    InvalidTokenError,
    PairingRequiredError,
    Survey,
    Timing,
    look,
)
from .storage import NEW_ENTRY, DeviceTokenStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from .address import Address

APPROVAL_POLL_INTERVAL: Final = 3.0
# A request expires after 300 s; one that goes earlier was refused.
REQUEST_LIFETIME: Final = 285.0
LOOK_TIMING: Final = Timing(connect=8)

# How little an error tells of an address where there may be something.
_SILENCE: Final = ("TLS", "REFUSED", "UNREACHABLE")


@dataclass(slots=True)
class Visit:
    """What is known of a Gateway that is to be set up, and what is wrong.

    Attributes:
        candidates: where it may listen.
        data: of the config entry to be, as far as it is known.
        options: the same.
        entry_id: of the entry that is to be changed.
        bootstrap_token: from a setup link, for want of another secret.
        presented: the fingerprint of a certificate that nothing vouches for.
        refused: whether somebody turned the request for approval down.
        survey: what the Gateway said, once it has let us in.

    """

    hass: HomeAssistant
    candidates: tuple[Candidate, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    entry_id: str = NEW_ENTRY
    bootstrap_token: str | None = None
    error: GatewayError | None = None
    presented: str | None = None
    refused: bool = False
    survey: Survey = field(init=False)
    _device_token: DeviceToken | None = None

    @classmethod
    def of_entry(cls, hass: HomeAssistant, entry: ConfigEntry) -> Self:
        """Return the visit to a Gateway that has an entry."""
        data = dict(entry.data)
        places = (place_of(data),)
        return cls(hass, places, data, {**entry.options}, entry.entry_id)

    @property
    def entry_data(self) -> dict[str, Any]:
        """Return the data without what such a connection has no use for."""
        unused = () if self.data[CONF_SSL] else (CONF_FINGERPRINT, CONF_CA_CERTIFICATE)
        return {key: self.data[key] for key in self.data if key not in unused}

    @property
    def place(self) -> Candidate:
        """Return where it was looked for last."""
        return place_of(self.data)

    def take_address(self, address: Address) -> None:
        """Go by an address from now on, and by what lets in that comes with it."""
        self.candidates = address.candidates
        if address.fingerprint:
            self.data[CONF_FINGERPRINT] = address.fingerprint
        if address.token or address.bootstrap_token:
            self.data.pop(CONF_TOKEN, None)
            self.data.pop(CONF_PASSWORD, None)
        self.bootstrap_token = address.bootstrap_token
        self.take_secret(address.token or "")

    def take_secret(self, entered: str) -> None:
        """Show a token or password from now on, unless it is empty."""
        if secret := entered.strip():
            self.data.pop(CONF_PASSWORD, None)
            self.data[CONF_TOKEN] = secret
            self.bootstrap_token = None

    def take_authority(self, certificate: str | None) -> None:
        """Trust what a CA has signed, or what everybody trusts.

        A new CA takes the place of the fingerprint that was trusted before.
        """
        known = self.data.pop(CONF_CA_CERTIFICATE, None)
        if certificate:
            self.data[CONF_CA_CERTIFICATE] = certificate
            if certificate != known:
                self.data.pop(CONF_FINGERPRINT, None)

    async def async_find(self) -> None:
        """Look for the Gateway at each place, until one is it or needs a decision.

        Nobody is told anything. The error that is left is the one that tells most.

        Raises:
            ssl.SSLError: the CA certificate cannot be read.

        """
        seen: list[tuple[GatewayError, Candidate]] = []
        for place in self.candidates:
            self._go_to(place)
            self.error = await self._async_look()
            if self.error is None or _needs_decision(self.error):
                return
            seen.append((self.error, place))
        self.error, place = max(seen, key=_telling)
        self._go_to(place)

    async def async_trust_certificate(self) -> None:
        """Trust the certificate that was shown, by its fingerprint if need be."""
        shown = self.presented
        self.data.pop(CONF_FINGERPRINT, None)
        await self.async_find()
        if isinstance(self.error, CertificateError) and self.presented == shown:
            self.data[CONF_FINGERPRINT] = shown
            self.error = None

    async def async_allow_insecure(self) -> None:
        """Look again, though others can listen."""
        self.options[CONF_ALLOW_INSECURE] = True
        await self.async_find()

    async def async_log_in(self) -> None:
        """Connect once, by whichever kind of secret the Gateway wants."""
        await self._async_connect()
        if not isinstance(self.error, InvalidTokenError):
            return
        wanted, other = CONF_TOKEN, CONF_PASSWORD
        if self.error.wants_password:
            wanted, other = other, wanted
        if other in self.data:
            self.data[wanted] = self.data.pop(other)
            await self._async_connect()

    async def async_wait_for_approval(self) -> None:
        """Ask again until the answer changes."""
        asked, since = pairing_request(self.error), self.hass.loop.time()
        while (
            isinstance(self.error, PairingRequiredError)
            and pairing_request(self.error) == asked
        ):
            await asyncio.sleep(APPROVAL_POLL_INTERVAL)
            await self._async_connect()
        self.refused = self.hass.loop.time() - since < REQUEST_LIFETIME

    async def async_hand_over(self) -> None:
        """Keep what a setup link has led to, as nothing else opens the Gateway."""
        if self.bootstrap_token:
            endpoint = await async_get_endpoint(self.hass, self.data, self.options)
            await self._tokens(endpoint).async_save(self._device_token)

    def _tokens(self, endpoint: Endpoint) -> DeviceTokenStore:
        return DeviceTokenStore(self.hass, self.entry_id, endpoint.origin)

    def _go_to(self, place: Candidate) -> None:
        self.data |= {CONF_HOST: place.host, CONF_PORT: place.port}
        self.data |= {CONF_SSL: place.ssl, CONF_PATH: place.path}

    async def _async_look(self) -> GatewayError | None:
        endpoint = await async_get_endpoint(self.hass, self.data, self.options)
        try:
            await look(endpoint, LOOK_TIMING)
        except CertificateError as err:
            return await self._async_see_certificate(endpoint) or err
        except GatewayError as err:
            return err
        return None

    async def _async_see_certificate(self, endpoint: Endpoint) -> GatewayError | None:
        """Keep the fingerprint of a certificate that is not trusted."""
        any_certificate = get_default_no_verify_context()
        try:
            peer = await look(
                replace(endpoint, ssl=any_certificate, fingerprint=None), LOOK_TIMING
            )
        except GatewayError as err:
            return err
        self.presented = peer.fingerprint
        return None

    async def _async_connect(self) -> None:
        endpoint = await async_get_endpoint(self.hass, self.data, self.options)
        credentials = await self._async_get_credentials(endpoint)
        try:
            self.survey = await GatewayClient(endpoint, credentials).probe()
        except GatewayError as err:
            self.error = err
        else:
            self.error = None
            self._device_token = credentials.device_token

    async def _async_get_credentials(self, endpoint: Endpoint) -> Credentials:
        try:
            credentials = await async_get_credentials(self.hass, self.data)
        except ConfigEntryError as err:
            raise AbortFlow("identity_unreadable") from err
        credentials.bootstrap_token = self.bootstrap_token
        if not credentials.auth:
            credentials.device_token = await self._tokens(endpoint).async_load()
        return credentials


def place_of(data: Mapping[str, Any]) -> Candidate:
    """Return where the data of an entry say that a Gateway listens."""
    return Candidate(
        data[CONF_HOST], data[CONF_PORT], data[CONF_SSL], data.get(CONF_PATH, "")
    )


def _needs_decision(error: GatewayError) -> bool:
    return isinstance(error, CertificateError | InsecureTransportError)


def _telling(seen: tuple[GatewayError, Candidate]) -> int:
    """Return how much an error tells; the first of equals is taken."""
    code = seen[0].code
    return -_SILENCE.index(code) if code in _SILENCE else 1
