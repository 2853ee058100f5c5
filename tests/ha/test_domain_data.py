"""Data of an entry that its reloads keep, and its removal deletes."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.device_condition import (
    CONDITION_SCHEMA,
    async_condition_from_config,
)
from custom_components.clawd.util.domain_data import get_domain_data

from .assist_client import Conversation
from .devices import agent_device


async def test_it_outlives_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    data = get_domain_data(entry)
    assert data

    await hass.config_entries.async_reload(entry.entry_id)

    assert get_domain_data(entry) is data


async def test_it_is_deleted_with_the_entry(
    hass: HomeAssistant, entry: MockConfigEntry, conversation: Conversation
) -> None:
    await conversation.say("Hello")
    await hass.async_block_till_done()

    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()

    assert hass.data[DOMAIN] == {}


async def test_an_agent_of_an_unloaded_entry_is_not_working(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    device = agent_device(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    config = CONDITION_SCHEMA(
        {
            "condition": "device",
            "domain": DOMAIN,
            "device_id": device.id,
            "type": "is_not_working",
        }
    )

    assert async_condition_from_config(hass, config)(hass, {})
