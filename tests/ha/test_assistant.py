"""Creation of an assistant."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.components import tts
from homeassistant.components.assist_pipeline import (
    Pipeline,
    async_get_pipelines,
    async_update_pipeline,
)
from homeassistant.components.assist_pipeline.pipeline import async_get_pipeline
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
    SubentryFlowContext,
)
from homeassistant.const import CONF_ADDRESS, CONF_TOKEN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from tests.simulator import GatewaySimulator

from .flows import configure, start_user_flow
from .test_subentries import SETTINGS

CREATE = {"create_assistant": True}
DO_NOT = {"create_assistant": False}


@pytest.fixture(autouse=True)
async def _assist(hass: HomeAssistant, tmp_path: Path) -> None:
    """Set up Assist, which keeps no speech."""
    hass.config.language = "de"
    assert await async_setup_component(hass, "homeassistant", {})
    with patch.object(tts, "_init_tts_cache_dir", lambda *_: str(tmp_path)):
        assert await async_setup_component(hass, "assist_pipeline", {})


async def log_in(hass: HomeAssistant, gateway: GatewaySimulator) -> ConfigFlowResult:
    """Return the step after the home."""
    answers = {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}
    return await start_user_flow(hass, answers)


async def finish(
    hass: HomeAssistant, step: ConfigFlowResult, answers: dict[str, bool]
) -> ConfigEntry[Any]:
    """Answer the offer; return the entry, loaded."""
    result = await configure(hass, step, answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED
    return result["result"]


def assistants_of(hass: HomeAssistant, entry: ConfigEntry[Any]) -> list[Pipeline]:
    """Return the assistants with an agent of an entry."""
    agents = {
        entity.entity_id
        for entity in er.async_entries_for_config_entry(
            er.async_get(hass), entry.entry_id
        )
        if entity.domain == Platform.CONVERSATION
    }
    pipelines = async_get_pipelines(hass)
    return [item for item in pipelines if item.conversation_engine in agents]


@pytest.mark.parametrize("protocol", [3, 4])
async def test_the_flow_ends_with_an_assistant(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    preferred = async_get_pipeline(hass)
    await async_update_pipeline(
        hass, preferred, tts_engine="tts.voice", tts_language="de", tts_voice="anna"
    )
    step = await log_in(hass, gateway)
    assert step["step_id"] == "assistant"
    assert step["description_placeholders"] == {"agent": "main"}
    assert step["data_schema"]
    assert step["data_schema"]({}) == CREATE

    entry = await finish(hass, step, CREATE)

    [assistant] = assistants_of(hass, entry)
    assert assistant.name == "main"
    assert (assistant.language, assistant.conversation_language) == ("de", "*")
    assert assistant.prefer_local_intents
    assert (assistant.tts_engine, assistant.tts_voice) == ("tts.voice", "anna")
    assert async_get_pipeline(hass).id == preferred.id
    subentry, *_ = entry.subentries.values()
    assert "create_assistant" not in subentry.data


async def test_a_deleted_assistant_stays_deleted(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    entry = await finish(hass, await log_in(hass, gateway), CREATE)
    [assistant] = assistants_of(hass, entry)
    store = hass.data["assist_pipeline"].pipeline_store
    await store.async_delete_item(assistant.id)

    assert await hass.config_entries.async_reload(entry.entry_id)

    assert assistants_of(hass, entry) == []


async def test_the_offer_can_be_declined(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    entry = await finish(hass, await log_in(hass, gateway), DO_NOT)
    assert assistants_of(hass, entry) == []
    subentry, *_ = entry.subentries.values()
    assert "create_assistant" not in subentry.data


async def test_an_assistant_with_the_agent_is_enough(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    preferred = async_get_pipeline(hass)
    await async_update_pipeline(
        hass, preferred, conversation_engine="conversation.main"
    )
    entry = await finish(hass, await log_in(hass, gateway), CREATE)
    assert [item.id for item in assistants_of(hass, entry)] == [preferred.id]


async def test_assistants_can_be_told_apart(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    await async_update_pipeline(hass, async_get_pipeline(hass), name="main")
    entry = await finish(hass, await log_in(hass, gateway), CREATE)
    [assistant] = assistants_of(hass, entry)
    assert assistant.name == "main 2"


async def test_without_assist_nothing_is_offered(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    hass.config.components.remove("assist_pipeline")
    result = await log_in(hass, gateway)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_the_choice_waits_for_assist(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    step = await log_in(hass, gateway)
    hass.config.components.remove("assist_pipeline")
    entry = await finish(hass, step, CREATE)
    assert assistants_of(hass, entry) == []

    hass.config.components.add("assist_pipeline")
    assert await hass.config_entries.async_reload(entry.entry_id)

    assert len(assistants_of(hass, entry)) == 1


async def start_subentry_flow(
    hass: HomeAssistant, entry: MockConfigEntry, context: SubentryFlowContext
) -> dict[str, Any]:
    """Return the step after the settings."""
    flows = hass.config_entries.subentries
    handler = (entry.entry_id, "conversation")
    flow = await flows.async_init(handler, context=context)
    await flows.async_configure(flow["flow_id"], {"agent": "kitchen"})
    return dict(await flows.async_configure(flow["flow_id"], SETTINGS))


async def test_an_added_agent_is_offered_one(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    context = SubentryFlowContext(source=SOURCE_USER)
    step = await start_subentry_flow(hass, entry, context)
    assert step["step_id"] == "assistant"
    assert step["description_placeholders"] == {"agent": "Chef"}

    flows = hass.config_entries.subentries
    await flows.async_configure(step["flow_id"], CREATE)
    await hass.async_block_till_done()

    [assistant] = assistants_of(hass, entry)
    assert assistant.name == "Chef"
    *_, added = entry.subentries.values()
    assert "create_assistant" not in added.data


async def test_other_settings_need_no_assistant(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    subentry_id, *_ = entry.subentries
    context = SubentryFlowContext(source=SOURCE_RECONFIGURE, subentry_id=subentry_id)
    result = await start_subentry_flow(hass, entry, context)
    assert result["type"] is FlowResultType.ABORT
    await hass.async_block_till_done()
    assert assistants_of(hass, entry) == []


async def test_a_disabled_agent_gets_no_assistant(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, pref_disable_new_entities=True)
    await hass.async_block_till_done()
    context = SubentryFlowContext(source=SOURCE_USER)
    step = await start_subentry_flow(hass, entry, context)
    flows = hass.config_entries.subentries
    await flows.async_configure(step["flow_id"], CREATE)
    await hass.async_block_till_done()
    assert assistants_of(hass, entry) == []


async def test_without_a_preferred_assistant_there_is_none(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    step = await log_in(hass, gateway)
    store = hass.data["assist_pipeline"].pipeline_store
    with patch.object(store, "async_get_preferred_item", return_value="gone"):
        entry = await finish(hass, step, CREATE)

    assert assistants_of(hass, entry) == []
    subentry, *_ = entry.subentries.values()
    assert "create_assistant" not in subentry.data


async def test_a_refusal_of_assist_costs_only_the_assistant(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    step = await log_in(hass, gateway)
    store = hass.data["assist_pipeline"].pipeline_store
    refusal = vol.Invalid("Need language stt_language for stt_engine stt.x")
    with patch.object(store, "async_create_item", side_effect=refusal):
        entry = await finish(hass, step, CREATE)

    assert assistants_of(hass, entry) == []
