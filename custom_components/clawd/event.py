"""Events of a Gateway."""

from typing import TYPE_CHECKING, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import callback

from .entity import SelfTestEntity
from .reports import Status, failed_checks

if TYPE_CHECKING:
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
    async_add_entities([SelfTestEvent(entry.runtime_data.reports)])


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
