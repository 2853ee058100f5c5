"""Dispatch of events to listeners."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
import logging

import pytest

from custom_components.clawd.gateway import Statistics
from custom_components.clawd.gateway.events import EventListeners
from custom_components.clawd.gateway.tasks import TaskRegistry

RECEIVED: list[str] = []


class Receiver:
    """Object with listener methods."""

    def receive(self, value: str) -> None:
        """Receive as a method."""
        RECEIVED.append(value)

    async def receive_later(self, value: str) -> None:
        """Receive as a coroutine method."""
        await asyncio.sleep(0)
        RECEIVED.append(value)

    async def __call__(self, value: str) -> None:
        """Receive as a callable object."""
        RECEIVED.append(value)


def receive(value: str) -> None:
    RECEIVED.append(value)


async def receive_later(value: str) -> None:
    await asyncio.sleep(0)
    RECEIVED.append(value)


def receive_with_prefix(_prefix: str, value: str) -> None:
    RECEIVED.append(value)


class ListenerHarness:
    """Listeners with statistics and tasks."""

    def __init__(self) -> None:
        """Start without listeners."""
        self.statistics = Statistics()
        self.tasks = TaskRegistry()
        self.listeners: EventListeners[str] = EventListeners(
            self.statistics, self.tasks.spawn
        )
        self.subscribe = partial(self.listeners.subscribe, "tick")

    async def dispatch(self, value: str) -> None:
        """Dispatch an event and wait for async listeners."""
        self.listeners.dispatch("tick", value)
        await asyncio.gather(*self.tasks.snapshot())


@pytest.fixture
def harness() -> ListenerHarness:
    RECEIVED.clear()
    return ListenerHarness()


RECEIVER = Receiver()
KINDS: list[Callable[[str], Awaitable[None] | None]] = [
    receive,
    receive_later,
    RECEIVER.receive,
    RECEIVER.receive_later,
    partial(receive_with_prefix, "x"),
    RECEIVER,
]


@pytest.mark.parametrize("listener", KINDS)
async def test_every_kind_of_callable_is_called(
    harness: ListenerHarness, listener: Callable[[str], object]
) -> None:
    harness.subscribe(listener)
    await harness.dispatch("a")
    assert RECEIVED == ["a"]


@pytest.mark.parametrize("listener", KINDS)
async def test_duplicate_listener_is_called_once(
    harness: ListenerHarness, listener: Callable[[str], object]
) -> None:
    harness.subscribe(listener)
    harness.subscribe(listener)
    await harness.dispatch("a")
    assert RECEIVED == ["a"]


async def test_bound_methods_are_equal(harness: ListenerHarness) -> None:
    harness.subscribe(RECEIVER.receive)
    harness.subscribe(RECEIVER.receive)
    assert len(harness.listeners.snapshot()["tick"]) == 1


async def test_listeners_are_called_in_subscription_order(
    harness: ListenerHarness,
) -> None:
    harness.subscribe(lambda value: RECEIVED.append(f"1 {value}"))
    harness.subscribe(lambda value: RECEIVED.append(f"2 {value}"))
    await harness.dispatch("a")
    assert RECEIVED == ["1 a", "2 a"]


async def test_listener_receives_only_its_event(harness: ListenerHarness) -> None:
    harness.subscribe(receive)
    harness.listeners.dispatch("health", "a")
    assert RECEIVED == []


async def test_past_events_are_not_replayed(harness: ListenerHarness) -> None:
    await harness.dispatch("a")
    harness.subscribe(receive)
    await harness.dispatch("b")
    assert RECEIVED == ["b"]


async def test_unsubscribed_listener_is_not_called(harness: ListenerHarness) -> None:
    unsubscribe = harness.subscribe(receive)
    unsubscribe()
    unsubscribe()
    await harness.dispatch("a")
    assert RECEIVED == []
    assert harness.listeners.snapshot() == {}


async def test_used_unsubscribe_keeps_new_subscription(
    harness: ListenerHarness,
) -> None:
    unsubscribe = harness.subscribe(receive)
    unsubscribe()
    harness.subscribe(receive)
    unsubscribe()
    await harness.dispatch("a")
    assert RECEIVED == ["a"]


async def test_listener_unsubscribed_during_dispatch_is_not_called(
    harness: ListenerHarness,
) -> None:
    unsubscribes: list[Callable[[], None]] = []
    harness.subscribe(lambda _: unsubscribes[0]())
    unsubscribes.append(harness.subscribe(receive))
    await harness.dispatch("a")
    assert RECEIVED == []


async def test_self_unsubscribe_does_not_skip_listeners(
    harness: ListenerHarness,
) -> None:
    unsubscribes: list[Callable[[], None]] = []
    unsubscribes.append(harness.subscribe(lambda _: unsubscribes[0]()))
    harness.subscribe(receive)
    await harness.dispatch("a")
    assert RECEIVED == ["a"]


async def test_listener_subscribed_during_dispatch_receives_next_event(
    harness: ListenerHarness,
) -> None:
    harness.subscribe(lambda _: harness.subscribe(receive))
    await harness.dispatch("a")
    assert RECEIVED == []
    await harness.dispatch("b")
    assert RECEIVED == ["b"]


def fail(_value: str) -> None:
    raise ValueError("the-secret")


async def fail_at_once(_value: str) -> None:
    raise ValueError("the-secret")


async def fail_later(_value: str) -> None:
    await asyncio.sleep(0)
    raise ValueError("the-secret")


@pytest.mark.parametrize("listener", [fail, fail_at_once, fail_later])
async def test_failing_listener_is_counted_and_isolated(
    harness: ListenerHarness,
    listener: Callable[[str], object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    harness.subscribe(listener)
    harness.subscribe(receive)
    await harness.dispatch("a")
    assert RECEIVED == ["a"]
    assert harness.statistics.listener_errors == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "ValueError" in caplog.text
    assert "the-secret" not in caplog.text


async def test_async_listener_is_client_task(harness: ListenerHarness) -> None:
    harness.subscribe(receive_later)
    harness.listeners.dispatch("tick", "a")
    assert list(harness.tasks.snapshot().values()) == ["listener tick"]
    await harness.tasks.cancel_all("listener")
    assert RECEIVED == []


async def test_async_listeners_start_in_event_order(harness: ListenerHarness) -> None:
    async def record(value: str) -> None:
        RECEIVED.append(value)
        await asyncio.sleep(0)

    harness.subscribe(record)
    for value in "abc":
        harness.listeners.dispatch("tick", value)
    assert RECEIVED == ["a", "b", "c"]
    await asyncio.gather(*harness.tasks.snapshot())
