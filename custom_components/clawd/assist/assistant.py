"""Assist pipelines for agents."""

from typing import TYPE_CHECKING

from homeassistant.components import assist_pipeline
from homeassistant.components.assist_pipeline.pipeline import (
    async_get_pipeline,
    async_setup_pipeline_store,
)
from homeassistant.const import MATCH_ALL, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
import voluptuous as vol

from ..const import CONF_CREATE_ASSISTANT, LOGGER

if TYPE_CHECKING:
    from collections.abc import Container

    from homeassistant.config_entries import ConfigSubentry

    from ..coordinator import ClawdConfigEntry


@callback
def can_create_assistant(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant has assistants."""
    return assist_pipeline.DOMAIN in hass.config.components


async def async_create_assistants(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Create the assistants chosen in a flow.

    Each is created once.
    """
    if not can_create_assistant(hass):
        return
    for subentry in entry.subentries.values():
        if subentry.data.get(CONF_CREATE_ASSISTANT):
            try:
                await _async_create_assistant(hass, entry, subentry)
            except (HomeAssistantError, vol.Invalid) as err:
                # The agent works without: the setup goes on.
                LOGGER.warning("Assistant not created: %s", type(err).__name__)
        if CONF_CREATE_ASSISTANT in subentry.data:
            data = {**subentry.data}
            del data[CONF_CREATE_ASSISTANT]
            hass.config_entries.async_update_subentry(entry, subentry, data=data)


async def _async_create_assistant(
    hass: HomeAssistant, entry: ClawdConfigEntry, subentry: ConfigSubentry
) -> None:
    """Create an assistant for an agent, unless there is one."""
    agent = _agent_entity(hass, entry, subentry)
    pipelines = assist_pipeline.async_get_pipelines(hass)
    engines = [pipeline.conversation_engine for pipeline in pipelines]
    if agent is None or agent in engines:
        return
    settings = async_get_pipeline(hass).to_json()
    del settings["id"]
    store = (await async_setup_pipeline_store(hass)).pipeline_store
    await store.async_create_item(
        {
            **settings,
            "name": _free_name(subentry.title, [item.name for item in pipelines]),
            "language": hass.config.language,
            "conversation_engine": agent,
            # Home Assistant's own form stores this for agents with all languages.
            "conversation_language": MATCH_ALL,
            # "Lights off" needs no model.
            "prefer_local_intents": True,
        }
    )


@callback
def _agent_entity(
    hass: HomeAssistant, entry: ClawdConfigEntry, subentry: ConfigSubentry
) -> str | None:
    """Return the enabled entity of an agent."""
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if (
            entity.domain == Platform.CONVERSATION
            and entity.unique_id == subentry.subentry_id
            and not entity.disabled
        ):
            return entity.entity_id
    return None


def _free_name(name: str, taken: Container[str]) -> str:
    """Return a unique name for an assistant."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free
