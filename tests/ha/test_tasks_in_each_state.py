"""Cancellation of tasks in each state."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant import config
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.clawd.assist.session_turns import async_take_turn
from custom_components.clawd.const import DOMAIN
from custom_components.clawd.coordinator import ClawdConfigEntry
from custom_components.clawd.util.drill_lock import drill_lock
from tests.simulator import GatewaySimulator, Pause, Reply

from .ai_tasks import cleaned_up
from .assist_client import wait_processed
from .self_test import run_self_test
from .states import AGENT, CONNECTIVITY, wait_for_state

pytestmark = pytest.mark.usefixtures("no_deletion_delays")

STRUCTURE = {"people": {"required": True, "selector": {"number": {}}}}
ABORTS = "chat.abort"


@pytest.fixture
def ends(hass: HomeAssistant) -> list[Event[Any]]:
    """Return the ends of tasks."""
    return async_capture_events(hass, "clawd_task_finished")


async def start(hass: HomeAssistant, **fields: object) -> str:
    """Start a task; return its id."""
    data = {"agent": AGENT, "text": "Hello", **fields}
    started: Any = await hass.services.async_call(
        DOMAIN, "start_task", data, blocking=True, return_response=True
    )
    return str(started["task_id"])


async def cancel(hass: HomeAssistant, task_id: str) -> None:
    """Cancel a task."""
    response = await hass.services.async_call(
        DOMAIN, "cancel_task", {"task_id": task_id}, blocking=True, return_response=True
    )
    assert response == {"task_id": task_id}


async def wait_idle(entry: ClawdConfigEntry, gateway: GatewaySimulator) -> None:
    """Wait until nothing is at work; nothing may be left."""
    await gateway.wait_until(lambda: not gateway.runs.active())
    await cleaned_up(entry)
    runtime = entry.runtime_data
    assert gateway.runs.sessions == {}
    assert runtime.ended_sessions == set()
    assert runtime.started_tasks == {}


async def paused(_: ClawdConfigEntry, gateway: GatewaySimulator) -> None:
    """Wait until the run pauses."""
    await gateway.wait_paused()


async def streaming(entry: ClawdConfigEntry, gateway: GatewaySimulator) -> None:
    """Wait until the first words have come."""
    await gateway.wait_paused()
    await wait_processed(entry)


type Wait = Callable[[ClawdConfigEntry, GatewaySimulator], Awaitable[None]]


@pytest.mark.parametrize(
    ("script", "wait"),
    [
        ([(Pause(), Reply("Late."))], paused),
        ([(Reply("One "), Pause(), Reply("two."))], streaming),
        ([(Reply("No data."),), (Pause(), Reply("Late."))], paused),
    ],
    ids=["accepted", "streaming", "repair turn"],
)
async def test_a_run_at_work_is_stopped_and_its_session_deleted(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    ends: list[Event[Any]],
    script: list[tuple[Any, ...]],
    wait: Wait,
) -> None:
    for steps in script:
        gateway.script_once(*steps)
    task_id = await start(hass, structure=STRUCTURE)
    await wait(entry, gateway)

    await cancel(hass, task_id)

    await wait_idle(entry, gateway)
    [abort] = gateway.received(ABORTS)
    last = gateway.received("agent")[-1]
    assert abort.params["runId"] == last.params["idempotencyKey"]
    assert len(gateway.received("agent")) == len(script)
    assert [(end.data["status"], end.data["task_id"]) for end in ends] == [
        ("cancelled", task_id)
    ]


async def test_a_run_is_stopped_before_it_is_accepted(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    ends: list[Event[Any]],
) -> None:
    gateway.script(Pause(), Reply("Late."))
    gateway.hold("agent")
    gateway.hold("sessions.describe")
    task_id = await start(hass)
    await gateway.wait_for_request("agent")

    await cancel(hass, task_id)

    assert [end.data["status"] for end in ends] == ["cancelled"]
    # The Gateway handles the requests of a connection in their order.
    gateway.release("agent")
    await gateway.wait_for_request(ABORTS)
    gateway.release("sessions.describe")
    await wait_idle(entry, gateway)


async def test_a_task_that_waits_for_its_session_is_cancelled(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    ends: list[Event[Any]],
) -> None:
    [subentry] = entry.subentries.values()
    async with async_take_turn(entry, subentry, "agent:main:ha-us", 1):
        task_id = await start(hass, session="us")
        await cancel(hass, task_id)
    assert [end.data["status"] for end in ends] == ["cancelled"]
    assert gateway.received("agent") == gateway.received(ABORTS) == []
    await wait_idle(entry, gateway)


async def test_a_task_that_waits_for_a_drill_is_cancelled(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    ends: list[Event[Any]],
) -> None:
    async with drill_lock(entry).drill():
        await cancel(hass, await start(hass))
    assert [end.data["status"] for end in ends] == ["cancelled"]
    assert gateway.received("agent") == []
    await wait_idle(entry, gateway)


@pytest.mark.parametrize("held", ["sessions.describe", "sessions.delete"])
async def test_a_task_whose_session_is_cleaned_up_has_ended(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    ends: list[Event[Any]],
    held: str,
) -> None:
    gateway.script(Reply("Done."))
    gateway.hold(held)
    task_id = await start(hass)
    await gateway.wait_for_request(held)

    with pytest.raises(ServiceValidationError) as error:
        await cancel(hass, task_id)

    assert error.value.translation_key == "no_such_task"
    gateway.release(held)
    await wait_idle(entry, gateway)
    assert [end.data["status"] for end in ends] == ["completed"]
    assert gateway.received(ABORTS) == []


async def test_a_task_that_is_cancelled_twice_at_once_ends_once(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    ends: list[Event[Any]],
) -> None:
    gateway.script(Pause(), Reply("Late."))
    task_id = await start(hass)
    await gateway.wait_paused()
    gateway.hold(ABORTS)
    cancels = [hass.async_create_task(cancel(hass, task_id)) for _ in range(2)]
    await gateway.wait_for_request(ABORTS)
    gateway.release(ABORTS)
    await asyncio.gather(*cancels)

    await wait_idle(entry, gateway)
    assert [end.data["status"] for end in ends] == ["cancelled"]
    report = await run_self_test(hass, checks=["tasks_map", "throwaway_sessions"])
    assert report["status"] == "pass"


@pytest.mark.parametrize("fields", [{}, {"session": "us"}])
async def test_a_task_whose_agent_is_deleted_is_stopped(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    ends: list[Event[Any]],
    fields: dict[str, str],
) -> None:
    gateway.script(Pause(), Reply("Late."))
    await start(hass, **fields)
    await gateway.wait_paused()
    [subentry] = entry.subentries

    assert hass.config_entries.async_remove_subentry(entry, subentry)
    await hass.async_block_till_done()

    assert [end.data["status"] for end in ends] == ["cancelled"]
    await gateway.wait_until(lambda: not gateway.runs.active())
    assert len(gateway.received(ABORTS)) == 1
    await cleaned_up(entry)
    # A named session stays.
    assert len(gateway.runs.sessions) == len(fields)
    with pytest.raises(ServiceValidationError) as error:
        await start(hass)
    assert error.value.translation_key == "no_such_agent"


async def test_an_agent_that_the_gateway_has_no_more_is_told(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    ends: list[Event[Any]],
) -> None:
    gateway.agents = tuple(one for one in gateway.agents if one.id != "main")
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await entry.runtime_data.client.wait_connected()
    await start(hass)
    await cleaned_up(entry)
    [end] = ends
    assert end.data["status"] == "failed"
    assert "no longer exists" in end.data["error"]


AUTOMATION = {
    "alias": "Ask",
    "triggers": {"trigger": "event", "event_type": "ring"},
    "actions": {
        "action": f"{DOMAIN}.ask",
        "data": {"agent": AGENT, "text": "Who is it?"},
        "response_variable": "answer",
    },
}


@pytest.mark.parametrize("stop", ["turn_off", "reload"])
async def test_an_automation_that_is_stopped_stops_the_agent(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    stop: str,
) -> None:
    monkeypatch.setattr(config, "load_yaml_config_file", lambda *_: {})
    gateway.script(Reply("One "), Pause(), Reply("two."))
    assert await async_setup_component(hass, "automation", {"automation": AUTOMATION})
    hass.bus.async_fire("ring")
    await gateway.wait_paused()
    await wait_processed(entry)

    target = {"entity_id": "automation.ask"} if stop == "turn_off" else {}
    await hass.services.async_call("automation", stop, target, blocking=True)

    [abort] = await _aborts(gateway)
    [run] = gateway.received("agent")
    assert abort.params["runId"] == run.params["idempotencyKey"]
    await wait_idle(entry, gateway)


async def _aborts(gateway: GatewaySimulator) -> list[Any]:
    await gateway.wait_for_request(ABORTS)
    return gateway.received(ABORTS)


@pytest.mark.parametrize(("target", "status"), [("42", "sent"), ("@nobody", "failed")])
async def test_what_became_of_a_delivery_is_told(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    ends: list[Event[Any]],
    target: str,
    status: str,
) -> None:
    data = {"agent": AGENT, "text": "Hello", "channel": "telegram", "target": target}
    answer: Any = await hass.services.async_call(
        DOMAIN, "ask", data, blocking=True, return_response=True
    )
    assert answer["delivery"] == status
    assert answer["text"]
    await start(hass, **data)
    await cleaned_up(entry)
    [end] = ends
    assert (end.data["status"], end.data["delivery"]) == ("completed", status)


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("channel", "key"), [("telegram", "delivery_failed"), ("none", "delivery_refused")]
)
async def test_a_reply_that_is_not_sent_is_an_error_where_nobody_is_told(
    hass: HomeAssistant, channel: str, key: str
) -> None:
    data = {"agent": AGENT, "text": "Hello", "channel": channel, "target": "@nobody"}
    with pytest.raises(HomeAssistantError) as error:
        await hass.services.async_call(DOMAIN, "ask", data, blocking=True)
    assert error.value.translation_key == key


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("protocol", [3])
async def test_clawdbot_is_not_asked_to_go_on_without_a_delivery(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    data = {"agent": AGENT, "text": "Hello", "channel": "telegram", "target": "42"}
    await hass.services.async_call(DOMAIN, "ask", data, blocking=True)
    [request] = gateway.received("agent")
    assert "bestEffortDeliver" not in request.params
