"""Faults of entities, devices and translations."""

from typing import Any

from homeassistant.helpers import device_registry as dr, entity_registry as er

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.coordinator import ClawdCoordinator
from custom_components.clawd.gateway import ConnectionState
from custom_components.clawd.selftest.checks import entities

from ..devices import gateway_device
from ..fault_harness import Fault, FaultHarness, poll
from ..report_assertions import Expected
from ..states import AGENT, CONNECTIVITY


async def outdated_entities(harness: FaultHarness) -> None:
    """Do not tell the entities that the connection is lost."""
    harness.monkeypatch.setattr(
        ClawdCoordinator, "async_set_updated_data", lambda *_: None
    )
    await harness.gateway.suspend()
    client = harness.runtime.client
    await poll(lambda: client.state is ConnectionState.RECONNECTING)


async def stale_device(harness: FaultHarness) -> None:
    """Keep a device without entities."""
    dr.async_get(harness.hass).async_get_or_create(
        config_entry_id=harness.entry.entry_id,
        identifiers={(DOMAIN, "stale")},
        name="Stale",
    )


async def stale_entity(harness: FaultHarness) -> None:
    """Keep an entity that nothing provides."""
    device = gateway_device(harness.hass, harness.entry)
    er.async_get(harness.hass).async_get_or_create(
        "sensor",
        DOMAIN,
        "stale",
        config_entry=harness.entry,
        device_id=device.id,
        suggested_object_id="stale",
    )


async def missing_translation(harness: FaultHarness) -> None:
    """Delete a text."""
    real: Any = entities.async_get_translations  # type: ignore[attr-defined] # imported

    async def get_translations(*args: object) -> dict[str, str]:
        texts = dict(await real(*args))
        del texts[f"component.{DOMAIN}.exceptions.check_protocol_hint.message"]
        return texts

    harness.monkeypatch.setattr(entities, "async_get_translations", get_translations)


FAULTS = [
    Fault(
        outdated_entities,
        "entity_availability",
        Expected(2, {"names": f"{CONNECTIVITY}, {AGENT}"}),
    ),
    Fault(stale_device, "registry", Expected(1, {"names": "Stale"})),
    Fault(stale_entity, "registry", Expected(1, {"names": "sensor.stale"})),
    Fault(
        missing_translation,
        "translations",
        Expected(1, {"names": "check_protocol_hint"}),
    ),
]
