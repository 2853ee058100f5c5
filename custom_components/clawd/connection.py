"""The client of a config entry."""

from typing import TYPE_CHECKING, Any

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_SSL, CONF_TOKEN
from homeassistant.util.ssl import get_default_context

from .const import VERSION
from .gateway import ClientInfo, DeviceIdentity, Endpoint, GatewayClient

if TYPE_CHECKING:
    from collections.abc import Mapping


def create_client(data: Mapping[str, Any], identity: DeviceIdentity) -> GatewayClient:
    """Return a client for the data of a config entry or flow."""
    context = get_default_context() if data[CONF_SSL] else None
    return GatewayClient(
        Endpoint(data[CONF_HOST], data[CONF_PORT], context),
        identity,
        ClientInfo(VERSION),
        token=data.get(CONF_TOKEN),
    )
