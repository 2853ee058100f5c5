"""What has become of entries that earlier versions wrote."""

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .connection import certificates_in
from .const import CONF_ALLOW_INSECURE, CONF_CA_CERTIFICATE, DOMAIN
from .errors import setup_error
from .gateway import INSTALLATION, GatewayClient, GatewayError
from .subentry import new_subentry

if TYPE_CHECKING:
    from .coordinator import ClawdConfigEntry

# The agent that every Gateway starts with.
FIRST_AGENT: Final = "main"


async def async_migrate_entry(hass: HomeAssistant, entry: ClawdConfigEntry) -> bool:
    """Bring an entry up to date; a later minor version can be used as it is."""
    if (entry.version, entry.minor_version) == (1, 1):
        _async_move_consent(hass, entry)
        _async_add_agent(hass, entry)
        hass.config_entries.async_update_entry(entry, minor_version=2)
    if (entry.version, entry.minor_version) == (1, 2):
        _async_forget_private_key(hass, entry)
        hass.config_entries.async_update_entry(entry, minor_version=3)
    return entry.version == 1


async def async_identify_entry(
    hass: HomeAssistant, entry: ClawdConfigEntry, client: GatewayClient
) -> None:
    """Let an entry without a lasting id have its Gateway's, unless another has it.

    Clawdbot has none of its own; once it is updated to OpenClaw, it has.

    Raises:
        ConfigEntryNotReady: the Gateway did not say.

    """
    if entry.unique_id and not entry.unique_id.startswith(INSTALLATION):
        return
    try:
        gateway_id = await client.gateway_id()
    except GatewayError as err:
        raise setup_error(err) from err
    unique_id = lasting_id(hass, entry, gateway_id)
    hass.config_entries.async_update_entry(entry, unique_id=unique_id)


def lasting_id(
    hass: HomeAssistant, entry: ConfigEntry[Any], gateway_id: str
) -> str | None:
    """Return the id of an entry's Gateway, or its own if another entry has that."""
    entries = hass.config_entries
    known = entries.async_entry_for_domain_unique_id(DOMAIN, gateway_id)
    return gateway_id if known in (None, entry) else entry.unique_id


@callback
def _async_move_consent(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Move the consent to do without TLS to the options."""
    data = dict(entry.data)
    consent = data.pop(CONF_ALLOW_INSECURE, False)
    options = {**entry.options, CONF_ALLOW_INSECURE: consent}
    hass.config_entries.async_update_entry(entry, data=data, options=options)


@callback
def _async_add_agent(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Let the entry's only agent be its first subentry, with the same entity."""
    new = new_subentry(FIRST_AGENT, _async_device_name(hass, entry))
    subentry = ConfigSubentry(
        data=MappingProxyType(dict(new["data"])),
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
def _async_forget_private_key(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Keep nothing but the certificates of what was pasted as a CA."""
    data = dict(entry.data)
    if certificates := certificates_in(data.pop(CONF_CA_CERTIFICATE, "")):
        data[CONF_CA_CERTIFICATE] = certificates
    hass.config_entries.async_update_entry(entry, data=data)


@callback
def _async_device_name(hass: HomeAssistant, entry: ClawdConfigEntry) -> str:
    registry = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        return device.name_by_user or device.name or entry.title
    return entry.title
