"""Buttons of a Gateway."""

from typing import TYPE_CHECKING, override

from homeassistant.components.button import ButtonEntity

from .entity import SelfTestEntity
from .selftest.model import Mode
from .services import async_run_self_test

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

    from .coordinator import ClawdConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ClawdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of an entry."""
    async_add_entities([SelfTestButton(entry.runtime_data.reports)])


class SelfTestButton(SelfTestEntity, ButtonEntity):
    """What runs a self-test."""

    @override
    async def async_press(self) -> None:
        """Run a self-test that sends a few harmless requests."""
        entry = self.coordinator.config_entry
        await async_run_self_test(self.hass, entry, Mode.ACTIVE)
