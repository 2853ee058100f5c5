"""Buttons of Gateways and agents."""

from typing import TYPE_CHECKING, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription

from . import selftest
from .assist.new_conversation import async_new_conversations
from .assist.ongoing import get_ongoing
from .assist.stop import async_stop, raise_if_unstopped
from .const import SUBENTRY_CONVERSATION
from .coordinator import subentries_of_type
from .entity import AgentEntity, SelfTestEntity
from .reports import Mode

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

    from .coordinator import ClawdConfigEntry, ClawdCoordinator

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ClawdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the buttons of an entry."""
    runtime = entry.runtime_data
    async_add_entities([SelfTestButton(runtime.reports)])
    for subentry in subentries_of_type(entry, SUBENTRY_CONVERSATION):
        async_add_entities(
            [
                NewConversationButton(runtime.coordinator, subentry),
                StopButton(runtime.coordinator, subentry),
            ],
            config_subentry_id=subentry.subentry_id,
        )


class StopButton(AgentEntity, ButtonEntity):
    """Button to stop an agent's runs."""

    entity_description = ButtonEntityDescription(key="stop", translation_key="stop")

    def __init__(self, coordinator: ClawdCoordinator, subentry: ConfigSubentry) -> None:
        """Initialize the button."""
        super().__init__(coordinator, subentry)
        self._attr_unique_id = f"{subentry.subentry_id}_stop"

    @override
    async def async_press(self) -> None:
        """Stop the runs.

        Raises:
            HomeAssistantError: something goes on.

        """
        entry = self.coordinator.config_entry
        runs = get_ongoing(entry).of_agent(self.subentry.subentry_id)
        raise_if_unstopped(await async_stop(self.hass, entry, runs))


class SelfTestButton(SelfTestEntity, ButtonEntity):
    """Button to run the self-test."""

    @override
    async def async_press(self) -> None:
        """Run an active self-test."""
        entry = self.coordinator.config_entry
        await selftest.async_run(self.hass, entry, Mode.ACTIVE)


class NewConversationButton(AgentEntity, ButtonEntity):
    """Button to start a new conversation."""

    _attr_translation_key = "new_conversation"

    def __init__(self, coordinator: ClawdCoordinator, subentry: ConfigSubentry) -> None:
        """Initialize the entity."""
        super().__init__(coordinator, subentry)
        self._attr_unique_id = f"{subentry.subentry_id}_new_conversation"

    @override
    async def async_press(self) -> None:
        """Begin all sessions anew."""
        entry = self.coordinator.config_entry
        await async_new_conversations(self.hass, entry, self.subentry)
