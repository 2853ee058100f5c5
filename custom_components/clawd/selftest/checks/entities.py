"""Checks of entities, devices and translations."""

from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    Platform,
)
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.translation import async_get_translations

from ...const import DOMAIN
from ..model import CheckResult, Component, check, expect_none
from ..prerequisites import setup_complete
from ..texts import text_key

if TYPE_CHECKING:
    from homeassistant.core import State

    from ..model import CheckContext

MAX_NAMES: Final = 10
# Translations that every check has.
TEXTS: Final = ("pass", "hint")
# Translations of which every check has one.
PROBLEMS: Final = ("fail", "warn")


@check(component=Component.HOME_ASSISTANT, requires=(setup_complete,))
async def check_entity_availability(context: CheckContext) -> CheckResult:
    """Entity states contradicting the connection.

    Your dashboards and automations would be misled.
    """
    wrong = await context.recheck(partial(_wrong_entities, context))
    return expect_none(
        len(wrong), "entities", count=len(wrong), names=", ".join(wrong[:MAX_NAMES])
    )


@check(component=Component.HOME_ASSISTANT, requires=(setup_complete,))
async def check_registry(context: CheckContext) -> CheckResult:
    """Orphaned entities and devices.

    They would stay forever.
    """
    entry_id = context.entry.entry_id
    states = context.hass.states
    entities = er.async_entries_for_config_entry(er.async_get(context.hass), entry_id)
    devices = dr.async_entries_for_config_entry(dr.async_get(context.hass), entry_id)
    used = {entity.device_id for entity in entities}
    orphans = [
        *(d.name or "?" for d in devices if d.id not in used),
        *(
            entity.entity_id
            for entity in entities
            if entity.disabled_by is None and not states.get(entity.entity_id)
        ),
    ]
    return expect_none(
        len(orphans),
        "entities and devices",
        entities=len(entities),
        devices=len(devices),
        names=", ".join(orphans[:MAX_NAMES]),
    )


@check(component=Component.HOME_ASSISTANT)
async def check_translations(context: CheckContext) -> CheckResult:
    """Missing texts of the self-test.

    Files of the integration are missing.
    """
    hass = context.hass
    texts = await async_get_translations(
        hass, hass.config.language, "exceptions", {DOMAIN}
    )
    keys = [f"check_{check_id}_{text}" for check_id in context.checks for text in TEXTS]
    missing = [key for key in keys if text_key(key) not in texts]
    missing += [
        f"check_{check_id}_fail"
        for check_id in context.checks
        if not any(text_key(f"check_{check_id}_{end}") in texts for end in PROBLEMS)
    ]
    return expect_none(
        len(missing), "texts", count=len(keys), names=", ".join(missing[:MAX_NAMES])
    )


def _wrong_entities(context: CheckContext) -> list[str]:
    """Return the entities contradicting the connection."""
    states, connected = context.hass.states, context.connected
    registry = er.async_get(context.hass)
    entry_id = context.entry.entry_id
    shown = {
        entity.entity_id: states.get(entity.entity_id)
        for entity in er.async_entries_for_config_entry(registry, entry_id)
        if entity.disabled_by is None
    }
    return [
        entity_id
        for entity_id, state in sorted(shown.items())
        if state and not _is_consistent(state, connected=connected)
    ]


def _is_consistent(state: State, *, connected: bool) -> bool:
    # The other entities say nothing of the connection.
    if state.domain == Platform.CONVERSATION:
        return (state.state != STATE_UNAVAILABLE) is connected
    if state.attributes.get(ATTR_DEVICE_CLASS) == BinarySensorDeviceClass.CONNECTIVITY:
        return state.state == (STATE_ON if connected else STATE_OFF)
    return True
