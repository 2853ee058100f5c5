"""Leak detectors."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from custom_components.clawd.gateway import RunInfo, Statistics
from custom_components.clawd.gateway.protocol.pending import PendingRequests
from custom_components.clawd.selftest import detectors
from custom_components.clawd.selftest.canaries import CANARIES

RUN = RunInfo("run", age=1.0, accepted=True, ended=False, size=0)


class Receiver:
    """Object with a listener method."""

    def listen(self, _: object) -> None:
        """Do nothing."""


async def _wait() -> None:
    await asyncio.Event().wait()


async def test_pending_request_is_balanced() -> None:
    statistics = Statistics()
    pending = PendingRequests(statistics)
    request = pending.open("health", 60)
    held = pending.snapshot()

    assert detectors.ended_requests(held) == []
    assert detectors.imbalance(held, statistics.requests_issued, 0) == 0
    request.future.cancel()


async def test_ended_request_still_held_is_reported() -> None:
    pending = PendingRequests(Statistics())
    first, second = pending.open("health", 60), pending.open("health", 60)
    held = pending.snapshot()
    first.future.cancel()

    assert detectors.ended_requests(held) == [first.id]
    second.future.cancel()


@pytest.mark.parametrize(
    ("held", "issued", "completed", "difference"),
    [(0, 0, 0, 0), (2, 5, 3, 0), (1, 5, 3, 1), (3, 5, 3, 1), (0, 3, 5, 2)],
)
def test_imbalance_is_absolute_difference(
    held: int, issued: int, completed: int, difference: int
) -> None:
    assert detectors.imbalance(range(held), issued, completed) == difference


def test_ended_or_old_run_is_overdue() -> None:
    ended = replace(RUN, run_id="ended", ended=True)
    old = replace(RUN, run_id="old", age=11.0)

    assert detectors.overdue_runs([RUN, ended, old], overtime=10) == ["ended", "old"]


async def test_unknown_task_of_component_is_stray() -> None:
    stray, known = asyncio.create_task(_wait()), asyncio.create_task(_wait())
    foreign = asyncio.create_task(asyncio.Event().wait())
    tasks = [stray, known, foreign]

    assert detectors.stray_tasks(tasks, {known}, __file__) == [stray]
    assert detectors.stray_tasks(tasks, {known}, "/elsewhere/") == []
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def test_wrong_counts() -> None:
    assert detectors.wrong_counts(["run"], {"run": 1, "watchdog": 0}) == []
    assert detectors.wrong_counts(["new", "run", "run"], {"run": 1, "gone": 1}) == [
        "gone",
        "new",
        "run",
    ]


def test_equal_bound_methods_are_duplicates() -> None:
    receiver, other = Receiver(), Receiver()

    assert detectors.duplicates({"tick": (receiver.listen, other.listen)}) == []
    assert detectors.duplicates({"tick": (receiver.listen, receiver.listen)}) == [
        "tick"
    ]


def test_listeners_are_counted_per_event() -> None:
    listeners = {"tick": (Receiver().listen,), "health": (Receiver().listen,)}

    assert detectors.changed_counts({"tick": 1, "health": 1}, listeners) == []
    assert detectors.changed_counts({"tick": 2, "agent": 1}, listeners) == [
        "agent",
        "health",
        "tick",
    ]


@pytest.mark.parametrize(("minimum", "names"), [(1, ["a", "new"]), (2, ["a"]), (3, [])])
def test_grown_counts(minimum: int, names: list[str]) -> None:
    before, after = {"a": 1, "b": 2, "gone": 1}, {"a": 3, "b": 2, "new": 1}

    assert detectors.grown_counts(before, after, minimum) == names


@pytest.mark.parametrize("name", CANARIES)
async def test_every_canary_is_detected(name: str) -> None:
    assert await CANARIES[name]()


def test_max_per_minute() -> None:
    assert detectors.max_per_minute([]) == 0
    assert detectors.max_per_minute([0, 30, 60]) == 2
    assert detectors.max_per_minute([0, 30, 60, 61, 200]) == 3


def test_equal_delays_are_constant() -> None:
    assert not detectors.constant_delays([0.1] * 3)
    assert detectors.constant_delays([0.1] * 4)
    assert not detectors.constant_delays([0.1, 0.1, 0.1, 0.2])


def test_run_buffer_limits() -> None:
    run = replace(RUN, size=10, unread=12)
    assert not detectors.oversized_runs([run])
    assert detectors.oversized_runs([replace(run, unread=21)]) == ["run"]
    assert detectors.oversized_runs([replace(run, buffered=1_001)]) == ["run"]


async def test_unknown_timer_of_component_is_stray() -> None:
    loop = asyncio.get_running_loop()
    ours, cancelled, foreign = (
        loop.call_later(60, Receiver().listen, 1),
        loop.call_later(60, Receiver().listen, 1),
        loop.call_later(60, print),
    )
    cancelled.cancel()
    timers = [ours, cancelled, foreign]
    assert detectors.stray_timers(timers, [], __file__) == ["Receiver.listen"]
    assert detectors.stray_timers(timers, [ours], __file__) == []
    assert detectors.stray_timers(timers, [], "/elsewhere") == []
    ours.cancel()
    foreign.cancel()


async def test_timers_of_other_loops_are_unknown() -> None:
    loop = asyncio.get_running_loop()
    timer = loop.call_later(60, print)
    assert timer in (detectors.scheduled_timers(loop) or [])
    timer.cancel()
    another: Any = object()
    assert detectors.scheduled_timers(another) is None
