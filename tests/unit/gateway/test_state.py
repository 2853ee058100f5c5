"""The state of a connection is explicit and has a history."""

import asyncio
import time

import pytest

from custom_components.clawd.gateway import (
    Cause,
    ConnectionState,
    NotConnectedError,
    PauseReason,
)
from custom_components.clawd.gateway.state import (
    MAX_TRANSITIONS,
    TRANSITIONS,
    StateHistory,
)


def connecting() -> StateHistory:
    """Return the history of a client that makes its first attempt."""
    history = StateHistory()
    history.change(Cause.STARTED)
    return history


def test_the_history_starts_before_the_start() -> None:
    history = StateHistory()
    assert (history.state, history.error) == (ConnectionState.CLOSED, None)
    assert history.snapshot() == ()


def test_every_state_can_be_left_and_ended() -> None:
    assert TRANSITIONS.keys() == set(ConnectionState)
    for leads in TRANSITIONS.values():
        assert leads[Cause.STOPPED] is ConnectionState.CLOSED


def test_a_cause_that_a_state_cannot_meet_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        StateHistory().change(Cause.HELLO)


def test_a_change_is_recorded_with_its_cause() -> None:
    history, error = connecting(), NotConnectedError("x")
    before = time.time()
    change = history.change(Cause.REFUSED, error, PauseReason.TOKEN, 2.5)
    assert history.snapshot()[-1] == change
    assert (change.previous, change.state, change.cause) == (
        ConnectionState.CONNECTING,
        ConnectionState.PAUSED,
        Cause.REFUSED,
    )
    assert before <= change.at <= time.time()
    assert (change.pause, change.delay) == (PauseReason.TOKEN, 2.5)
    assert (type(change.error), str(change.error)) == (NotConnectedError, "x")
    assert (history.state, history.error) == (change.state, change.error)


def test_the_frames_of_an_error_are_not_kept() -> None:
    history = connecting()
    with pytest.raises(NotConnectedError) as caught:
        raise NotConnectedError("x") from ValueError()
    change = history.change(Cause.FAILED, caught.value)
    assert change.error
    assert (change.error.__traceback__, change.error.__cause__) == (None, None)


def test_a_change_without_error_forgets_the_last_one() -> None:
    history = connecting()
    history.change(Cause.FAILED, NotConnectedError("x"))
    history.change(Cause.RETRY)
    assert history.error is None


def test_the_history_is_bounded() -> None:
    history = connecting()
    for delay in range(MAX_TRANSITIONS):
        history.change(Cause.FAILED, delay=delay)
        history.change(Cause.RETRY)
    kept = history.snapshot()
    assert len(kept) == MAX_TRANSITIONS
    assert kept[-2].delay == MAX_TRANSITIONS - 1


async def test_everyone_who_waits_hears_of_the_next_change() -> None:
    history = connecting()
    waiters = [asyncio.create_task(history.changed()) for _ in range(2)]
    await asyncio.sleep(0)
    change = history.change(Cause.OPENED)
    history.change(Cause.HELLO)
    assert await asyncio.gather(*waiters) == [change, change]


async def test_who_stops_waiting_is_forgotten() -> None:
    history = connecting()
    waiter = asyncio.create_task(history.changed())
    await asyncio.sleep(0)
    waiter.cancel()
    history.change(Cause.OPENED)
    with pytest.raises(asyncio.CancelledError):
        await waiter
