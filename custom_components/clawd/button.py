"""Buttons of a Gateway."""

from typing import TYPE_CHECKING, override

from homeassistant.components.button import ButtonEntity

from . import selftest
from .entity import SelfTestEntity
from .reports import Mode

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
    """Set up the buttons of an entry."""
    async_add_entities([SelfTestButton(entry.runtime_data.reports)])


class SelfTestButton(SelfTestEntity, ButtonEntity):
    """Button that runs the self-test."""

    @override
    async def async_press(self) -> None:
        """Run an active self-test."""
        entry = self.coordinator.config_entry
        await selftest.async_run(self.hass, entry, Mode.ACTIVE)
