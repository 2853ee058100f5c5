"""YAML examples of the documentation."""

from collections.abc import AsyncGenerator
from datetime import timedelta
import json
from pathlib import Path
import re
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.script import Script, async_validate_actions_config
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.clawd.const import DOMAIN, EVENT_QUESTION
from custom_components.clawd.coordinator import ClawdConfigEntry
from custom_components.clawd.flows.ai_task import new_ai_task
from custom_components.clawd.reports import Status
from tests.simulator import AskUser, Fail, GatewaySimulator, Media, Pause, Reply

from .ai_tasks import TASK, cleaned_up
from .asking import ROOM, approve
from .assist_client import Conversation, wait_processed
from .check_stubs import check_stub, run_stubs
from .faults.requests import UNKNOWN_RESPONSE
from .pictures import add_camera, picture
from .states import ACTIVITY, AGENT, CONNECTIVITY, SELF_TEST_EVENT, wait_for_state

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
BLOCKS: list[Any] = [
    parse_yaml(block)
    for page in PAGES
    for block in FENCE.findall(page.read_text("utf-8"))
]
AUTOMATIONS: dict[str, Any] = {b["alias"]: b for b in BLOCKS if "triggers" in b}
ACTIONS = [block for block in BLOCKS if "triggers" not in block]


@pytest.fixture
def noon(freezer: FrozenDateTimeFactory) -> None:
    """Keep the nightly self-test hours away: a jump ahead would start it."""
    freezer.move_to(dt_util.utcnow().replace(hour=20))


@pytest.fixture
async def gateway(protocol: int) -> AsyncGenerator[GatewaySimulator]:
    """Run a Gateway that makes images, and data if that is asked for."""
    async with GatewaySimulator(protocol=protocol) as simulator:
        simulator.images.image = picture(8, 8, "PNG")
        yield simulator


@pytest.fixture
def more_subentries(hass: HomeAssistant, tmp_path: Path) -> list[ConfigSubentryData]:
    """Add the AI task, and a place for its images."""
    hass.config.media_dirs = {"local": str(tmp_path)}
    return [new_ai_task("main", "main")]


@pytest.fixture
async def notified(
    hass: HomeAssistant, entry: MockConfigEntry
) -> AsyncGenerator[list[ServiceCall]]:
    """Return the messages of all automations."""
    assert await async_setup_component(hass, "conversation", {})
    assert await async_setup_component(hass, "logger", {})
    calls = async_mock_service(hass, "persistent_notification", "create")
    hass.states.async_set("sensor.bedroom_humidity", "50")
    hass.states.async_set("sensor.outdoor_temperature", "12")
    config = {"automation": list(AUTOMATIONS.values())}
    assert await async_setup_component(hass, "automation", config)
    await hass.async_block_till_done()
    assert entry.runtime_data.reports.data is None
    yield calls
    every = {"entity_id": "all"}
    await hass.services.async_call("automation", "turn_off", every, blocking=True)


async def trigger(hass: HomeAssistant, alias: str) -> None:
    """Run an automation as if it had been triggered, its conditions included."""
    [state] = [s for s in hass.states.async_all("automation") if s.name == alias]
    fields = {"entity_id": state.entity_id, "skip_condition": False}
    await hass.services.async_call("automation", "trigger", fields, blocking=True)
    await hass.async_block_till_done()


async def test_every_automation_is_loaded(
    hass: HomeAssistant, notified: list[ServiceCall]
) -> None:
    assert notified == []
    states = {s.name: s.state for s in hass.states.async_all("automation")}
    assert states == dict.fromkeys(AUTOMATIONS, "on")


@pytest.mark.usefixtures("notified")
async def test_every_entity_of_the_gateway_that_is_named_is_there(
    hass: HomeAssistant,
) -> None:
    named = set(
        re.findall(
            r"\w+\.openclaw_gateway\w+|conversation\.(?!process)\w+|ai_task\.\w+_ai_\w+"
            r"|event\.main\w+",
            str(BLOCKS),
        )
    )
    assert named == {ACTIVITY, AGENT, CONNECTIVITY, SELF_TEST_EVENT, TASK}
    assert all(hass.states.get(entity_id) for entity_id in named)


