"""Tests of the subentry flow of conversation agents."""

from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntryState,
    ConfigSubentry,
    SubentryFlowContext,
)
from homeassistant.const import CONF_MODEL
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.flows.agent_schema import new_subentry
from tests.simulator import Agent, GatewaySimulator

from .devices import agent_device, gateway_device
from .states import AGENT, CONNECTIVITY, wait_for_state

ADVANCED = {
    "idle_timeout": 100,
    "deadline": 200,
    "tool_progress": True,
    "offer_to_agents": True,
}
HOME = {
    "home_access": "none",
    "from_elsewhere": "none",
    "sensitive": "ask",
    "llm_hass_api": ["assist"],
}
VOICE = {
    "spoken_part": "everything",
    "handoff_after": 30,
    "handoff_sentence": "One moment.",
    "fast_voice": True,
}
SETTINGS: dict[str, Any] = {
    "session_scope": "conversation",
    "permissions": "guarded",
    "instructions": "",
    "share_user_name": False,
    "speech_cleanup": True,
    "home": HOME,
    "voice": VOICE,
    "advanced": ADVANCED,
}


class Flow:
    """Subentry flow of an entry."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        """Initialize for the subentries of an entry."""
        self._flows = hass.config_entries.subentries
        self._hass = hass
        self._entry = entry
        self._flow_id = ""

    async def add(self) -> dict[str, Any]:
        """Start the flow that adds an agent."""
        return await self._start(SubentryFlowContext(source=SOURCE_USER))

    async def reconfigure(self) -> dict[str, Any]:
        """Start the reconfigure flow of the only agent."""
        [subentry_id] = self._entry.subentries
        return await self._start(
            SubentryFlowContext(source=SOURCE_RECONFIGURE, subentry_id=subentry_id)
        )

    async def submit(self, **answers: object) -> dict[str, Any]:
        """Submit the form and return the next step."""
        result = await self._flows.async_configure(self._flow_id, answers)
        await self._hass.async_block_till_done()
        return dict(result)

    async def _start(self, context: SubentryFlowContext) -> dict[str, Any]:
        handler = (self._entry.entry_id, "conversation")
        result = await self._flows.async_init(handler, context=context)
        self._flow_id = result["flow_id"]
        return dict(result)


@pytest.fixture
def flow(hass: HomeAssistant, entry: MockConfigEntry) -> Flow:
    """Return the subentry flow of a loaded entry."""
    return Flow(hass, entry)


def _names(form: dict[str, Any], section: str | None = None) -> set[str]:
    fields = form["data_schema"].schema
    if section:
        fields = fields[section].schema.schema
    return {str(name) for name in fields}


def _options(form: dict[str, Any], name: str) -> dict[str, str]:
    """Return the options of a field: labels by value."""
    options = form["data_schema"].schema[name].config["options"]
    return {option["value"]: option["label"] for option in options}


def _suggested(form: dict[str, Any], name: str) -> object:
    [marker] = [key for key in form["data_schema"].schema if key == name]
    return (marker.description or {}).get("suggested_value")


async def test_an_agent_is_added_with_its_device_and_entity(
    hass: HomeAssistant, entry: MockConfigEntry, flow: Flow
) -> None:
    form = await flow.add()
    assert _options(form, "agent") == {"main": "main", "kitchen": "Chef"}
    assert _options(form, "model") == {"mock/mock": "Mock", "mock/thinker": "Thinker"}
    assert _suggested(form, "agent") == "main"
    form = await flow.submit(agent="kitchen")
    assert form["step_id"] == "settings"
    result = await flow.submit(**SETTINGS, thinking="low")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    [_, subentry] = entry.subentries.values()
    assert subentry.title == "Chef"
    assert subentry.data == {
        "agent": "kitchen",
        "session_scope": "conversation",
        "permissions": "guarded",
        "instructions": "",
        "share_user_name": False,
        "speech_cleanup": True,
        "thinking": "low",
        **HOME,
        **VOICE,
        **ADVANCED,
    }
    state = hass.states.get("conversation.chef")
    assert state is not None
    assert state.state == "unknown"


async def test_unchanged_settings_are_the_defaults(
    entry: MockConfigEntry, flow: Flow
) -> None:
    await flow.add()
    await flow.submit(agent="main")
    await flow.submit(home={}, voice={}, advanced={})

    first, second = entry.subentries.values()
    assert first.data == second.data


def test_the_first_agent_has_the_same_defaults(entry: MockConfigEntry) -> None:
    [subentry] = entry.subentries.values()

    new = new_subentry("main", "Main")

    assert new["data"] == subentry.data
    assert new["title"] == "Main"


@pytest.mark.parametrize(
    ("chosen", "levels"),
    [
        ({"agent": "main"}, None),
        ({"agent": "kitchen"}, {"off", "low", "high"}),
        ({"agent": "main", "model": "mock/thinker"}, {"off", "low", "high"}),
        ({"agent": "kitchen", "model": "mock/mock"}, None),
    ],
)
async def test_only_thinking_levels_of_the_model_are_offered(
    flow: Flow, chosen: dict[str, str], levels: set[str] | None
) -> None:
    await flow.add()
    form = await flow.submit(**chosen)

    assert ("thinking" in _names(form)) is (levels is not None)
    assert levels is None or set(_options(form, "thinking")) == levels


@pytest.mark.parametrize("protocol", [3])
async def test_no_model_is_offered_where_none_can_be_chosen(flow: Flow) -> None:
    assert _names(await flow.add()) == {"agent"}


@pytest.mark.parametrize(
    ("answers", "errors"),
    [
        ({"session_scope": "named"}, {"session_name": "session_name_missing"}),
        (
            {"session_scope": "named", "session_name": "  "},
            {"session_name": "session_name_missing"},
        ),
        (
            {"session_scope": "named", "session_name": "0123456789ABCDEF" * 2},
            {"session_name": "session_name_reserved"},
        ),
        (
            {"advanced": {**ADVANCED, "deadline": 50}},
            {"base": "deadline_too_short"},
        ),
    ],
)
async def test_an_error_is_shown_and_the_input_stays(
    entry: MockConfigEntry,
    flow: Flow,
    answers: dict[str, Any],
    errors: dict[str, str],
) -> None:
    await flow.add()
    await flow.submit(agent="main")
    form = await flow.submit(**{**SETTINGS, "instructions": "Hm.", **answers})

    assert form["errors"] == errors
    assert _suggested(form, "instructions") == "Hm."
    assert len(entry.subentries) == 1
    await flow.submit(**{**SETTINGS, "session_scope": "named", "session_name": " Us "})
    [_, subentry] = entry.subentries.values()
    assert subentry.data["session_name"] == "Us"


async def test_a_template_with_an_error_is_refused_at_its_field(flow: Flow) -> None:
    await flow.add()
    await flow.submit(agent="main")

    with pytest.raises(InvalidData) as refused:
        await flow.submit(**{**SETTINGS, "instructions": "{{ user"})

    assert set(refused.value.schema_errors) == {"instructions"}


async def test_a_changed_agent_takes_effect_and_keeps_its_entity(
    hass: HomeAssistant, entry: MockConfigEntry, flow: Flow
) -> None:
    form = await flow.reconfigure()
    assert form["step_id"] == "reconfigure"
    assert _suggested(form, "agent") == "main"
    await flow.submit(agent="kitchen", model="mock/thinker")
    result = await flow.submit(**SETTINGS)

    assert result["reason"] == "reconfigure_successful"
    [subentry] = entry.subentries.values()
    assert (subentry.title, subentry.data["agent"]) == ("Chef", "kitchen")
    assert subentry.data[CONF_MODEL] == "mock/thinker"
    assert er.async_get(hass).async_get(AGENT)
    assert agent_device(hass, entry).model == "mock/thinker"


async def test_a_changed_setting_keeps_the_name(
    hass: HomeAssistant, entry: MockConfigEntry, flow: Flow
) -> None:
    [subentry] = entry.subentries.values()
    hass.config_entries.async_update_subentry(entry, subentry, title="Jeeves")
    await hass.async_block_till_done()

    await flow.reconfigure()
    await flow.submit(agent="main")
    await flow.submit(**SETTINGS)

    [subentry] = entry.subentries.values()
    assert subentry.title == "Jeeves"
    assert subentry.data["deadline"] == 200


@pytest.mark.parametrize(
    "agent_settings",
    [{"agent": "gone", "model": "old/model", "thinking": "ultra"}],
)
@pytest.mark.parametrize("protocol", [3, 4])
async def test_stored_choices_that_the_gateway_has_lost_can_be_kept(
    entry: MockConfigEntry, flow: Flow
) -> None:
    form = await flow.reconfigure()
    assert _options(form, "agent")["gone"] == "main"
    assert "old/model" in _options(form, "model")
    form = await flow.submit(agent="gone", model="old/model")
    assert "ultra" in _options(form, "thinking")
    await flow.submit(**SETTINGS, thinking="ultra")

    [subentry] = entry.subentries.values()
    assert subentry.title == "main"
    assert subentry.data["agent"] == "gone"


@pytest.mark.parametrize("agent_settings", [{"agent": "kitchen", "thinking": "low"}])
@pytest.mark.parametrize(
    ("chosen", "suggested"),
    [
        ({"agent": "kitchen"}, "low"),
        ({"agent": "main", "model": "mock/thinker"}, "low"),
        ({"agent": "main"}, None),
    ],
)
async def test_a_thinking_level_is_suggested_if_the_model_has_it(
    entry: MockConfigEntry,
    flow: Flow,
    chosen: dict[str, str],
    suggested: str | None,
) -> None:
    await flow.reconfigure()
    form = await flow.submit(**chosen)

    assert ("thinking" in _names(form)) is (suggested is not None)
    assert suggested is None or _suggested(form, "thinking") == suggested
    await flow.submit(**SETTINGS)
    [subentry] = entry.subentries.values()
    assert "thinking" not in subentry.data


@pytest.mark.parametrize(
    "agent_settings", [{"model": "mock/thinker", "thinking": "ultra"}]
)
async def test_removing_the_model_removes_its_thinking_level(
    flow: Flow,
) -> None:
    await flow.reconfigure()

    assert "thinking" not in _names(await flow.submit(agent="main"))


async def test_only_what_is_offered_can_be_chosen(flow: Flow) -> None:
    await flow.add()

    with pytest.raises(InvalidData):
        await flow.submit(agent="nobody")


async def test_an_unloaded_entry_aborts_the_flow(
    hass: HomeAssistant, entry: MockConfigEntry, flow: Flow
) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)

    assert (await flow.add())["reason"] == "entry_not_loaded"


async def test_an_unreachable_gateway_aborts_the_flow(
    hass: HomeAssistant, flow: Flow, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")

    assert (await flow.add())["reason"] == "cannot_connect"


async def test_an_agent_without_a_name_is_shown_by_its_id(
    flow: Flow, gateway: GatewaySimulator
) -> None:
    gateway.agents = (Agent("quiet"),)

    assert _options(await flow.add(), "agent") == {"quiet": "quiet"}


async def test_an_agents_device_is_connected_via_the_gateways(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    device = agent_device(hass, entry)

    assert device.via_device_id == gateway_device(hass, entry).id
    assert (device.name, device.model) == ("main", "mock/mock")


async def test_a_removed_agent_leaves_nothing_behind(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    [subentry_id] = entry.subentries

    hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done()

    assert hass.states.get(AGENT) is None
    assert er.async_get(hass).async_get(AGENT) is None


async def test_a_subentry_of_another_type_has_no_conversation_entity(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    other = ConfigSubentry(
        data=MappingProxyType({"agent": "main"}),
        subentry_type="ai_task_data",
        title="Task",
        unique_id=None,
    )

    hass.config_entries.async_add_subentry(entry, other)
    await hass.async_block_till_done()

    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get("conversation.task") is None


@pytest.mark.parametrize(
    ("after", "sentence", "stored"),
    [(0, "  ", {"handoff_after": 0}), (5, " Wait. ", {"handoff_sentence": "Wait."})],
)
async def test_the_hand_off_can_be_set(
    entry: MockConfigEntry,
    flow: Flow,
    after: int,
    sentence: str,
    stored: dict[str, Any],
) -> None:
    voice = {**VOICE, "handoff_after": after, "handoff_sentence": sentence}
    await flow.add()
    await flow.submit(agent="main")
    await flow.submit(**{**SETTINGS, "voice": voice})

    [_, subentry] = entry.subentries.values()
    wanted = {"handoff_after": after, **stored}
    assert {k: v for k, v in subentry.data.items() if "handoff" in k} == wanted


async def test_a_hand_off_that_comes_too_soon_is_refused(flow: Flow) -> None:
    await flow.add()
    await flow.submit(agent="main")
    form = await flow.submit(**{**SETTINGS, "voice": {**VOICE, "handoff_after": 4}})

    assert form["errors"] == {"base": "handoff_too_soon"}
