"""Changes of the system's time, such as after the start of a Raspberry Pi."""

from datetime import datetime
from functools import partial
import time
from typing import Any, cast

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd import client_factory
from custom_components.clawd.assist.handoff_store import get_handoffs
from custom_components.clawd.assist.listeners import Owner, get_listeners
from custom_components.clawd.assist.ongoing import get_ongoing
from custom_components.clawd.assist.open_question import OpenQuestion
from custom_components.clawd.assist.run_origins import RunOrigin
from custom_components.clawd.gateway import (
    AgentQuestion,
    QuestionItem,
    RunResult,
    Timing,
)
from custom_components.clawd.home.announcements import Listener
from tests.simulator import GatewaySimulator, Pause, Reply
from tests.wall_clock import WallClock

from .assist_client import wait_processed
from .handoff_scenario import (
    ANSWER,
    SENTENCE,
    HandoffScenario,
    Patience,
    agent_settings,
)
from .self_test import run_self_test, statuses
from .test_handoff import both_protocols

__all__ = ["agent_settings"]

HOURS = 5 * 3600.0
# From 1970 to now: without a file with the time of the last stop.
YEARS = 50 * 365 * 86_400.0
SESSION = "agent:main:ha-1"
jumps = pytest.mark.parametrize("jump", [HOURS, -HOURS, YEARS])


@pytest.fixture(autouse=True)
def _short_recovery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a Gateway that does not know a run no longer than needed."""
    timing = partial(Timing, wait_timeout=0.02, poll_interval=0.01)
    monkeypatch.setattr(client_factory, "Timing", timing)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    """Return the wall clock."""
    return WallClock(monkeypatch)


def jump_at_handoff(
    monkeypatch: pytest.MonkeyPatch, clock: WallClock, jump: float
) -> None:
    """Set the clock before a question is handed off."""
    end = Patience.end

    def end_and_jump(patience: Patience) -> None:
        end(patience)
        clock.jump(jump)

    monkeypatch.setattr(Patience, "end", end_and_jump)


@both_protocols
@jumps
@pytest.mark.parametrize("interruption", ["none", "drop", "reload"])
async def test_a_handoff_goes_on(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    scenario: HandoffScenario,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    clock: WallClock,
    jump: float,
    interruption: str,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    jump_at_handoff(monkeypatch, clock, jump)
    assert await scenario.ask() == SENTENCE
    await wait_processed(entry)
    [run] = entry.runtime_data.client.introspection.runs
    assert 3500 < run.timeout < 3700
    assert statuses(await run_self_test(hass, mode="passive"))["handoffs"] == "pass"

    if interruption == "drop":
        gateway.drop()
    elif interruption == "reload":
        assert await hass.config_entries.async_reload(entry.entry_id)
        await gateway.wait_for_request("chat.history")
    gateway.proceed()
    await scenario.wait_ended()

    assert scenario.messages == [ANSWER]
    assert scenario.event_types == ["handed_off", "finished"]
    assert len(gateway.received("agent")) == 1


@pytest.mark.parametrize("age", [-HOURS, HOURS, YEARS], ids=["future", "hours", "1970"])
@pytest.mark.parametrize("lost", [False, True])
async def test_a_stored_handoff_is_told_of(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    scenario: HandoffScenario,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    age: float,
    lost: bool,  # noqa: FBT001
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await scenario.ask() == SENTENCE
    await wait_processed(entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    if lost:
        await gateway.crash()
        await gateway.resume()
    [row] = hass_storage[f"clawd.handoffs.{entry.entry_id}"]["data"]["handoffs"]
    row["asked_at"] = time.time() - age

    assert await hass.config_entries.async_setup(entry.entry_id)
    if not lost:
        gateway.proceed()
    await scenario.wait_ended()

    [message] = scenario.messages
    assert (message == ANSWER) is not lost
    assert get_handoffs(entry).open == {}


@jumps
async def test_a_task_shows_when_it_was_asked(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    scenario: HandoffScenario,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    clock: WallClock,
    jump: float,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    jump_at_handoff(monkeypatch, clock, jump)
    await scenario.ask()

    state = hass.states.get("sensor.openclaw_gateway_tasks")
    runs = get_ongoing(entry)
    [run] = runs.all
    [task] = runs.tasks(run.subentry, run.question)
    assert state
    [shown] = state.attributes["tasks"]
    since = datetime.fromisoformat(shown["since"]).timestamp()
    assert abs(since - time.time()) < 60
    assert abs(task.asked_at - time.time()) < 60
    gateway.proceed()
    await scenario.wait_ended()


@jumps
async def test_a_sub_agent_is_waited_for(
    hass: HomeAssistant, entry: MockConfigEntry, clock: WallClock, jump: float
) -> None:
    listeners = get_listeners(entry)
    result = RunResult("r", "Wait.", completions=("announce:v1:child:1",))
    listeners.async_answered(SESSION, Owner(Listener(), "Agent"), result)

    clock.jump(jump)
    await listeners.async_save()
    report = await run_self_test(hass, mode="passive")
    assert statuses(report)["announcements"] == "pass"
    assert await hass.config_entries.async_reload(entry.entry_id)

    [spawn] = get_listeners(entry).spawns.values()
    assert 0 <= spawn.at.age < 60


@jumps
def test_a_question_waits_as_long_as_the_gateway_does(
    clock: WallClock, jump: float
) -> None:
    item = QuestionItem("room", "Room", "Which room?")
    request = AgentQuestion("ask_1", (item,), "main", "", "r", time.time() + 600)
    one = OpenQuestion(request, cast("RunOrigin", None))

    clock.jump(jump)

    assert round(one.late) == -600
    left = datetime.fromisoformat(one.expires_at).timestamp() - time.time()
    assert round(left) == 600
