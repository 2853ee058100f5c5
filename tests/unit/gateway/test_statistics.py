"""Counters and trace of frames."""

from custom_components.clawd.gateway import Outcome, Statistics
from custom_components.clawd.gateway.statistics import MAX_NAME_LENGTH, TRACE_LENGTH


def test_frames_and_bytes_are_counted_in_both_directions() -> None:
    statistics = Statistics()
    statistics.received("event", "tick", 10, 0.0)
    statistics.received("res", "health", 5, 0.0)
    statistics.sent("health", 3)
    assert (statistics.frames_in, statistics.bytes_in) == (2, 15)
    assert (statistics.frames_out, statistics.bytes_out) == (1, 3)


def test_trace_contains_direction_kind_name_and_size() -> None:
    statistics = Statistics()
    statistics.sent("health", 3)
    statistics.received("res", "health", 5, 0.0)
    assert [(e.direction, e.kind, e.name, e.size) for e in statistics.trace] == [
        ("out", "req", "health", 3),
        ("in", "res", "health", 5),
    ]


def test_trace_is_bounded() -> None:
    statistics = Statistics()
    for size in range(TRACE_LENGTH + 10):
        statistics.received("event", "tick", size, 0.0)
    assert len(statistics.trace) == TRACE_LENGTH
    assert statistics.trace[0].size == 10


def test_trace_truncates_names() -> None:
    statistics = Statistics()
    statistics.received("event", "x" * 1_000_000, 1_000_100, 0.0)
    assert statistics.trace[0].name == "x" * MAX_NAME_LENGTH


def test_statistics_are_independent() -> None:
    one, two = Statistics(), Statistics()
    one.received("event", "tick", 1, 0.0)
    one.outcomes["health", Outcome.OK] += 1
    assert not two.trace
    assert not two.outcomes
