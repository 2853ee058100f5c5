"""Client factory of a config entry."""

from functools import partial
import re
import ssl
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PATH,
    CONF_PORT,
    CONF_SSL,
    CONF_TOKEN,
)
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.ssl import get_default_context, get_default_no_verify_context

from .const import (
    CONF_ALLOW_INSECURE,
    CONF_CA_CERTIFICATE,
    CONF_FINGERPRINT,
    CONF_HEADERS,
    CONF_KEEP_RUN,
    CONF_TRACE_LENGTH,
    DEFAULT_KEEP_RUN,
    DEFAULT_TRACE_LENGTH,
    DOMAIN,
    MAX_KEEP_RUN,
    MAX_TRACE_LENGTH,
    VERSION,
)
from .gateway import (
    ClientHistory,
    ClientInfo,
    Credentials,
    Endpoint,
    GatewayClient,
    Timing,
    valid_headers,
)
from .storage import DeviceTokenStore, async_get_identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homeassistant.core import HomeAssistant

CLIENTS: Final[WeakSet[GatewayClient]] = WeakSet()
# Evidence of each entry, which a reload would lose.
HISTORIES: Final[HassKey[dict[str, ClientHistory]]] = HassKey(f"{DOMAIN}_histories")

_CERTIFICATE: Final = re.compile(
    "-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----"
)


def new_client(
    endpoint: Endpoint,
    credentials: Credentials,
    options: Mapping[str, Any],
    history: ClientHistory,
) -> GatewayClient:
    """Return a client; the self-test expects it to end with its entry."""
    keep_run = _number(options, CONF_KEEP_RUN, DEFAULT_KEEP_RUN, MAX_KEEP_RUN)
    trace_length = _number(
        options, CONF_TRACE_LENGTH, DEFAULT_TRACE_LENGTH, MAX_TRACE_LENGTH
    )
    client = GatewayClient(
        endpoint,
        credentials,
        timing=Timing(recovery_timeout=keep_run),
        trace_length=trace_length,
        history=history,
    )
    CLIENTS.add(client)
    return client


def get_history(hass: HomeAssistant, entry_id: str) -> ClientHistory:
    """Return the evidence of an entry, which outlives its client."""
    histories = hass.data.setdefault(HISTORIES, {})
    return histories.setdefault(entry_id, ClientHistory())


def remove_history(hass: HomeAssistant, entry_id: str) -> None:
    """Delete the evidence of an entry."""
    hass.data.get(HISTORIES, {}).pop(entry_id, None)


def _number(options: Mapping[str, Any], key: str, default: int, maximum: int) -> int:
    """Return an option; the default if it was edited by hand to what is none."""
    value = options.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return int(value) if 0 <= value <= maximum else default


def certificates_in(text: str) -> str:
    """Return the certificates of a PEM text."""
    # `ssl` demands ASCII. A pasted bundle may hold a private key: it is dropped.
    found = _CERTIFICATE.findall(text.encode("ascii", "replace").decode())
    return "".join(f"{certificate}\n" for certificate in found)


async def async_get_endpoint(
    hass: HomeAssistant, data: Mapping[str, Any], options: Mapping[str, Any]
) -> Endpoint:
    """Return the endpoint of a config entry or flow.

    Raises:
        ssl.SSLError: the CA certificate cannot be read.

    """
    return Endpoint(
        data[CONF_HOST],
        data[CONF_PORT],
        await _async_get_context(hass, data) if data[CONF_SSL] else None,
        fingerprint=data.get(CONF_FINGERPRINT) if data[CONF_SSL] else None,
        allow_insecure=options.get(CONF_ALLOW_INSECURE) is True,
        headers=valid_headers(options.get(CONF_HEADERS)),
        path=data.get(CONF_PATH, ""),
    )


async def async_get_credentials(
    hass: HomeAssistant,
    data: Mapping[str, Any],
    tokens: DeviceTokenStore | None = None,
) -> Credentials:
    """Return the credentials of a config entry or flow.

    Raises:
        ConfigEntryError: the device key cannot be read.

    """
    return Credentials(
        await async_get_identity(hass, *([tokens.on_error] if tokens else [])),
        ClientInfo(VERSION),
        data.get(CONF_TOKEN),
        await tokens.async_load() if tokens else None,
        tokens.async_save if tokens else None,
        data.get(CONF_PASSWORD),
    )


async def _async_get_context(
    hass: HomeAssistant, data: Mapping[str, Any]
) -> ssl.SSLContext:
    if CONF_FINGERPRINT in data:
        return get_default_no_verify_context()
    if pem := data.get(CONF_CA_CERTIFICATE):
        return await hass.async_add_executor_job(
            partial(ssl.create_default_context, cadata=pem)
        )
    return get_default_context()
