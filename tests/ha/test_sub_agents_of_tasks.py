"""Sub-agents of tasks, whose sessions are deleted."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.clawd.coordinator import ClawdConfigEntry
from custom_components.clawd.device_automation.events import EVENT_AGENT
from tests.simulator import GatewaySimulator, Pause, Reply, Spawn

from .action_calls import STRUCTURE, ask, call
from .ai_tasks import cleaned_up
from .assist_client import wait_processed
from .events import types
from .self_test import run_self_test
from .states import AGENT

pytestmark = pytest.mark.usefixtures("no_deletion_delays")

LATE_CHILD = Spawn((Pause(), *Spawn().child), (Reply("The report."),))


def task_sessions(gateway: GatewaySimulator) -> list[str]:
    """Return the sessions of tasks at the Gateway."""
    return [key for key in gateway.runs.sessions if ":ha-task-" in key]


async def end_sub_agent(entry: ClawdConfigEntry, gateway: GatewaySimulator) -> None:
    """Let a sub-agent end, and have its end told."""
    count = len(gateway.runs.by_id)
    gateway.proceed()
    await gateway.wait_until(lambda: len(gateway.runs.by_id) == count + 1)
    await gateway.wait_until(lambda: not gateway.runs.active())
    await wait_processed(entry)


@pytest.mark.parametrize("action", ["ask", "start_task"])
async def test_the_end_of_a_sub_agent_leaves_no_session(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator, action: str
) -> None:
    events = async_capture_events(hass, EVENT_AGENT)
    gateway.script_once(LATE_CHILD, Reply("I started it."))
    await call(hass, action, agent=AGENT, text="Look it up.")
    await gateway.wait_paused()
    await cleaned_up(entry)
    assert task_sessions(gateway) == []

    await end_sub_agent(entry, gateway)
    await cleaned_up(entry)

    assert task_sessions(gateway) == []
    assert types(events) == ["reply" if action == "ask" else "task_finished"]
    assert not hass.data.get("persistent_notification")
    report = await run_self_test(hass, checks=["throwaway_sessions"])
    assert report["status"] == "pass"


async def test_a_session_in_use_is_kept_for_the_next_turn(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script_once(LATE_CHILD, Pause(), Reply("No data."))
    gateway.script(Reply('{"people": 2}'))
    asked = hass.async_create_task(ask(hass, structure=STRUCTURE))
    await gateway.wait_paused()
    gateway.hold("agent")
    gateway.proceed()
    await gateway.wait_until(lambda: len(gateway.received("agent")) == 2)

    await gateway.wait_paused()
    await end_sub_agent(entry, gateway)

    assert gateway.received("sessions.delete") == []
    gateway.release("agent")
    assert (await asked)["data"] == {"people": 2}
    await cleaned_up(entry)
    assert task_sessions(gateway) == []


@pytest.mark.parametrize(
    ("fields", "status"), [({}, "cancelled"), ({"session": "us"}, "running")]
)
async def test_what_a_cancelled_task_has_started_is_stopped(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    fields: dict[str, Any],
    status: str,
) -> None:
    gateway.images.image = b"picture"
    gateway.images.status = "running"
    gateway.script(Pause(), Reply("Late."))
    started = await call(hass, "start_task", agent=AGENT, text="Look it up.", **fields)
    await gateway.wait_paused()
    [key] = gateway.runs.sessions
    client = entry.runtime_data.client
    for session in (key, "agent:main:another"):
        await client.tools.invoke("image_generate", {"prompt": "a cat"}, session)

    await call(hass, "cancel_task", **started)

    # Another question in a session of that name may have started it.
    states = [task["status"] for task in gateway.images.tasks.values()]
    assert states == [status, "running"]
    await cleaned_up(entry)
