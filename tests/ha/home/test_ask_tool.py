"""Tool to ask an agent."""

import json
from typing import Any

from homeassistant.auth.const import GROUP_ID_READ_ONLY
from homeassistant.components import conversation
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import entity_registry as er, llm
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.clawd.assist import ask_tool
from custom_components.clawd.flows.agent_schema import new_subentry
from custom_components.clawd.gateway import Json, NodeCall, NodeCallError
from custom_components.clawd.home.apis import HAS_PLATFORMS, llm_context
from custom_components.clawd.llm import async_get_tools
from tests.ha.downloads import Download
from tests.ha.states import AGENT
from tests.simulator import Fail, GatewaySimulator, Pause, Reply

from .harness import Home
from .local_model import ASK, LOCAL, LocalModel, add_local_model, traced_usage

pytestmark = pytest.mark.skipif(
    not HAS_PLATFORMS, reason="integrations offer tools since 2026.10"
)

OFFERED = {"offer_to_agents": True}
_OTHER = new_subentry("main", "Researcher")
RESEARCHER: Any = {**_OTHER, "data": {**_OTHER["data"], **OFFERED}}


@pytest.fixture
def home_settings() -> dict[str, Any]:
    """Return the settings of an agent that is offered."""
    return OFFERED


@pytest.fixture
async def model(hass: HomeAssistant, home: Home) -> LocalModel:  # noqa: ARG001 - set up first
    """Return the model of another integration."""
    return await add_local_model(hass)


def context_of(platform: str) -> llm.LLMContext:
    """Return the context of an integration that asks for tools."""
    return llm.LLMContext(platform, Context(), "en", "conversation", None)


def answered(text: str) -> llm.ToolResult:
    """Return the result of a question that was answered."""
    return llm.ToolResult({"answer": text, "note": ask_tool.NOTE})


async def call(home: Home, key: str, action: str, name: str) -> None:
    """Call a tool of the home, while the model waits for the agent."""
    arguments: dict[str, Json] = {"action": action, "name": name}
    await home.service.async_handle(NodeCall("1", None, arguments, key, 5.0))


async def test_a_model_gets_the_answer_of_an_agent(
    hass: HomeAssistant, model: LocalModel, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("<think>Hm.</think>Because of Rayleigh."))

    result = await model.ask(hass)

    assert result == answered("Because of Rayleigh.")
    [request] = gateway.received("agent")
    assert request.params["message"] == "Why is the sky blue?"
    assert "ha-task-" in request.params["sessionKey"]
    assert "Another assistant of Home Assistant" in request.params["extraSystemPrompt"]
    assert traced_usage() == [
        {
            "stats": {
                "input_tokens": 10,
                "cached_input_tokens": 0,
                "output_tokens": 20,
                "cost": 0,
            },
            "model": "mock/mock",
        }
    ]
    tool = model.tools[ASK]
    assert tool.integration == "clawd"
    assert set(tool.parameters.schema) == {"question"}
    assert "conversation.main (main)" in str(tool.description)


@pytest.mark.parametrize("home_settings", [{}])
async def test_no_agent_is_offered_by_default(
    hass: HomeAssistant, model: LocalModel, gateway: GatewaySimulator
) -> None:
    result = await model.ask(hass)

    assert ASK not in model.tools
    assert result.error
    assert not gateway.received("agent")


@pytest.mark.usefixtures("model")
async def test_who_is_not_offered_the_tool(hass: HomeAssistant) -> None:
    api = llm.LLM_API_ASSIST
    assert async_get_tools(hass, context_of("ollama"), api)
    assert async_get_tools(hass, context_of("ollama"), "homeassistant") is None
    assert async_get_tools(hass, context_of("mcp_server"), api) is None
    assert async_get_tools(hass, llm_context(hass), api) is None


async def test_a_disabled_agent_is_not_offered(
    hass: HomeAssistant, model: LocalModel
) -> None:
    disabled = er.RegistryEntryDisabler.USER
    er.async_get(hass).async_update_entity(AGENT, disabled_by=disabled)

    await model.ask(hass)
    assert ASK not in model.tools

    er.async_get(hass).async_remove(AGENT)
    await model.ask(hass)
    assert ASK not in model.tools


