"""Listeners hear of events once, in order, and do not disturb each other."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
import logging

import pytest

from custom_components.clawd.gateway import Statistics
from custom_components.clawd.gateway.events import EventListeners
from custom_components.clawd.gateway.tasks import TaskRegistry

HEARD: list[str] = []


class Dog:
    """What has listeners of its own."""

    def hear(self, value: str) -> None:
        """Listen as a method."""
        HEARD.append(value)

    async def hear_later(self, value: str) -> None:
        """Listen as a coroutine method."""
        await asyncio.sleep(0)
        HEARD.append(value)

    async def __call__(self, value: str) -> None:
        """Listen as an object."""
        HEARD.append(value)


def hear(value: str) -> None:
    HEARD.append(value)


async def hear_later(value: str) -> None:
    await asyncio.sleep(0)
    HEARD.append(value)


def hear_with(_prefix: str, value: str) -> None:
    HEARD.append(value)


class Radio:
    """Listeners with what they need around them."""

    def __init__(self) -> None:
        """Start with no listener."""
        self.statistics = Statistics()
        self.tasks = TaskRegistry()
        self.listeners: EventListeners[str] = EventListeners(
            self.statistics, self.tasks.spawn
        )
        self.subscribe = partial(self.listeners.subscribe, "tick")

    async def say(self, value: str) -> None:
        """Dispatch an event and wait for the async listeners."""
        self.listeners.dispatch("tick", value)
        await asyncio.gather(*self.tasks.snapshot())


@pytest.fixture
def radio() -> Radio:
    HEARD.clear()
    return Radio()


DOG = Dog()
KINDS: list[Callable[[str], Awaitable[None] | None]] = [
    hear,
    hear_later,
    DOG.hear,
    DOG.hear_later,
    partial(hear_with, "x"),
    DOG,
]


@pytest.mark.parametrize("listener", KINDS)
async def test_every_kind_of_callable_is_called(
    radio: Radio, listener: Callable[[str], object]
) -> None:
    radio.subscribe(listener)
    await radio.say("a")
    assert HEARD == ["a"]


@pytest.mark.parametrize("listener", KINDS)
async def test_duplicate_listener_is_called_once(
    radio: Radio, listener: Callable[[str], object]
) -> None:
    radio.subscribe(listener)
    radio.subscribe(listener)
    await radio.say("a")
    assert HEARD == ["a"]


async def test_bound_methods_are_equal(radio: Radio) -> None:
    radio.subscribe(DOG.hear)
    radio.subscribe(DOG.hear)
    assert len(radio.listeners.snapshot()["tick"]) == 1


async def test_listeners_are_called_in_subscription_order(
    radio: Radio,
) -> None:
    radio.subscribe(lambda value: HEARD.append(f"1 {value}"))
    radio.subscribe(lambda value: HEARD.append(f"2 {value}"))
    await radio.say("a")
    assert HEARD == ["1 a", "2 a"]


async def test_listener_receives_only_its_event(radio: Radio) -> None:
    radio.subscribe(hear)
    radio.listeners.dispatch("health", "a")
    assert HEARD == []


async def test_past_events_are_not_replayed(radio: Radio) -> None:
    await radio.say("a")
    radio.subscribe(hear)
    await radio.say("b")
    assert HEARD == ["b"]


async def test_unsubscribed_listener_is_not_called(radio: Radio) -> None:
    unsubscribe = radio.subscribe(hear)
    unsubscribe()
    unsubscribe()
    await radio.say("a")
    assert HEARD == []
    assert radio.listeners.snapshot() == {}


async def test_used_unsubscribe_keeps_new_subscription(
    radio: Radio,
) -> None:
    unsubscribe = radio.subscribe(hear)
    unsubscribe()
    radio.subscribe(hear)
    unsubscribe()
    await radio.say("a")
    assert HEARD == ["a"]


async def test_listener_unsubscribed_during_dispatch_is_not_called(
    radio: Radio,
) -> None:
    unsubscribes: list[Callable[[], None]] = []
    radio.subscribe(lambda _: unsubscribes[0]())
    unsubscribes.append(radio.subscribe(hear))
    await radio.say("a")
    assert HEARD == []


async def test_self_unsubscribe_does_not_skip_listeners(radio: Radio) -> None:
    unsubscribes: list[Callable[[], None]] = []
    unsubscribes.append(radio.subscribe(lambda _: unsubscribes[0]()))
    radio.subscribe(hear)
    await radio.say("a")
    assert HEARD == ["a"]


async def test_listener_subscribed_during_dispatch_receives_next_event(
    radio: Radio,
) -> None:
    radio.subscribe(lambda _: radio.subscribe(hear))
    await radio.say("a")
    assert HEARD == []
    await radio.say("b")
    assert HEARD == ["b"]


def fail(_value: str) -> None:
    raise ValueError("the-secret")


async def fail_at_once(_value: str) -> None:
    raise ValueError("the-secret")


async def fail_later(_value: str) -> None:
    await asyncio.sleep(0)
    raise ValueError("the-secret")


@pytest.mark.parametrize("listener", [fail, fail_at_once, fail_later])
async def test_failing_listener_is_counted_and_isolated(
    radio: Radio,
    listener: Callable[[str], object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    radio.subscribe(listener)
    radio.subscribe(hear)
    await radio.say("a")
    assert HEARD == ["a"]
    assert radio.statistics.listener_errors == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "ValueError" in caplog.text
    assert "the-secret" not in caplog.text


async def test_async_listener_is_client_task(radio: Radio) -> None:
    radio.subscribe(hear_later)
    radio.listeners.dispatch("tick", "a")
    assert list(radio.tasks.snapshot().values()) == ["listener tick"]
    await radio.tasks.cancel_all("listener")
    assert HEARD == []


async def test_async_listeners_start_in_event_order(radio: Radio) -> None:
    async def note(value: str) -> None:
        HEARD.append(value)
        await asyncio.sleep(0)

    radio.subscribe(note)
    for value in "abc":
        radio.listeners.dispatch("tick", value)
    assert HEARD == ["a", "b", "c"]
    await asyncio.gather(*radio.tasks.snapshot())
