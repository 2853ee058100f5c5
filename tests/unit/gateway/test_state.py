"""State history of the client."""

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
    """Return the history of a first attempt."""
    history = StateHistory()
    history.change(Cause.STARTED)
    return history


def test_history_starts_closed() -> None:
    history = StateHistory()
    assert (history.state, history.error) == (ConnectionState.CLOSED, None)
    assert history.snapshot() == ()


def test_every_state_can_be_stopped() -> None:
    assert TRANSITIONS.keys() == set(ConnectionState)
    for row in TRANSITIONS.values():
        assert row[Cause.STOPPED] is ConnectionState.CLOSED


def test_invalid_transition_raises_key_error() -> None:
    with pytest.raises(KeyError):
        StateHistory().change(Cause.HELLO)


def test_transition_is_recorded_with_cause() -> None:
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


def test_error_traceback_is_dropped() -> None:
    history = connecting()
    with pytest.raises(NotConnectedError) as caught:
        raise NotConnectedError("x") from ValueError()
    change = history.change(Cause.FAILED, caught.value)
    assert change.error
    assert (change.error.__traceback__, change.error.__cause__) == (None, None)


def test_transition_without_error_clears_last_error() -> None:
    history = connecting()
    history.change(Cause.FAILED, NotConnectedError("x"))
    history.change(Cause.RETRY)
    assert history.error is None


def test_history_is_bounded() -> None:
    history = connecting()
    for delay in range(MAX_TRANSITIONS):
        history.change(Cause.FAILED, delay=delay)
        history.change(Cause.RETRY)
    kept = history.snapshot()
    assert len(kept) == MAX_TRANSITIONS
    assert kept[-2].delay == MAX_TRANSITIONS - 1


async def test_all_waiters_receive_next_transition() -> None:
    history = connecting()
    waiters = [asyncio.create_task(history.changed()) for _ in range(2)]
    await asyncio.sleep(0)
    change = history.change(Cause.OPENED)
    history.change(Cause.HELLO)
    assert await asyncio.gather(*waiters) == [change, change]


async def test_cancelled_waiter_is_removed() -> None:
    history = connecting()
    waiter = asyncio.create_task(history.changed())
    await asyncio.sleep(0)
    waiter.cancel()
    history.change(Cause.OPENED)
    with pytest.raises(asyncio.CancelledError):
        await waiter
