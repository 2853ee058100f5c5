"""Attempt to set up a Gateway: probe, login and approval."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self

from homeassistant.const import CONF_PASSWORD, CONF_SSL, CONF_TOKEN
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.exceptions import ConfigEntryError

from ..client_factory import async_get_credentials, async_get_endpoint
from ..const import (
    CONF_ALLOW_INSECURE,
    CONF_CA_CERTIFICATE,
    CONF_FINGERPRINT,
    CONF_HEADERS,
    LOGGER,
)
from ..error_mapping import pairing_request
from ..gateway import (
    CertificateError,
    Credentials,
    Endpoint,
    GatewayClient,
    GatewayError,
    GatewayInfo,
    InvalidTokenError,
    PairingRequiredError,
    valid_headers,
)
from ..storage import NEW_ENTRY, DeviceTokenStore
from .address import Candidate
from .probe import ProbeResult, async_probe_candidates

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from .address import ParsedAddress

APPROVAL_POLL_INTERVAL: Final = 3.0
# OpenClaw and Clawdbot drop a pairing request after 300 s; one that disappears
# earlier was refused. The 15 s less are for what passes before the wait begins.
PAIRING_REQUEST_LIFETIME: Final = 285.0


@dataclass(frozen=True, slots=True)
class LoginResult:
    """Result of a login.

    Either `info` or `error`.

    Attributes:
        refused: the pairing request was refused.

    """

    info: GatewayInfo | None = None
    error: GatewayError | None = None
    refused: bool = False


@dataclass(slots=True)
class GatewaySetup:
    """Setup of a Gateway in progress.

    Attributes:
        candidates: in the order in which to probe them.
        data: entry data so far.
        options: entry options so far.
        entry_id: of the entry that is changed.
        bootstrap_token: from a setup link, in place of another secret.

    """

    hass: HomeAssistant
    candidates: tuple[Candidate, ...] = ()
    data: dict[str, Any] = field(default_factory=dict, repr=False)
    options: dict[str, Any] = field(default_factory=dict)
    entry_id: str = NEW_ENTRY
    bootstrap_token: str | None = field(default=None, repr=False)

    @classmethod
    def from_entry(cls, hass: HomeAssistant, entry: ConfigEntry) -> Self:
        """Return an attempt with an entry's settings."""
        candidates = (Candidate.from_entry_data(entry.data),)
        return cls(hass, candidates, {**entry.data}, {**entry.options}, entry.entry_id)

    @property
    def entry_data(self) -> dict[str, Any]:
        """Return the entry data."""
        # Without TLS, there is no certificate to trust.
        unused = () if self.data[CONF_SSL] else (CONF_FINGERPRINT, CONF_CA_CERTIFICATE)
        return {key: self.data[key] for key in self.data if key not in unused}

    def use_address(self, address: ParsedAddress) -> None:
        """Use an address with its credentials.

        Its fingerprint, too.
        """
        self.candidates = address.candidates
        if address.fingerprint:
            self.data[CONF_FINGERPRINT] = address.fingerprint
        if address.token or address.bootstrap_token:
            self.data.pop(CONF_TOKEN, None)
            self.data.pop(CONF_PASSWORD, None)
        self.bootstrap_token = address.bootstrap_token
        self.set_secret(address.token or "")

    def set_secret(self, text: str) -> None:
        """Set a token or password, if given."""
        if secret := text:
            self.data.pop(CONF_PASSWORD, None)
            # Stored as a token until a login shows that it is a password.
            self.data[CONF_TOKEN] = secret
            self.bootstrap_token = None

    @property
    def headers(self) -> dict[str, str]:
        """Return the additional headers."""
        return valid_headers(self.options.get(CONF_HEADERS))

    def set_headers(self, candidate: Candidate, headers: dict[str, str]) -> None:
        """Set the additional headers of a candidate."""
        self.candidates = (candidate,)
        self.options[CONF_HEADERS] = headers

    def set_ca_certificate(self, certificate: str | None) -> None:
        """Set or remove the CA certificate."""
        known = self.data.pop(CONF_CA_CERTIFICATE, None)
        if certificate:
            self.data[CONF_CA_CERTIFICATE] = certificate
            # The user trusts a new CA instead of the certificate confirmed before.
            if certificate != known:
                self.data.pop(CONF_FINGERPRINT, None)

    async def async_probe_candidates(self) -> ProbeResult:
        """Probe the candidates and choose one.

        The first conclusive one is used. No credentials of the Gateway are sent. If all
        fail, the most informative one is used.

        Raises:
            ssl.SSLError: the CA certificate cannot be read.

        """
        endpoints = {
            candidate: await async_get_endpoint(
                self.hass, {**self.data, **candidate.entry_data}, self.options
            )
            for candidate in self.candidates
        }
        result = await async_probe_candidates(endpoints)
        self.data |= result.candidate.entry_data
        return result

    async def async_trust_certificate(self, confirmed: ProbeResult) -> ProbeResult:
        """Trust a confirmed certificate and probe again."""
        # Probed without any fingerprint: where the certificate verifies by now, none
        # is stored; where it changed meanwhile, the user has not seen the new one.
        self.data.pop(CONF_FINGERPRINT, None)
        result = await self.async_probe_candidates()
        if (
            isinstance(result.error, CertificateError)
            and result.fingerprint == confirmed.fingerprint
        ):
            self.data[CONF_FINGERPRINT] = result.fingerprint
            return ProbeResult(result.candidate)
        return result

    async def async_allow_insecure(self) -> ProbeResult:
        """Allow insecure addresses and probe again."""
        self.options[CONF_ALLOW_INSECURE] = True
        return await self.async_probe_candidates()

    async def async_log_in(self) -> LoginResult:
        """Connect once, with token or password."""
        result = await self._async_connect()
        if not isinstance(result.error, InvalidTokenError):
            return result
        # v4 also accepts its password as a token, v3 only under the key of its own:
        # {"auth": {"password": "…"}}.
        wanted, other = CONF_TOKEN, CONF_PASSWORD
        if result.error.wants_password:
            wanted, other = other, wanted
        if other not in self.data:
            return result
        self.data[wanted] = self.data.pop(other)
        return await self._async_connect()

    async def async_wait_for_approval(self, pending: LoginResult) -> LoginResult:
        """Poll until the pairing request is gone."""
        result, request_id = pending, pairing_request(pending.error)
        started = self.hass.loop.time()
        while (
            isinstance(result.error, PairingRequiredError)
            and pairing_request(result.error) == request_id
        ):
            await asyncio.sleep(APPROVAL_POLL_INTERVAL)
            result = await self._async_connect()
        # A refused request and an expired one look the same: the next attempt to
        # connect opened another. Only the time tells them apart.
        expired = self.hass.loop.time() - started >= PAIRING_REQUEST_LIFETIME
        still_pending = isinstance(result.error, PairingRequiredError)
        return replace(result, refused=still_pending and not expired)

    async def async_store_device_token(self, info: GatewayInfo) -> None:
        """Store the device token from a setup link."""
        # The bootstrap token was used up by this login, and the entry has no other
        # secret. Every other device token is issued again at the next connect.
        if self.bootstrap_token:
            endpoint = await async_get_endpoint(self.hass, self.data, self.options)
            store = self._token_store(endpoint)
            await store.async_try_to_save(info.hello.device_token)

    def _token_store(self, endpoint: Endpoint) -> DeviceTokenStore:
        return DeviceTokenStore(self.hass, self.entry_id, endpoint.origin)

    async def _async_connect(self) -> LoginResult:
        endpoint = await async_get_endpoint(self.hass, self.data, self.options)
        credentials = await self._async_get_credentials(endpoint)
        try:
            info = await GatewayClient(endpoint, credentials).fetch_info()
        except GatewayError as err:
            LOGGER.debug("Login to the Gateway failed: %s", err.code)
            return LoginResult(error=err)
        return LoginResult(info)

    async def _async_get_credentials(self, endpoint: Endpoint) -> Credentials:
        try:
            credentials = await async_get_credentials(self.hass, self.data)
        except ConfigEntryError as err:
            raise AbortFlow("identity_unreadable") from err
        credentials.bootstrap_token = self.bootstrap_token
        if not credentials.auth:
            credentials.device_token = await self._token_store(endpoint).async_load()
        return credentials
