"""Printed self-test report."""

import io
from typing import Any

import pytest

from scripts.home_assistant.console import Console
from scripts.home_assistant.report import passed, print_report, summary


def check(**changes: object) -> dict[str, Any]:
    return {
        "id": "round_trip",
        "status": "pass",
        "component": "gateway",
        "observed_value": 31.234,
        "observed_unit": "ms",
        "expected": "< 1000",
        "message": "The Gateway answers fast.",
        "duration_ms": 160.4,
        "hint": None,
        **changes,
    }


def printed(*checks: dict[str, Any]) -> list[str]:
    stream = io.StringIO()
    print_report(Console(stream), {"checks": list(checks)})
    return stream.getvalue().splitlines()


def test_check_is_printed_with_figures() -> None:
    _, line = printed(check())
    figures = ["31.23", "ms", "<", "1000", "160"]
    assert line.split() == ["pass", "round_trip", "gateway", *figures]


def test_columns_are_aligned() -> None:
    header, first, second = printed(check(), check(id="p", observed_value=1))
    for column, value in (("check", "round_trip"), ("component", "gateway")):
        assert first.index(value) == header.index(column)
    assert second.index("gateway") == first.index("gateway")
    assert len(header) == len(first) == len(second)


def test_passed_check_is_one_line() -> None:
    assert len(printed(check())) == 2


@pytest.mark.parametrize("status", ["warn", "fail", "skip", "error"])
def test_failed_check_prints_message_and_hint(status: str) -> None:
    lines = printed(check(status=status, message="Slow.", hint="Look at the network."))
    assert [line.strip() for line in lines[2:]] == ["Slow.", "Look at the network."]


def test_check_without_observation() -> None:
    _, line = printed(check(observed_value=None, observed_unit=None, expected=None))
    assert line.split() == ["pass", "round_trip", "gateway", "160"]


def test_summary_omits_empty_statuses() -> None:
    report = {"status": "warn", "summary": {"pass": 9, "warn": 1, "fail": 0}}
    assert summary(report) == "warn: 9 pass, 1 warn"


@pytest.mark.parametrize(
    ("status", "expected"),
    [("pass", True), ("warn", True), ("fail", False), ("error", False)],
)
def test_only_pass_and_warn_count_as_passed(status: str, *, expected: bool) -> None:
    assert passed({"status": status}) is expected
