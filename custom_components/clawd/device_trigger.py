"""Device triggers of Gateways and agents."""

from typing import TYPE_CHECKING, Final

from homeassistant.components.device_automation import DEVICE_TRIGGER_BASE_SCHEMA
from homeassistant.components.homeassistant.triggers import event as event_trigger
from homeassistant.const import (
    CONF_DEVICE_ID,
    CONF_EVENT_DATA,
    CONF_PLATFORM,
    CONF_TYPE,
)
from homeassistant.core import HomeAssistant

from .device_automation.devices import AutomationTypes
from .device_automation.events import (
    EVENT_AGENT,
    EVENT_GATEWAY,
    AgentEvent,
    GatewayEvent,
)

if TYPE_CHECKING:
    from homeassistant.core import CALLBACK_TYPE
    from homeassistant.helpers.trigger import TriggerActionType, TriggerInfo
    from homeassistant.helpers.typing import ConfigType

TYPES: Final = AutomationTypes(of_gateway=GatewayEvent, of_agent=AgentEvent)
TRIGGER_SCHEMA: Final = DEVICE_TRIGGER_BASE_SCHEMA.extend(TYPES.schema)


async def async_validate_trigger_config(
    hass: HomeAssistant, config: ConfigType
) -> ConfigType:
    """Validate a trigger.

    Called once the device's entry is loaded.

    Raises:
        InvalidDeviceAutomationConfig: the device has no such trigger.

    """
    return TYPES.async_validate(hass, TRIGGER_SCHEMA(config))


async def async_get_triggers(
    hass: HomeAssistant, device_id: str
) -> list[dict[str, str]]:
    """Return the triggers of a device."""
    return TYPES.async_list(hass, device_id, CONF_PLATFORM)


async def async_attach_trigger(
    hass: HomeAssistant,
    config: ConfigType,
    action: TriggerActionType,
    trigger_info: TriggerInfo,
) -> CALLBACK_TYPE:
    """Attach a trigger."""
    kind = config[CONF_TYPE]
    event_config = event_trigger.TRIGGER_SCHEMA(
        {
            CONF_PLATFORM: "event",
            "event_type": EVENT_AGENT if kind in list(AgentEvent) else EVENT_GATEWAY,
            CONF_EVENT_DATA: {
                CONF_DEVICE_ID: config[CONF_DEVICE_ID],
                CONF_TYPE: kind,
            },
        }
    )
    return await event_trigger.async_attach_trigger(
        hass, event_config, action, trigger_info, platform_type="device"
    )
