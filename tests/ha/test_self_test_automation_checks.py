"""Checks of healthy tasks and sessions."""

import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.clawd.assist.errors import translated_error
from custom_components.clawd.const import DOMAIN
from custom_components.clawd.coordinator import ClawdConfigEntry
from tests.simulator import GatewaySimulator, Pause, Reply
from tests.simulator.runs import Session

from .ai_tasks import cleaned_up
from .assist_client import wait_processed
from .downloads import Download
from .faults.automation import HOUR
from .self_test import run_self_test
from .states import AGENT, CONNECTIVITY, wait_for_state

pytestmark = pytest.mark.usefixtures("no_deletion_delays")

TASKS, SESSIONS = "tasks_map", "throwaway_sessions"


async def check(hass: HomeAssistant, name: str) -> dict[str, Any]:
    """Run a check; return its result."""
    [result] = (await run_self_test(hass, checks=[name]))["checks"]
    return dict(result)


async def start(hass: HomeAssistant) -> str:
    """Start a task; return its id."""
    started: Any = await hass.services.async_call(
        DOMAIN,
        "start_task",
        {"agent": AGENT, "text": "Hello"},
        blocking=True,
        return_response=True,
    )
    return str(started["task_id"])


async def test_a_task_at_work_and_its_session_are_no_fault(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Done."))
    await start(hass)
    await gateway.wait_paused()
    [session] = gateway.runs.sessions.values()
    session.updated_at -= HOUR

    tasks, sessions = await check(hass, TASKS), await check(hass, SESSIONS)

    assert (tasks["status"], sessions["status"]) == ("pass", "pass")
    assert "(tasks: 1)" in tasks["message"]
    gateway.proceed()
    await cleaned_up(entry)
    assert "(tasks: 0)" in (await check(hass, TASKS))["message"]


async def test_a_session_that_is_being_deleted_is_no_fault(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Done."))
    gateway.hold("sessions.describe")
    await start(hass)
    await gateway.wait_for_request("sessions.describe")

    result = await check(hass, SESSIONS)

    assert result["status"] == "pass"
    assert "still being deleted: 1" in result["message"]
    gateway.release("sessions.describe")
    await cleaned_up(entry)
    assert "still being deleted: 0" in (await check(hass, SESSIONS))["message"]


@pytest.mark.usefixtures("entry")
async def test_sessions_of_others_are_none_of_ours(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    for key in ("agent:main:ha-task-00000000-1", "agent:main:main"):
        gateway.runs.sessions[key] = Session(key, updated_at=1)
    assert (await check(hass, SESSIONS))["status"] == "pass"


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("protocol", [3])
async def test_clawdbot_deletes_no_sessions(hass: HomeAssistant) -> None:
    result = await check(hass, SESSIONS)
    assert result["status"] == "skip"
    assert "administrators" in result["message"]


@pytest.mark.parametrize(
    ("known", "origin"), [(True, "gateway"), (False, "integration")]
)
async def test_who_leaves_a_session_is_named(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    known: bool,  # noqa: FBT001 - of the table
    origin: str,
) -> None:
    gateway.script(Pause(), Reply("Done."))
    await start(hass)
    await gateway.wait_paused()
    [key] = gateway.runs.sessions
    gateway.edit(
        "sessions.describe", lambda payload: payload["session"].update(sessionId="x")
    )
    gateway.proceed()
    await cleaned_up(entry)
    if not known:
        entry.runtime_data.ended_sessions.clear()
    gateway.runs.sessions[key].updated_at -= HOUR

    result = await check(hass, SESSIONS)

    assert (result["status"], result["origin"]) == ("fail", origin)
    assert key not in str(result)


async def test_sessions_that_a_crash_has_left_are_deleted(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Done."))
    await start(hass)
    await gateway.wait_paused()
    await wait_processed(entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert len(gateway.runs.sessions) == 1
    [session] = gateway.runs.sessions.values()
    # The crash came between archiving and deleting.
    session.archived_at = 1

    assert await hass.config_entries.async_setup(entry.entry_id)
    await cleaned_up(entry)

    assert gateway.runs.sessions == {}
    assert gateway.runs.active() == []
    assert entry.runtime_data.ended_sessions == set()


async def test_sessions_of_tasks_that_ended_without_a_connection_are_deleted(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Done."))
    task_id = await start(hass)
    await gateway.wait_paused()
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    data = {"task_id": task_id}
    # The Gateway cannot confirm it.
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(DOMAIN, "cancel_task", data, blocking=True)
    await cleaned_up(entry)
    assert len(entry.runtime_data.ended_sessions) == 1

    await gateway.resume()
    await wait_for_state(hass, CONNECTIVITY, "on")
    await cleaned_up(entry)

    assert gateway.runs.sessions == {}
    assert entry.runtime_data.ended_sessions == set()


async def test_a_gateway_that_lists_no_sessions_is_left_alone(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.refuse_method("sessions.list")
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await cleaned_up(new_entry)
    gateway.edit("sessions.list", lambda payload: payload.update(sessions=["x", {}]))
    assert (await check(hass, SESSIONS))["status"] == "pass"
    gateway.edit("sessions.list", lambda payload: payload.clear())
    assert (await check(hass, SESSIONS))["status"] == "pass"


async def test_a_task_of_our_own_error_ends_in_an_event(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    events = async_capture_events(hass, "clawd_task_finished")

    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("custom_components.clawd.assist.generation.ReplyFilter", broken)
    await start(hass)
    await cleaned_up(entry)
    [event] = events
    assert event.data["status"] == "failed"
    assert event.data["error"] == str(translated_error("unexpected_error"))
    assert "RuntimeError" in caplog.text


async def test_diagnostics_count_tasks_and_their_sessions(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    download: Download,
) -> None:
    gateway.script(Pause(), Reply("Done."))
    await start(hass)
    await gateway.wait_paused()

    body = await download()

    found = json.loads(body)["data"]["started_tasks"]
    [left] = found.pop("seconds_left")
    assert left > 60
    assert found == {"ends": 0, "sessions_in_use": 1, "sessions_to_delete": 0}
    gateway.proceed()
    await cleaned_up(entry)
    found = json.loads(await download())["data"]["started_tasks"]
    assert (found["seconds_left"], found["ends"]) == ([], 1)
    assert found["sessions_in_use"] == 0


async def test_few_ends_are_remembered(entry: ClawdConfigEntry) -> None:
    for number in range(100):
        entry.runtime_data.count_task_end(str(number))
    assert len(entry.runtime_data.task_ends) == 64
