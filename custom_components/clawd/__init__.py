"""The OpenClaw Gateway integration."""

from typing import TYPE_CHECKING

from homeassistant.const import Platform
from homeassistant.helpers import config_validation as cv

from .connection import async_get_credentials, async_get_endpoint, new_client
from .const import DOMAIN
from .coordinator import ClawdCoordinator, ClawdRuntime
from .devices import async_create_devices
from .issues import async_forget_issues_of_unloaded_entries
from .migration import async_identify_entry, async_migrate_entry
from .schedule import async_schedule_self_tests
from .selftest.findings import async_show_findings
from .selftest.history import ReportHistory
from .services import async_setup_services
from .storage import DeviceTokenStore, async_forget_entry, async_remove_identity

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.typing import ConfigType

    from .coordinator import ClawdConfigEntry

__all__ = ["async_migrate_entry"]

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = (
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CONVERSATION,
    Platform.EVENT,
    Platform.SENSOR,
)


async def async_setup(
    hass: HomeAssistant,
    config: ConfigType,  # noqa: ARG001 - Home Assistant's signature
) -> bool:
    """Set up what is there once for all entries."""
    async_setup_services(hass)
    async_forget_issues_of_unloaded_entries(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ClawdConfigEntry) -> bool:
    """Connect to a Gateway."""
    endpoint = await async_get_endpoint(hass, entry.data, entry.options)
    tokens = DeviceTokenStore(hass, entry.entry_id, endpoint.origin)
    credentials = await async_get_credentials(hass, entry.data, tokens)
    client = new_client(endpoint, credentials, entry.options)
    coordinator = ClawdCoordinator(hass, entry, client, credentials)
    await coordinator.async_connect()
    await async_identify_entry(hass, entry, client)
    reports = ReportHistory(hass, entry)
    await reports.async_load()
    runtime = ClawdRuntime(client, credentials, coordinator, reports)
    entry.runtime_data = runtime
    async_show_findings(hass, entry)
    async_schedule_self_tests(hass, entry)
    async_create_devices(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    runtime.listener_baseline = {
        event: len(listeners) for event, listeners in client.listeners.items()
    }
    entry.async_on_unload(entry.add_update_listener(async_reload_entry))
    return True


async def async_reload_entry(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Let changed settings take effect."""
    hass.config_entries.async_schedule_reload(entry.entry_id)


async def async_unload_entry(hass: HomeAssistant, entry: ClawdConfigEntry) -> bool:
    """Let go of a Gateway."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Forget what was stored of it, and the identity with the last Gateway."""
    await async_forget_entry(hass, entry.entry_id)
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    if entries in ([], [entry]):
        await async_remove_identity(hass)
