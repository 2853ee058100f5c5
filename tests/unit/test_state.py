"""The state of a connection is explicit and has a history."""

import asyncio
import time

import pytest

from custom_components.clawd.gateway import ConnectionState, NotConnectedError
from custom_components.clawd.gateway.state import HISTORY_LENGTH, StateHistory


def test_the_history_starts_before_the_first_attempt() -> None:
    history = StateHistory()
    assert (history.state, history.error) == (ConnectionState.CONNECTING, None)
    assert history.snapshot() == ()


def test_a_change_is_recorded_with_its_cause() -> None:
    history, error = StateHistory(), NotConnectedError("x")
    before = time.time()
    change = history.change(ConnectionState.RECONNECTING, error, 2.5)
    assert history.snapshot() == (change,)
    assert (change.previous, change.state) == (
        ConnectionState.CONNECTING,
        ConnectionState.RECONNECTING,
    )
    assert before <= change.at <= time.time()
    assert change.delay == 2.5
    assert (type(change.error), str(change.error)) == (NotConnectedError, "x")
    assert (history.state, history.error) == (change.state, change.error)


def test_the_frames_of_an_error_are_not_kept() -> None:
    history = StateHistory()
    with pytest.raises(NotConnectedError) as caught:
        raise NotConnectedError("x") from ValueError()
    change = history.change(ConnectionState.RECONNECTING, caught.value)
    assert change.error
    assert (change.error.__traceback__, change.error.__cause__) == (None, None)


def test_a_change_without_error_forgets_the_last_one() -> None:
    history = StateHistory()
    history.change(ConnectionState.RECONNECTING, NotConnectedError("x"))
    history.change(ConnectionState.CONNECTING)
    assert history.error is None


def test_the_history_is_bounded() -> None:
    history = StateHistory()
    for delay in range(HISTORY_LENGTH + 5):
        history.change(ConnectionState.RECONNECTING, delay=delay)
    assert [change.delay for change in history.snapshot()] == list(
        range(5, HISTORY_LENGTH + 5)
    )


async def test_everyone_who_waits_hears_of_the_next_change() -> None:
    history = StateHistory()
    waiters = [asyncio.create_task(history.changed()) for _ in range(2)]
    await asyncio.sleep(0)
    change = history.change(ConnectionState.HANDSHAKING)
    history.change(ConnectionState.CONNECTED)
    assert await asyncio.gather(*waiters) == [change, change]


async def test_who_stops_waiting_is_forgotten() -> None:
    history = StateHistory()
    waiter = asyncio.create_task(history.changed())
    await asyncio.sleep(0)
    waiter.cancel()
    history.change(ConnectionState.CONNECTED)
    with pytest.raises(asyncio.CancelledError):
        await waiter
