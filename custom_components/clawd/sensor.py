"""Sensors of a Gateway."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.util.dt import utc_from_timestamp

from .assist.first_words import first_word_time
from .assist.ongoing import get_ongoing
from .const import SUBENTRY_CONVERSATION
from .coordinator import ClawdCoordinator, subentries_of_type
from .entity import AgentEntity, ClawdEntity, ConnectionEntity, SelfTestEntity
from .gateway import ConnectionState
from .reports import Status, suspects_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

    from .coordinator import ClawdConfigEntry

PARALLEL_UPDATES = 0

SUMMARY_KEYS: Final = ("liveness", "readiness", "mode", "started_at")
ATTR_SUSPECTS: Final = "suspects"
ATTR_TASKS: Final = "tasks"


@dataclass(frozen=True, kw_only=True)
class ConnectionSensorDescription(SensorEntityDescription):
    """Description of a connection sensor."""

    value_fn: Callable[[ClawdCoordinator], str | datetime | None]


def _last_disconnect(coordinator: ClawdCoordinator) -> datetime | None:
    lost = coordinator.last_disconnect
    return utc_from_timestamp(lost.at) if lost else None


CONNECTION_SENSORS: Final = (
    ConnectionSensorDescription(
        key="connection_state",
        translation_key="connection_state",
        device_class=SensorDeviceClass.ENUM,
        options=list(ConnectionState),
        entity_registry_enabled_default=False,
        value_fn=lambda coordinator: coordinator.data,
    ),
    ConnectionSensorDescription(
        key="last_disconnect",
        translation_key="last_disconnect",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_registry_enabled_default=False,
        value_fn=_last_disconnect,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ClawdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of an entry."""
    runtime = entry.runtime_data
    async_add_entities(
        [
            *(
                ConnectionSensor(runtime.coordinator, description)
                for description in CONNECTION_SENSORS
            ),
            TasksSensor(runtime.coordinator),
            SelfTestSensor(runtime.reports),
        ]
    )
    for subentry in subentries_of_type(entry, SUBENTRY_CONVERSATION):
        async_add_entities(
            [FirstWordSensor(runtime.coordinator, subentry)],
            config_subentry_id=subentry.subentry_id,
        )


class ConnectionSensor(ConnectionEntity, SensorEntity):
    """Sensor of the connection."""

    entity_description: ConnectionSensorDescription

    def __init__(
        self, coordinator: ClawdCoordinator, description: ConnectionSensorDescription
    ) -> None:
        """Initialize the sensor."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @property
    @override
    def native_value(self) -> str | datetime | None:
        """Return the current value."""
        return self.entity_description.value_fn(self.coordinator)


class TasksSensor(ClawdEntity[ClawdCoordinator], SensorEntity):
    """Sensor of handed-off tasks."""

    entity_description = SensorEntityDescription(
        key="tasks",
        translation_key="tasks",
        state_class=SensorStateClass.MEASUREMENT,
    )
    _unrecorded_attributes = frozenset({ATTR_TASKS})

    def __init__(self, coordinator: ClawdCoordinator) -> None:
        """Initialize the sensor."""
        super().__init__(coordinator, self.entity_description.key)
        self._runs = get_ongoing(coordinator.config_entry)

    @property
    @override
    def native_value(self) -> int:
        """Return the number of tasks."""
        runtime = self.coordinator.config_entry.runtime_data
        return len(self._runs.handoffs) + len(runtime.started_tasks)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return agents and start times."""
        return {
            ATTR_TASKS: [
                {
                    "agent": run.subentry.title,
                    "since": utc_from_timestamp(run.asked.timestamp).isoformat(),
                }
                for run in self._runs.all
                if run.id in self._runs.handoffs
            ]
        }


class SelfTestSensor(SelfTestEntity, SensorEntity):
    """Sensor of the last self-test."""

    entity_description = SensorEntityDescription(
        key="self_test", device_class=SensorDeviceClass.ENUM, options=list(Status)
    )
    _unrecorded_attributes = frozenset((*SUMMARY_KEYS, ATTR_SUSPECTS, *Status))

    @property
    @override
    def native_value(self) -> str | None:
        """Return the status of the last report."""
        report = self.coordinator.data
        return report["status"] if report else None

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """Return the summary of the last report."""
        if (report := self.coordinator.data) is None:
            return None
        return {
            **{name: report[name] for name in SUMMARY_KEYS},
            ATTR_SUSPECTS: suspects_of(report),
            **report["summary"],
        }


class FirstWordSensor(AgentEntity, SensorEntity):
    """Sensor of the time to first words."""

    entity_description = SensorEntityDescription(
        key="first_word",
        translation_key="first_word",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=2,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
    )

    def __init__(self, coordinator: ClawdCoordinator, subentry: ConfigSubentry) -> None:
        """Initialize the sensor."""
        super().__init__(coordinator, subentry)
        self._attr_unique_id = f"{subentry.subentry_id}_first_word"

    @property
    @override
    def native_value(self) -> float | None:
        """Return the median of the last questions."""
        runtime = self.coordinator.config_entry.runtime_data
        return first_word_time(runtime, self.subentry.subentry_id)
