"""Causes of the issues of a connection."""

from collections.abc import Callable

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import CONF_ALLOW_INSECURE
from custom_components.clawd.gateway import GatewayClient
from tests.simulator import GatewaySimulator

from .states import CONNECTIVITY, wait_for_state

type Cause = Callable[[GatewaySimulator], None]


def client_of(entry: MockConfigEntry) -> GatewayClient:
    """Return the client of an entry."""
    client: GatewayClient = entry.runtime_data.client
    return client


async def reconnect(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    """Drop the connection and wait for the next one."""
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await client_of(entry).wait_connected()


async def allow_insecure(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Allow a public address without TLS."""
    allowed = {CONF_ALLOW_INSECURE: True}
    hass.config_entries.async_update_entry(entry, options=allowed)
    await hass.config_entries.async_reload(entry.entry_id)


def unapproved(gateway: GatewaySimulator) -> None:
    """Require approval of the device."""
    gateway.pairing = True
    gateway.devices.approved.clear()


def newer_protocol(gateway: GatewaySimulator) -> None:
    """Choose a protocol that is too new."""
    gateway.edit("hello-ok", lambda hello: hello.update(protocol=5))


def older_protocol(gateway: GatewaySimulator) -> None:
    """Choose a protocol that is too old."""
    gateway.edit("hello-ok", lambda hello: hello.update(protocol=2))


def wrong_clock(gateway: GatewaySimulator) -> None:
    """Set the clock 130 seconds ahead."""
    gateway.clock_shift_ms = 130_000


def restore(gateway: GatewaySimulator) -> None:
    """Undo all causes."""
    gateway.pairing = False
    gateway.clock_shift_ms = 0
    gateway.edit("hello-ok", lambda _: None)
