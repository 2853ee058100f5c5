"""AI tasks have no access to the home."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.clawd.assist.attachments import File
from custom_components.clawd.assist.generation import async_generate
from custom_components.clawd.assist.turns import Task
from custom_components.clawd.home.origin import CallOrigin
from tests.ha.repair import open_issues
from tests.simulator import GatewaySimulator, Pause, Reply

from .harness import Home

REFUSED = "NOT_ALLOWED: AI tasks cannot reach the home."
TASK_SESSION = "agent:main:ha-task-1234abcd-1"
SUBAGENT = "agent:main:subagent:1"

pytestmark = pytest.mark.usefixtures("house")
may_control = pytest.mark.parametrize("home_settings", [{"from_elsewhere": "control"}])


async def call_of(
    hass: HomeAssistant, home: Home, gateway: GatewaySimulator, task: Task
) -> str:
    """Turn a light on in the run of a task; return the result or the refusal."""
    gateway.script(Pause(), Reply("Done."))
    coordinator = home.entry.runtime_data.coordinator
    subentry = home.entry.subentries[home.subentry_id]
    running = hass.async_create_background_task(
        async_generate(hass, coordinator, subentry, replace(task)), "task"
    )
    await gateway.wait_paused()
    [request] = gateway.received("chat.send" if task.files else "agent")
    key = request.params["sessionKey"]
    assert ":ha-task-" in key
    gateway.described[key] = {"chatType": "direct"}
    try:
        if task.origin:
            return await home.call("HassTurnOn", key=key, name="Kitchen light")
        return await home.refused("HassTurnOn", key=key, name="Kitchen light")
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError, HomeAssistantError):
            await running


@may_control
@pytest.mark.parametrize(
    "task",
    [
        Task(text="Sum up.", files=(File("application/pdf", "a.pdf", b"%PDF"),)),
        Task(text="Sum up.", with_tools=True),
    ],
    ids=["file", "tools"],
)
async def test_a_task_cannot_reach_the_home_even_from_elsewhere(
    hass: HomeAssistant, home: Home, gateway: GatewaySimulator, task: Task
) -> None:
    assert await call_of(hass, home, gateway, task) == REFUSED
    assert home.effects == []


async def test_a_question_of_somebody_still_can(
    hass: HomeAssistant, home: Home, gateway: GatewaySimulator
) -> None:
    origin = CallOrigin(home.subentry_id, "1", "en", user_id=home.user)
    task = Task(text="Turn it on.", with_tools=True, origin=origin)
    await call_of(hass, home, gateway, task)
    assert home.effects == ["on"]


@may_control
@pytest.mark.parametrize("parent", [TASK_SESSION, TASK_SESSION.upper(), f"{SUBAGENT}1"])
async def test_neither_can_what_a_task_starts(
    home: Home, gateway: GatewaySimulator, parent: str
) -> None:
    gateway.described[TASK_SESSION] = {"chatType": "direct"}
    gateway.described[SUBAGENT] = {"spawnedBy": parent}
    gateway.described[f"{SUBAGENT}1"] = {"spawnedBy": TASK_SESSION}
    refused = await home.refused("HassTurnOn", key=SUBAGENT, name="Kitchen light")
    assert refused == REFUSED
    assert home.effects == []


@may_control
async def test_a_task_starts_a_session_that_is_no_sub_agent(
    home: Home, gateway: GatewaySimulator
) -> None:
    key = "agent:main:acp:1"
    gateway.described[TASK_SESSION] = {"chatType": "direct"}
    gateway.described[key] = {"chatType": "direct", "spawnedBy": TASK_SESSION}
    refused = await home.refused("HassTurnOn", key=key, name="Kitchen light")
    assert refused == REFUSED


@may_control
async def test_a_circle_of_sessions_gets_nothing(
    home: Home, gateway: GatewaySimulator
) -> None:
    gateway.described[SUBAGENT] = {"spawnedBy": SUBAGENT}
    refused = await home.refused("HassTurnOn", key=SUBAGENT, name="Kitchen light")
    assert refused.startswith("NOT_ALLOWED: ")


async def test_no_repair_offers_it(hass: HomeAssistant, home: Home) -> None:
    key = TASK_SESSION.upper().replace("AGENT:MAIN", "agent:main")
    assert await home.refused("GetDateTime", key=key) == REFUSED
    assert open_issues(hass) == {}
