"""Device conditions of Gateways and agents."""

from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_CONDITION, CONF_DEVICE_ID, CONF_TYPE
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv

from .assist.agent_questions import get_agent_questions
from .assist.ongoing import get_ongoing
from .assist.run_origins import get_origins
from .device_automation.devices import (
    AgentDevice,
    AutomationTypes,
    GatewayDevice,
    async_get_device,
)
from .reports import FAILED_STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from homeassistant.helpers.condition import ConditionCheckerType
    from homeassistant.helpers.typing import ConfigType, TemplateVarsType

    from .coordinator import ClawdConfigEntry


def _is_working(device: AgentDevice) -> bool:
    entry, subentry_id = device.entry, device.subentry.subentry_id
    if entry.state is not ConfigEntryState.LOADED:
        return False
    # A task has no run yet while it waits, nor between its turns.
    tasks = entry.runtime_data.started_tasks.values()
    return bool(
        get_ongoing(entry).of_agent(subentry_id)
        or get_origins(entry).of_agent(subentry_id)
        or any(task.subentry_id == subentry_id for task in tasks)
    )


def _has_question(device: AgentDevice) -> bool:
    questions = get_agent_questions(device.entry)
    return questions is not None and any(
        one.origin.subentry.subentry_id == device.subentry.subentry_id
        for one in questions.open.values()
    )


def _is_connected(entry: ClawdConfigEntry) -> bool:
    loaded = entry.state is ConfigEntryState.LOADED
    return loaded and entry.runtime_data.coordinator.connected


def _self_test_failed(entry: ClawdConfigEntry) -> bool | None:
    """Return whether the last self-test failed.

    None if none is known.
    """
    if entry.state is not ConfigEntryState.LOADED:
        return None
    report = entry.runtime_data.reports.data
    return report["status"] in FAILED_STATUSES if report else None


AGENT_CONDITIONS: Final[Mapping[str, Callable[[AgentDevice], bool]]] = {
    "is_working": _is_working,
    "is_not_working": lambda device: not _is_working(device),
    "has_question": _has_question,
}
GATEWAY_CONDITIONS: Final[Mapping[str, Callable[[ClawdConfigEntry], bool]]] = {
    "is_connected": _is_connected,
    "is_not_connected": lambda entry: not _is_connected(entry),
    "self_test_passed": lambda entry: _self_test_failed(entry) is False,
    "self_test_failed": lambda entry: _self_test_failed(entry) is True,
}
TYPES: Final = AutomationTypes(of_gateway=GATEWAY_CONDITIONS, of_agent=AGENT_CONDITIONS)
CONDITION_SCHEMA: Final = cv.DEVICE_CONDITION_BASE_SCHEMA.extend(TYPES.schema)


async def async_validate_condition_config(
    hass: HomeAssistant, config: ConfigType
) -> ConfigType:
    """Validate a condition.

    Called once the device's entry is loaded.

    Raises:
        InvalidDeviceAutomationConfig: the device has no such condition.

    """
    return TYPES.async_validate(hass, CONDITION_SCHEMA(config))


async def async_get_conditions(
    hass: HomeAssistant, device_id: str
) -> list[dict[str, str]]:
    """Return the conditions of a device."""
    return TYPES.async_list(hass, device_id, CONF_CONDITION)


@callback
def async_condition_from_config(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    config: ConfigType,
) -> ConditionCheckerType:
    """Return the checker of a condition."""
    device_id, kind = config[CONF_DEVICE_ID], config[CONF_TYPE]

    @callback
    def check(hass: HomeAssistant, _: TemplateVarsType) -> bool:
        # The device may be deleted, and its entry reloaded, at any time; unless it is
        # loaded, the type is not validated.
        match async_get_device(hass, device_id):
            case GatewayDevice(entry) if kind in GATEWAY_CONDITIONS:
                return GATEWAY_CONDITIONS[kind](entry)
            case AgentDevice() as device if kind in AGENT_CONDITIONS:
                return AGENT_CONDITIONS[kind](device)
        return False

    return check