@pytest.mark.parametrize("more_subentries", [[RESEARCHER]])
@pytest.mark.parametrize("agent", [None, "conversation.researcher"])
async def test_the_model_chooses_one_of_two_agents(
    hass: HomeAssistant, model: LocalModel, gateway: GatewaySimulator, agent: str | None
) -> None:
    gateway.script(Reply("Found."))
    model.arguments = {"agent": agent} if agent else {}
    assert await model.ask(hass) == answered("Found.")
    assert set(model.tools[ASK].parameters.schema) == {"question", "agent"}
    assert "conversation.researcher (Researcher)" in str(model.tools[ASK].description)


@pytest.mark.parametrize("more_subentries", [[RESEARCHER]])
async def test_another_name_is_an_error_for_the_model(
    hass: HomeAssistant, model: LocalModel
) -> None:
    model.arguments = {"agent": "conversation.nobody"}
    result = await model.ask(hass)
    assert result.error
    assert result.data["error"] == "MultipleInvalid"


async def test_a_device_and_its_user_are_told(
    hass: HomeAssistant,
    model: LocalModel,
    gateway: GatewaySimulator,
    kitchen_device: str,
) -> None:
    gateway.script(Reply("Yes."))
    await conversation.async_converse(
        hass, "Is it?", None, Context(), "en", LOCAL, device_id=kitchen_device
    )
    assert model.results[-1] == answered("Yes.")
    prompt = gateway.received("agent")[-1].params["extraSystemPrompt"]
    assert 'voice device "Satellite" in the area "Kitchen"' in prompt


