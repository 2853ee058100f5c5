"""Events of fast tasks."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.clawd.coordinator import ClawdConfigEntry
from custom_components.clawd.util.drill_lock import drill_lock
from tests.simulator import GatewaySimulator, Reply

from .ai_tasks import cleaned_up
from .pictures import add_camera
from .states import AGENT, CONNECTIVITY, wait_for_state

FINISHED = "clawd_task_finished"


async def run_script(hass: HomeAssistant, **fields: Any) -> Any:  # noqa: ANN401 - any response
    """Run a script that starts a task, and waits for its event; return the event."""
    question = {"agent": AGENT, "text": "Hello", **fields}
    event = {
        "trigger": "event",
        "event_type": FINISHED,
        "event_data": {"task_id": "{{ started.task_id }}"},
    }
    script = {
        "sequence": [
            {
                "action": "clawd.start_task",
                "data": question,
                "response_variable": "started",
            },
            {"wait_for_trigger": event, "timeout": 5},
            {"variables": {"end": {"status": "{{ wait.trigger.event.data.status }}"}}},
            {"stop": "done", "response_variable": "end"},
        ]
    }
    assert await async_setup_component(hass, "script", {"script": {"work": script}})
    return await hass.services.async_call(
        "script", "work", {}, blocking=True, return_response=True
    )


@pytest.mark.parametrize("with_picture", [False, True])
async def test_a_script_waits_for_a_task_that_fails_at_once(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    *,
    with_picture: bool,
) -> None:
    async def fail(*_: object) -> None:
        raise HomeAssistantError

    module = "custom_components.clawd.actions.start_task"
    monkeypatch.setattr(f"{module}.async_generate", fail)
    fields = {"attachments": await add_camera(hass)} if with_picture else {}
    assert await run_script(hass, **fields) == {"status": "failed"}
    await cleaned_up(entry)


async def test_a_task_without_a_connection_is_not_started(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    events = async_capture_events(hass, FINISHED)
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    with pytest.raises(HomeAssistantError) as error:
        await hass.services.async_call(
            "clawd", "start_task", {"agent": AGENT, "text": "Hello"}, blocking=True
        )
    assert error.value.translation_key == "not_connected"
    assert entry.runtime_data.started_tasks == {}
    assert events == []


async def test_a_task_waits_for_the_self_test_that_has_disconnected(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    events = async_capture_events(hass, FINISHED)
    gateway.script(Reply("Done."))
    async with drill_lock(entry).drill():
        await gateway.suspend()
        await wait_for_state(hass, CONNECTIVITY, "off")
        await hass.services.async_call(
            "clawd", "start_task", {"agent": AGENT, "text": "Hello"}, blocking=True
        )
        await gateway.resume()
        await wait_for_state(hass, CONNECTIVITY, "on")
    await cleaned_up(entry)
    assert [event.data["status"] for event in events] == ["completed"]
