"""Migration of entries from earlier versions."""

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .assist.session import Scope
from .client_factory import certificates_in
from .const import (
    CONF_ALLOW_INSECURE,
    CONF_CA_CERTIFICATE,
    CONF_IDLE_TIMEOUT,
    CONF_OFFER_HOME,
    CONF_SESSION_SCOPE,
    DOMAIN,
    LOGGER,
    SUBENTRY_AI_TASK,
    SUBENTRY_CONVERSATION,
)
from .flows.agent_schema import DEFAULTS, HOME_SETTINGS, new_subentry
from .flows.ai_task import AI_TASK_DEFAULTS

if TYPE_CHECKING:
    from .coordinator import ClawdConfigEntry

SUBENTRY_DEFAULTS: Final = {
    SUBENTRY_AI_TASK: AI_TASK_DEFAULTS,
    SUBENTRY_CONVERSATION: DEFAULTS,
}
# Id of the agent that every new Gateway has.
FIRST_AGENT: Final = "main"


async def async_migrate_entry(hass: HomeAssistant, entry: ClawdConfigEntry) -> bool:
    """Migrate an entry.

    Later minor versions are compatible.
    """
    LOGGER.debug("Migrating from version %s.%s", entry.version, entry.minor_version)
    if (entry.version, entry.minor_version) == (1, 1):
        _async_move_allow_insecure(hass, entry)
        _async_add_agent(hass, entry)
        hass.config_entries.async_update_entry(entry, minor_version=2)
    if (entry.version, entry.minor_version) == (1, 2):
        _async_remove_private_key(hass, entry)
        hass.config_entries.async_update_entry(entry, minor_version=3)
    if (entry.version, entry.minor_version) == (1, 3):
        _async_rename_idle_timeout(hass, entry)
        hass.config_entries.async_update_entry(entry, minor_version=4)
    if (entry.version, entry.minor_version) == (1, 4):
        _async_add_home_settings(hass, entry)
        hass.config_entries.async_update_entry(entry, minor_version=5)
    if (entry.version, entry.minor_version) == (1, 5):
        _async_add_missing_settings(hass, entry)
        hass.config_entries.async_update_entry(entry, minor_version=6)
    if (entry.version, entry.minor_version) == (1, 6):
        _async_add_missing_settings(hass, entry)
        hass.config_entries.async_update_entry(entry, minor_version=7)
    return entry.version == 1


@callback
def _async_move_allow_insecure(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Move the insecure option to the options."""
    data = dict(entry.data)
    consent = data.pop(CONF_ALLOW_INSECURE, False)
    options = {**entry.options, CONF_ALLOW_INSECURE: consent}
    hass.config_entries.async_update_entry(entry, data=data, options=options)


@callback
def _async_add_agent(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Turn the only agent into a subentry.

    It keeps its entity.
    """
    new = new_subentry(FIRST_AGENT, _async_device_name(hass, entry))
    # It had one session per conversation.
    data = {**new["data"], CONF_SESSION_SCOPE: Scope.CONVERSATION.value}
    subentry = ConfigSubentry(
        data=MappingProxyType(data),
        subentry_type=new["subentry_type"],
        title=new["title"],
        unique_id=new["unique_id"],
    )
    hass.config_entries.async_add_subentry(entry, subentry)
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(
        Platform.CONVERSATION, DOMAIN, f"{entry.entry_id}_conversation"
    )
    if entity_id:
        registry.async_update_entity(
            entity_id,
            config_subentry_id=subentry.subentry_id,
            device_id=None,
            new_unique_id=subentry.subentry_id,
        )


@callback
def _async_remove_private_key(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Remove private keys from a pasted CA."""
    data = dict(entry.data)
    # Edited by hand if it is not a text: the validation reports it.
    if not isinstance(data.get(CONF_CA_CERTIFICATE, ""), str):
        return
    if certificates := certificates_in(data.pop(CONF_CA_CERTIFICATE, "")):
        data[CONF_CA_CERTIFICATE] = certificates
    hass.config_entries.async_update_entry(entry, data=data)


@callback
def _async_device_name(hass: HomeAssistant, entry: ClawdConfigEntry) -> str:
    registry = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        return device.name_by_user or device.name or entry.title
    return entry.title


@callback
def _async_rename_idle_timeout(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Rename the idle timeout of each agent."""
    for subentry in entry.subentries.values():
        data = dict(subentry.data)
        if "silence" in data:
            data[CONF_IDLE_TIMEOUT] = data.pop("silence")
            hass.config_entries.async_update_subentry(entry, subentry, data=data)


@callback
def _async_add_home_settings(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Add home settings without access.

    The offer of access is added, too.
    """
    settings = {key: DEFAULTS[key] for key in HOME_SETTINGS}
    for subentry in entry.subentries.values():
        data = {**settings, **subentry.data}
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
    data = {**entry.data, CONF_OFFER_HOME: True}
    hass.config_entries.async_update_entry(entry, data=data)


@callback
def _async_add_missing_settings(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Add missing settings with defaults."""
    for subentry in entry.subentries.values():
        if defaults := SUBENTRY_DEFAULTS.get(subentry.subentry_type):
            data = {**defaults, **subentry.data}
            hass.config_entries.async_update_subentry(entry, subentry, data=data)
