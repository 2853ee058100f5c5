"""Home access of actions and AI tasks."""

import asyncio
from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import Context, HomeAssistant
import pytest

from custom_components.clawd.assist.prompt import NO_HOME_ACCESS
from custom_components.clawd.const import DOMAIN
from custom_components.clawd.flows.ai_task import new_ai_task
from tests.ha.ai_tasks import generate
from tests.ha.states import AGENT
from tests.simulator import GatewaySimulator, Pause, Reply

from .harness import Home


@pytest.fixture
def more_subentries() -> list[ConfigSubentryData]:
    """Return an AI task with the tools of the agent."""
    subentry = new_ai_task("main", "main")
    return [{**subentry, "data": {**subentry["data"], "agent_tools": True}}]


async def paused_ask(
    hass: HomeAssistant, gateway: GatewaySimulator, context: Context
) -> tuple[asyncio.Task[Any], str]:
    """Ask; return the action and its session once the agent is at work."""
    gateway.script(Pause(), Reply("Done."))
    data = {"agent": AGENT, "text": "Light, please."}
    # In the background: calls of the home wait for all other tasks.
    asked = hass.async_create_background_task(
        hass.services.async_call(DOMAIN, "ask", data, blocking=True, context=context),
        "ask",
    )
    await gateway.wait_paused()
    return asked, gateway.received("agent")[-1].params["sessionKey"]


async def test_an_asked_agent_controls_the_home_as_the_user_of_the_action(
    hass: HomeAssistant, home: Home, gateway: GatewaySimulator
) -> None:
    context = Context(user_id=home.user)
    asked, key = await paused_ask(hass, gateway, context)
    await home.call("HassTurnOn", name="Kitchen light", key=key)
    gateway.proceed()
    await asked

    state = hass.states.get("light.kitchen_light")
    assert state is not None
    assert state.context.user_id == home.user
    assert state.context.parent_id == context.id
    prompt = gateway.received("agent")[-1].params["extraSystemPrompt"]
    assert "home_control" in prompt
    assert NO_HOME_ACCESS not in prompt


async def test_an_automation_cannot_confirm(
    hass: HomeAssistant, home: Home, gateway: GatewaySimulator
) -> None:
    asked, key = await paused_ask(hass, gateway, Context())
    first = await home.refused("HassTurnOff", name="Front door", key=key)
    second = await home.refused("HassTurnOff", name="Front door", key=key)
    gateway.proceed()
    await asked

    assert "CONFIRMATION_REQUIRED" in first
    assert "CONFIRMATION_REQUIRED" in second
    assert home.effects == []


async def test_an_ai_task_is_told_of_no_access(
    hass: HomeAssistant, home: Home, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Done."))
    task = hass.async_create_background_task(generate(hass), "generate")
    await gateway.wait_paused()
    params = gateway.received("agent")[-1].params
    refused = await home.refused("GetLiveContext", key=params["sessionKey"])
    gateway.proceed()
    await task

    assert NO_HOME_ACCESS in params["extraSystemPrompt"]
    assert refused.startswith("NOT_ALLOWED")
