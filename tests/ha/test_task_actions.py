"""Actions `clawd.start_task` and `clawd.cancel_task`."""

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.clawd.actions import start_task
from custom_components.clawd.coordinator import ClawdConfigEntry
from custom_components.clawd.util.drill_lock import drill_lock
from tests.simulator import Fail, GatewaySimulator, Pause, Reply

from .action_calls import STRUCTURE, call
from .ai_tasks import cleaned_up
from .assist_client import wait_processed
from .states import AGENT, state_of

pytestmark = pytest.mark.usefixtures("no_deletion_delays")


async def test_a_task_ends_in_an_event(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    events = async_capture_events(hass, "clawd_task_finished")
    gateway.script(Pause(), Reply('{"people": 2}'))
    context = Context()
    started = await call(
        hass,
        "start_task",
        context,
        agent=AGENT,
        text="Count.",
        name="count",
        structure=STRUCTURE,
    )
    assert [*entry.runtime_data.started_tasks] == [started["task_id"]]
    await gateway.wait_paused()
    assert events == []

    gateway.proceed()
    await cleaned_up(entry)

    [event] = events
    assert event.context is context
    assert event.data["task_id"] == started["task_id"]
    assert (event.data["name"], event.data["agent"]) == ("count", AGENT)
    assert (event.data["status"], event.data["data"]) == ("completed", {"people": 2})
    assert event.data["usage"]["total_tokens"] == 30
    assert entry.runtime_data.started_tasks == {}


async def test_a_failed_task_tells_why(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    events = async_capture_events(hass, "clawd_task_finished")
    gateway.script(Fail("the provider refuses"))
    await call(hass, "start_task", agent=AGENT, text="Hello")
    await cleaned_up(entry)
    [event] = events
    assert event.data["status"] == "failed"
    assert event.data["error"] == "The agent could not answer: the provider refuses"


async def _cancel(hass: HomeAssistant, task_id: str) -> None:
    response = await call(hass, "cancel_task", task_id=task_id)
    assert response == {"task_id": task_id}


async def test_a_task_is_cancelled_while_it_runs(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    events = async_capture_events(hass, "clawd_task_finished")
    gateway.script(Pause(), Reply("Late."))
    started = await call(hass, "start_task", agent=AGENT, text="Hello")
    await gateway.wait_paused()
    await _cancel(hass, started["task_id"])
    await hass.async_block_till_done()
    assert [event.data["status"] for event in events] == ["cancelled"]
    await gateway.wait_for_request("chat.abort")
    await cleaned_up(entry)
    assert gateway.runs.sessions == {}


async def test_the_sensor_counts_a_task_until_it_ends(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    tasks = "sensor.openclaw_gateway_tasks"
    gateway.script(Pause(), Reply("Late."))
    started = await call(hass, "start_task", agent=AGENT, text="Hello")
    assert state_of(hass, tasks).state == "1"

    await _cancel(hass, started["task_id"])
    await hass.async_block_till_done()

    assert state_of(hass, tasks).state == "0"
    await cleaned_up(entry)


async def test_a_task_is_cancelled_before_it_runs(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    events = async_capture_events(hass, "clawd_task_finished")
    async with drill_lock(entry).drill():
        started = await call(hass, "start_task", agent=AGENT, text="Hello")
        await _cancel(hass, started["task_id"])
    await hass.async_block_till_done()
    assert [event.data["status"] for event in events] == ["cancelled"]
    assert gateway.received("agent") == []


async def test_a_task_is_cancelled_in_its_second_turn(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    events = async_capture_events(hass, "clawd_task_finished")
    gateway.script_once(Reply("Two."))
    gateway.script_once(Pause(), Reply("Late."))
    started = await call(
        hass, "start_task", agent=AGENT, text="Hello", structure=STRUCTURE
    )
    await gateway.wait_paused()
    await _cancel(hass, started["task_id"])
    await cleaned_up(entry)
    assert [event.data["status"] for event in events] == ["cancelled"]


@pytest.mark.usefixtures("entry")
async def test_a_task_that_has_ended_is_not_cancelled(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Done."))
    started = await call(hass, "start_task", agent=AGENT, text="Hello")
    await cleaned_up(entry)
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "cancel_task", task_id=started["task_id"])
    assert error.value.translation_key == "no_such_task"


async def test_a_task_ends_with_its_gateway(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    events = async_capture_events(hass, "clawd_task_finished")
    gateway.script(Pause(), Reply("Late."))
    await call(hass, "start_task", agent=AGENT, text="Hello")
    await gateway.wait_paused()
    await wait_processed(entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert [event.data["status"] for event in events] == ["cancelled"]


async def test_an_automation_that_runs_wild_starts_few_tasks(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start_task, "MAX_TASKS", 1)
    gateway.script(Pause(), Reply("Done."))
    await call(hass, "start_task", agent=AGENT, text="Hello")
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "start_task", agent=AGENT, text="Hello")
    assert error.value.translation_key == "too_many_tasks"
    await gateway.wait_paused()
    gateway.proceed()
    await cleaned_up(entry)