async def test_an_administrator_lends_no_rights_on_the_machine(
    hass: HomeAssistant, home: Home, model: LocalModel, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Yes."))
    await model.ask(hass, context=Context(user_id=home.user))
    modes = [r.params.get("permissionMode") for r in gateway.received("sessions.patch")]
    assert modes[0] == "guarded"


async def test_the_home_is_reached_with_the_rights_of_who_spoke(
    hass: HomeAssistant, home: Home, model: LocalModel, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Done."))
    context = Context(user_id=home.user)
    asked = hass.async_create_background_task(model.ask(hass, context=context), "ask")
    await gateway.wait_paused()
    key = gateway.received("agent")[-1].params["sessionKey"]

    await call(home, key, "HassTurnOn", "Kitchen light")
    # No person can confirm there, however often it is called.
    for _ in range(2):
        with pytest.raises(NodeCallError) as refused:
            await call(home, key, "HassTurnOff", "Front door")
        assert refused.value.code == "CONFIRMATION_REQUIRED"
    gateway.proceed()
    await asked

    state = hass.states.get("light.kitchen_light")
    assert state
    assert state.context.user_id == home.user
    assert state.context.parent_id == context.id


async def test_a_user_without_permission_for_the_agent_gets_no_answer(
    hass: HomeAssistant, model: LocalModel, gateway: GatewaySimulator
) -> None:
    group = await hass.auth.async_get_group(GROUP_ID_READ_ONLY)
    assert group
    user = MockUser(groups=[group]).add_to_hass(hass)
    result = await model.ask(hass, context=Context(user_id=user.id))
    assert result == llm.ToolResult({"error": "Unauthorized"}, error=True)
    assert not gateway.received("agent")


async def test_errors_are_told_to_the_model_and_counted(
    hass: HomeAssistant,
    model: LocalModel,
    gateway: GatewaySimulator,
    download: Download,
) -> None:
    gateway.script_once(Fail("no more credits"))
    failed = await model.ask(hass)
    assert failed.error
    assert "no more credits" in str(failed.data["error"])

    model.arguments = {"question": " …"}
    assert await model.ask(hass) == llm.ToolResult(
        {"error": "There was no question"}, error=True
    )

    gateway.script(Reply("Yes."))
    model.arguments = {}
    await model.ask(hass)
    diagnostics = json.loads(await download())["data"]
    assert diagnostics["asked_by_assistants"] == {
        "open": 0,
        "outcomes": {"agent_failed_because": 1, "blank_question": 1, "answered": 1},
    }


@pytest.mark.parametrize(
    ("question", "asked"), [("/new Why?", ["Why?"]), ("/reset\n", []), (" /NEW ", [])]
)
async def test_a_command_for_a_new_conversation_is_no_question(
    hass: HomeAssistant,
    model: LocalModel,
    gateway: GatewaySimulator,
    question: str,
    asked: list[str],
) -> None:
    gateway.script(Reply("Because."))
    model.arguments = {"question": question}
    result = await model.ask(hass)
    if asked:
        assert result == answered("Because.")
    else:
        assert result.data == {"error": "There was no question"}
    assert [one.params["message"] for one in gateway.received("agent")] == asked


async def test_many_questions_at_a_time_are_refused(
    hass: HomeAssistant,
    model: LocalModel,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ask_tool, "MAX_OPEN", 1)
    gateway.script(Pause(), Reply("Yes."))
    asked = hass.async_create_background_task(model.ask(hass), "ask")
    await gateway.wait_paused()

    refused = await model.ask(hass)
    assert refused.error
    assert str(refused.data["error"]).startswith("Too many tasks are running (1)")

    gateway.proceed()
    assert (await asked) == answered("Yes.")


@pytest.mark.parametrize(("limit", "time"), [("MINUTE", "minute"), ("HOUR", "hour")])
async def test_an_agent_that_is_asked_again_and_again_is_left_alone(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    model: LocalModel,
    gateway: GatewaySimulator,
    download: Download,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    time: str,
) -> None:
    # As in a loop through Home Assistant's MCP server, or a state that changes later.
    monkeypatch.setattr(ask_tool, f"MAX_ASKED_OF_{limit}", 1)
    gateway.script(Reply("Yes."))
    assert await model.ask(hass) == answered("Yes.")

    refused = await model.ask(hass)

    assert refused.error
    assert f"at most 1 questions a{'n' * (time == 'hour')} {time}" in str(refused.data)
    assert len(gateway.received("agent")) == 1
    asked = json.loads(await download())["data"]["asked_by_assistants"]
    assert asked["outcomes"] == {"answered": 1, "TOO_MANY_CALLS": 1}


async def test_a_long_answer_is_cut(
    hass: HomeAssistant,
    model: LocalModel,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ask_tool, "MAX_ANSWER", 5)
    gateway.script(Reply("Because"))
    assert (await model.ask(hass)) == answered("Becau …")


async def test_an_offer_that_is_withdrawn_is_refused(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    model: LocalModel,
    gateway: GatewaySimulator,
) -> None:
    await model.keep_tools(hass)
    [subentry] = new_entry.subentries.values()
    data = {**subentry.data, "offer_to_agents": False}
    hass.config_entries.async_update_subentry(new_entry, subentry, data=data)
    await hass.async_block_till_done()

    result = await model.ask(hass)

    assert result == llm.ToolResult(
        {"error": "This agent is not offered to other assistants"}, error=True
    )
    assert not gateway.received("agent")


@pytest.mark.parametrize("keeps_tools", [False, True])
async def test_what_an_agent_sets_off_asks_no_agent(
    hass: HomeAssistant,
    home: Home,
    model: LocalModel,
    gateway: GatewaySimulator,
    *,
    keeps_tools: bool,
) -> None:
    automation = {
        "trigger": {"platform": "event", "event_type": "done"},
        "action": {
            "action": "conversation.process",
            "data": {"agent_id": LOCAL, "text": "And now?"},
        },
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    if keeps_tools:
        await model.keep_tools(hass)
    gateway.script(Pause(), Reply("Done."))
    asked = hass.async_create_background_task(model.ask(hass), "ask")
    await gateway.wait_paused()
    key = gateway.received("agent")[-1].params["sessionKey"]

    await call(home, key, "HassTurnOn", "Kitchen light")
    await model.answered.wait()

    [inner] = model.results
    assert inner.error
    assert (ASK in model.tools) is keeps_tools
    if keeps_tools:
        text = "An agent of a Gateway cannot be asked on behalf of another one"
        assert inner.data == {"error": text}
    gateway.proceed()
    assert (await asked) == answered("Done.")
    assert len(gateway.received("agent")) == 1
    # A person asks again.
    model.kept = None
    gateway.script(Reply("Yes."))
    assert (await model.ask(hass)) == answered("Yes.")
