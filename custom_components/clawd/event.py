"""Event entities of Gateways and agents."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import Event, callback

from .const import SUBENTRY_CONVERSATION
from .coordinator import ClawdCoordinator, subentries_of_type
from .device_automation.events import EVENT_AGENT, AgentEvent, own_fields
from .entity import AgentEntity, SelfTestEntity
from .reports import Status, failed_checks

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

    from .coordinator import ClawdConfigEntry

PARALLEL_UPDATES = 0

EVENT_TYPES: Final = {
    Status.PASS: "passed",
    Status.WARN: "warned",
    Status.FAIL: "failed",
    Status.ERROR: "error",
}
ATTR_FAILED_CHECKS: Final = "failed_checks"


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ClawdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the events of an entry."""
    runtime = entry.runtime_data
    async_add_entities([SelfTestEvent(runtime.reports)])
    for subentry in subentries_of_type(entry, SUBENTRY_CONVERSATION):
        async_add_entities(
            [ActivityEvent(runtime.coordinator, subentry)],
            config_subentry_id=subentry.subentry_id,
        )


class SelfTestEvent(SelfTestEntity, EventEntity):
    """Event of a finished self-test."""

    entity_description = EventEntityDescription(
        key="self_test", event_types=list(EVENT_TYPES.values())
    )

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Trigger the event of a new report."""
        report = self.coordinator.reports[-1]
        failed = [check["id"] for check in failed_checks(report)]
        self._trigger_event(
            EVENT_TYPES[report["status"]],
            {**report["summary"], ATTR_FAILED_CHECKS: failed},
        )
        self.async_write_ha_state()


class ActivityEvent(AgentEntity, EventEntity):
    """Event of an agent."""

    entity_description = EventEntityDescription(
        key="activity", translation_key="activity", event_types=list(AgentEvent)
    )

    def __init__(self, coordinator: ClawdCoordinator, subentry: ConfigSubentry) -> None:
        """Initialize the event."""
        super().__init__(coordinator, subentry)
        self._attr_unique_id = f"{subentry.subentry_id}_activity"

    @property
    @override
    def available(self) -> bool:
        """Return true: tasks may fail while disconnected."""
        return True

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the events of the agent."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.hass.bus.async_listen(
                EVENT_AGENT, self._async_handle_event, self._is_mine
            )
        )

    @callback
    def _is_mine(self, data: Mapping[str, Any]) -> bool:
        # Anyone may fire an event, with any data.
        known = data.get("type") in self.event_types
        return known and bool(data.get("subentry_id") == self.subentry.subentry_id)

    @callback
    def _async_handle_event(self, event: Event[Any]) -> None:
        self._trigger_event(event.data["type"], own_fields(event))
        self.async_set_context(event.context)
        self.async_write_ha_state()
