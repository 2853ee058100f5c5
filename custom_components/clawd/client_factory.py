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
    CONF_ASK_QUESTIONS,
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
    ANSWERING_PROFILE,
    NODE_PROFILE,
    OPERATOR_PROFILE,
    ClientHistory,
    ClientInfo,
    Credentials,
    Endpoint,
    GatewayClient,
    Timing,
    valid_headers,
)
from .storage import DeviceTokenStore, async_get_identity, async_get_node_identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homeassistant.core import HomeAssistant

    from .gateway import ConnectProfile, DeviceIdentity

CLIENTS: Final[WeakSet[GatewayClient]] = WeakSet()
# Clients of config flows, which end with them.
SETUP_CLIENTS: Final[WeakSet[GatewayClient]] = WeakSet()
# Evidence of each entry, which a reload would lose.
HISTORIES: Final[HassKey[dict[str, ClientHistory]]] = HassKey(f"{DOMAIN}_histories")

# Characters of the home's name, which is shown to the agents with each tool.
MAX_PLACE: Final = 32

_CERTIFICATE: Final = re.compile(
    "-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----"
)


def new_client(
    endpoint: Endpoint,
    credentials: Credentials,
    options: Mapping[str, Any],
    history: ClientHistory,
) -> GatewayClient:
    """Return a client and register its end.

    The self-test expects it to end with its entry.
    """
    profile = OPERATOR_PROFILE
    if options.get(CONF_ASK_QUESTIONS) is True:
        profile = ANSWERING_PROFILE
    else:
        # Opting in again sends a new request.
        history.scopes_denied = False
    return _new_client(endpoint, credentials, options, history, profile)


def new_node_client(
    endpoint: Endpoint,
    credentials: Credentials,
    options: Mapping[str, Any],
    history: ClientHistory,
) -> GatewayClient:
    """Return the client of a node."""
    return _new_client(endpoint, credentials, options, history, NODE_PROFILE)


def _new_client(
    endpoint: Endpoint,
    credentials: Credentials,
    options: Mapping[str, Any],
    history: ClientHistory,
    profile: ConnectProfile,
) -> GatewayClient:
    keep_run = _number(options, CONF_KEEP_RUN, DEFAULT_KEEP_RUN, MAX_KEEP_RUN)
    trace_length = _number(
        options, CONF_TRACE_LENGTH, DEFAULT_TRACE_LENGTH, MAX_TRACE_LENGTH
    )
    client = GatewayClient(
        endpoint,
        credentials,
        profile=profile,
        timing=Timing(recovery_timeout=keep_run),
        trace_length=trace_length,
        history=history,
    )
    CLIENTS.add(client)
    return client


def get_history(hass: HomeAssistant, entry_id: str) -> ClientHistory:
    """Return the client history of an entry."""
    return _get_history(hass, entry_id, entry_id)


def get_node_history(hass: HomeAssistant, entry_id: str) -> ClientHistory:
    """Return the client history of a node."""
    return _get_history(hass, entry_id, _node_history_key(entry_id))


def _get_history(hass: HomeAssistant, entry_id: str, key: str) -> ClientHistory:
    if hass.config_entries.async_get_entry(entry_id) is None:
        # It was removed meanwhile, and nobody would delete its history.
        return ClientHistory()
    histories = hass.data.setdefault(HISTORIES, {})
    return histories.setdefault(key, ClientHistory())


def remove_history(hass: HomeAssistant, entry_id: str) -> None:
    """Delete the evidence of an entry."""
    histories = hass.data.get(HISTORIES, {})
    for key in (entry_id, _node_history_key(entry_id)):
        histories.pop(key, None)


def _node_history_key(entry_id: str) -> str:
    return f"{entry_id}.node"


def _number(options: Mapping[str, Any], key: str, default: int, maximum: int) -> int:
    """Return a number option, or its default."""
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
    """Return the endpoint of an entry or flow.

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
    """Return the credentials of an entry or flow.

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


async def async_get_node_credentials(
    hass: HomeAssistant,
    data: Mapping[str, Any],
    tokens: DeviceTokenStore,
    entry_id: str,
) -> Credentials:
    """Return the credentials of an entry's node.

    A key and a token of its own.

    Raises:
        ConfigEntryError: its key cannot be read.

    """
    identity = await async_get_node_identity(hass, entry_id, tokens.on_error)
    credentials = node_credentials(hass, data, identity)
    credentials.device_token = await tokens.async_load()
    credentials.save = tokens.async_save
    return credentials


def node_credentials(
    hass: HomeAssistant, data: Mapping[str, Any], identity: DeviceIdentity
) -> Credentials:
    """Return node credentials without a token."""
    # A Gateway on this machine retires devices of the same name when it pairs another
    # one: each home has its own.
    place = " ".join(hass.config.location_name.split())[:MAX_PLACE]
    name = f"Home Assistant ({place}) {identity.device_id[:4]}"
    return Credentials(
        identity,
        ClientInfo(VERSION, name),
        data.get(CONF_TOKEN),
        password=data.get(CONF_PASSWORD),
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
