"""Hand-offs interrupted by reloads and exceptions."""

import time
from typing import NoReturn

from homeassistant.components.assist_satellite.entity import AssistSatelliteState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist import handoff
from custom_components.clawd.assist.handoff_store import HandoffState, get_handoffs
from custom_components.clawd.assist.reply import ReplyFilter
from custom_components.clawd.const import MAX_HANDOFF_AGE
from tests.simulator import GatewaySimulator, Pause, Reply

from .assist_client import wait_processed
from .fault_harness import poll
from .handoff_scenario import ANSWER, HandoffScenario, agent_settings
from .self_test import run_self_test, statuses
from .voice_devices import Satellite

__all__ = ["agent_settings"]


@pytest.mark.parametrize("speaks", [False, True])
async def test_an_answer_that_is_being_told_is_shown_after_a_reload(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    loudspeaker: Satellite,
    speaks: bool,  # noqa: FBT001
) -> None:
    if speaks:
        loudspeaker.may_end.clear()
    else:
        # Nobody has heard a word: it is waited for.
        loudspeaker.become(AssistSatelliteState.LISTENING)
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    handoffs = get_handoffs(entry)
    gateway.proceed()
    await poll(
        lambda: [h.state for h in handoffs.open.values()] == [HandoffState.DELIVERING]
    )
    if speaks:
        await loudspeaker.begun.wait()

    assert await hass.config_entries.async_reload(entry.entry_id)
    await scenario.wait_ended()
    loudspeaker.may_end.set()
    loudspeaker.become(AssistSatelliteState.IDLE)

    assert await hass.config_entries.async_reload(entry.entry_id)
    await scenario.wait_ended()
    assert (loudspeaker.said, scenario.messages) == ([], [ANSWER])
    assert scenario.event_types == ["handed_off", "finished"]
    assert handoffs.open == {}
    assert [*handoffs.deliveries.values()] == [1]


async def test_a_late_answer_that_is_being_told_is_shown_after_a_restart(
    scenario: HandoffScenario, gateway: GatewaySimulator, loudspeaker: Satellite
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()

    old = time.time() - MAX_HANDOFF_AGE - 900
    await scenario.set_up_with(state="delivering", asked_at=old)
    gateway.proceed()
    await scenario.wait_ended()

    assert (loudspeaker.said, scenario.messages) == ([], [ANSWER])


UNEXPECTED = "I have not finished what you asked for. Something unexpected"
SECRET = "secret words"


def fail(*_: object, **__: object) -> NoReturn:
    """Raise an unexpected exception."""
    raise ValueError(SECRET)


async def test_an_unexpected_exception_in_a_reply_is_told(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    loudspeaker: Satellite,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    monkeypatch.setattr(ReplyFilter, "feed", fail)
    gateway.proceed()
    await scenario.wait_ended()

    [said] = loudspeaker.said
    assert said.startswith(UNEXPECTED)
    assert scenario.event_types == ["handed_off", "failed"]
    assert get_handoffs(entry).open == {}
    assert "ValueError" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("shows", [True, False])
async def test_an_unexpected_exception_while_it_is_told_is_shown(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    shows: bool,  # noqa: FBT001
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    monkeypatch.setattr(handoff, "async_deliver", fail)
    if not shows:
        monkeypatch.setattr(handoff, "async_notify_user", fail)
    gateway.proceed()
    await scenario.wait_ended()

    assert [text.startswith(UNEXPECTED) for text in scenario.messages] == (
        [True] if shows else []
    )
    assert get_handoffs(entry).open == {}
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("state", "age", "status"),
    [
        # An hour, and the twenty minutes in which it has to be told.
        (HandoffState.RUNNING, 4700, "pass"),
        (HandoffState.RUNNING, 4900, "fail"),
        # What ended late is told up to two hours after the question.
        (HandoffState.DELIVERING, 8300, "pass"),
        (HandoffState.DELIVERING, 8500, "fail"),
        (HandoffState.LATE, 8300, "pass"),
    ],
)
async def test_the_self_test_gives_a_hand_off_the_time_that_it_may_take(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    state: HandoffState,
    age: int,
    status: str,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    await wait_processed(entry)
    handoffs = get_handoffs(entry)
    [one] = handoffs.open.values()
    handoffs.seen_since[one.id] = time.monotonic() - age
    with monkeypatch.context() as patch:
        patch.setattr(one, "state", state)
        report = await run_self_test(hass, checks=["handoffs"])

    assert statuses(report)["handoffs"] == status
    gateway.proceed()
    await scenario.wait_ended()