async def asked_event(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> dict[str, Any]:
    """Return the trigger of an automation that an agent asks."""
    hass.config_entries.async_update_entry(entry, options={"ask_questions": True})
    await hass.async_block_till_done()
    await approve(gateway, entry)
    gateway.script(AskUser([ROOM]), Reply("Done."))
    events = async_capture_events(hass, EVENT_QUESTION)
    question = {"agent": AGENT, "text": "Turn it on."}
    await hass.services.async_call(
        DOMAIN, "start_task", question, blocking=True, return_response=True
    )
    await gateway.wait_until(lambda: bool(gateway.questions.open))
    await wait_processed(entry)
    [event] = events
    return {"event": event}


@pytest.mark.usefixtures("notified")
@pytest.mark.parametrize("block", ACTIONS, ids=str)
async def test_every_action_can_be_run(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    block: dict[str, Any],
) -> None:
    await add_camera(hass)
    structure = block["data"].get("structure", {})
    if structure:
        values = {"number": 2, "boolean": True}
        data = {
            name: values[next(iter(f["selector"]))] for name, f in structure.items()
        }
        gateway.script(Reply(json.dumps(data)))
    variables = {}
    if block["action"] == "clawd.cancel_task":
        gateway.script(Pause(), Reply("Late."))
        question = {"agent": AGENT, "text": "Think."}
        variables["started"] = await hass.services.async_call(
            DOMAIN, "start_task", question, blocking=True, return_response=True
        )
    if block["action"] == "clawd.answer":
        variables["trigger"] = await asked_event(hass, entry, gateway)
    sequence = cv.SCRIPT_SCHEMA([block])
    sequence = await async_validate_actions_config(hass, sequence)
    script = Script(hass, sequence, "example", DOMAIN)

    result = await script.async_run(variables)
    await cleaned_up(entry)

    variable = block.get("response_variable")
    assert result
    assert variable is None or result.variables[variable]


async def test_the_greeting_is_the_reply(
    hass: HomeAssistant, gateway: GatewaySimulator, notified: list[ServiceCall]
) -> None:
    gateway.script(Reply("Good morning to you all."))

    await trigger(hass, "The morning's greeting")

    [call] = notified
    assert call.data["message"] == "Good morning to you all."


async def test_what_the_agent_has_drawn_is_shown(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    notified: list[ServiceCall],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        hass.config, "cache_path", lambda *path: str(tmp_path.joinpath(*path))
    )
    shown = async_mock_service(hass, "notify", "mobile_app_phone")
    gateway.http.files["sky.png"] = ("image/png", picture(8, 8, "PNG"))
    gateway.script_once(Reply("Sunny."), Media(("sky.png",)))
    for _ in range(2):
        await trigger(hass, "Show a drawing")

    # The second reply has no picture.
    [call] = shown
    assert call.data["message"] == "Sunny."
    assert call.data["data"]["image"].startswith("/api/clawd/media/")
    assert notified == []


async def test_the_agent_gets_the_values_of_the_sensors(
    hass: HomeAssistant, gateway: GatewaySimulator, notified: list[ServiceCall]
) -> None:
    gateway.script(Reply("Yes."))

    hass.states.async_set("sensor.bedroom_humidity", "70")
    await hass.async_block_till_done()

    [request] = gateway.received("agent")
    assert "is 70 %, outside it is 12 °C." in request.params["message"]
    [call] = notified
    assert call.data["message"] == "Yes."


async def test_the_second_question_is_of_the_same_session(
    hass: HomeAssistant, gateway: GatewaySimulator, notified: list[ServiceCall]
) -> None:
    hass.bus.async_fire("joke_wanted")
    await hass.async_block_till_done()

    first, second = gateway.received("agent")
    assert first.params["sessionKey"] == second.params["sessionKey"]
    assert len(notified) == 1


@pytest.mark.usefixtures("noon")
async def test_a_gateway_that_stays_away_is_told(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    notified: list[ServiceCall],
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    assert notified == []

    later = dt_util.utcnow() + timedelta(minutes=5, seconds=1)
    async_fire_time_changed(hass, later)
    await hass.async_block_till_done()

    [call] = notified
    assert call.data["message"] == "It has not been connected for five minutes."


async def test_what_the_self_test_finds_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator, notified: list[ServiceCall]
) -> None:
    await trigger(hass, "The nightly self-test")
    assert notified == []

    gateway.send_raw(UNKNOWN_RESPONSE)
    await trigger(hass, "The nightly self-test")

    assert {call.data["message"] for call in notified} == {"orphan_responses"}


async def test_a_self_test_without_a_connection_says_why_it_failed(
    hass: HomeAssistant, gateway: GatewaySimulator, notified: list[ServiceCall]
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")

    await trigger(hass, "The nightly self-test")

    messages = [call.data["message"] for call in notified]
    assert messages == ["The Gateway is not connected."] * 2


async def test_the_event_of_a_failure_is_told(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    notified: list[ServiceCall],
    freezer: FrozenDateTimeFactory,
) -> None:
    await run_stubs(hass, entry, check_stub(Status.PASS))
    assert notified == []

    freezer.tick()
    await run_stubs(hass, entry, check_stub(Status.FAIL))

    [call] = notified
    assert call.data["message"] == "stub"


async def test_the_end_of_a_task_is_told(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    notified: list[ServiceCall],
) -> None:
    gateway.script_once(Reply("A small one."))
    gateway.script_once(Fail("the provider refuses"))
    for _ in range(2):
        question = {"agent": AGENT, "text": "Which one?", "name": "heat pump"}
        await hass.services.async_call(DOMAIN, "start_task", question, blocking=True)
        await cleaned_up(entry)
        await hass.async_block_till_done()

    assert [call.data["message"] for call in notified] == [
        "A small one.",
        "The agent could not answer: the provider refuses",
        "A task has failed.",
    ]


async def test_what_the_agent_says_by_itself_is_told(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    notified: list[ServiceCall],
) -> None:
    await Conversation(hass).say("Draw a cat", user="ada")
    [run] = gateway.runs.by_id.values()
    assert notified == []

    run = gateway.run(
        "?",
        Reply("It is drawn."),
        session_key=run.session.key,
        run_id="image_generate:39254929-b189:ok:agent-loop",
    )
    await run.done.wait()
    await wait_processed(entry)
    while tasks := entry.runtime_data.background_tasks:
        await next(iter(tasks))
        await hass.async_block_till_done()

    assert [call.data["message"] for call in notified] == ["There is news."]


@pytest.mark.parametrize(
    ("entity_id", "event_type"),
    [(SELF_TEST_EVENT, "failed"), (ACTIVITY, "message_from_elsewhere")],
)
async def test_an_event_that_is_removed_and_added_is_not_told(
    hass: HomeAssistant, notified: list[ServiceCall], entity_id: str, event_type: str
) -> None:
    attributes = {"event_type": event_type, "failed_checks": ["stub"]}
    hass.states.async_remove(entity_id)
    hass.states.async_set(entity_id, "2026-11-29T10:00:00+00:00", attributes)
    await hass.async_block_till_done()
    assert notified == []

    hass.states.async_set(entity_id, "2026-11-29T11:00:00+00:00", attributes)
    await hass.async_block_till_done()
    assert len(notified) == 1
