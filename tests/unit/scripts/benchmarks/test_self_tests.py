"""Tally of self-tests on a healthy Gateway."""

from typing import Any

import pytest

from scripts.benchmarks.__main__ import parse_self_test_arguments
from scripts.benchmarks.self_tests import KINDS, Tally


def report(*statuses: str, suspects: tuple[str, ...] = ()) -> dict[str, Any]:
    checks = [
        {
            "id": f"check_{number}",
            "status": status,
            "origin": "integration",
            "observed_value": 7,
            "observed_unit": "ms",
            "message": "It took 7 ms.",
            **({"details": ["a detail"]} if number == 1 else {}),
        }
        for number, status in enumerate(statuses)
    ]
    return {"checks": checks, "suspects": list(suspects)}


def test_what_passes_or_is_skipped_is_no_alarm() -> None:
    tally = Tally()
    tally.add("active", report("pass", "skip"))
    assert tally.troubles == []
    assert tally.row("OpenClaw") == ("OpenClaw", "1", "0", "0", "0", "0", "1", "met")


@pytest.mark.parametrize("status", ["warn", "fail", "error"])
def test_any_other_check_is_an_alarm(status: str) -> None:
    tally = Tally()
    tally.add("drill", report("pass", status))
    [alarm] = tally.troubles
    told = f"{status} check_1 (integration): 7 ms: It took 7 ms. a detail"
    assert alarm == f"drill 1: {told}"
    assert tally.row("OpenClaw")[-1] == "missed"


def test_an_alarm_without_details_is_told() -> None:
    tally = Tally()
    tally.add("active", report("warn"))
    [alarm] = tally.troubles
    assert alarm.endswith("check_0 (integration): 7 ms: It took 7 ms.")


def test_a_suspect_is_an_alarm() -> None:
    tally = Tally()
    tally.add("active", report("pass", suspects=("The Gateway is slow.",)))
    assert tally.troubles == ["active 1: suspects: The Gateway is slow."]


def test_a_lost_reply_misses_the_goal() -> None:
    tally = Tally(questions=2)
    tally.count_lost("no connection")
    assert tally.troubles == ["question 2: no connection"]
    assert tally.row("OpenClaw")[3:6] == ("2", "1", "0")
    assert tally.row("OpenClaw")[-1] == "missed"


def test_all_gateways_are_tested_by_default() -> None:
    options = parse_self_test_arguments([])
    assert list(options.gateways) == list(KINDS)
    assert (options.tests * len(KINDS), options.drills * len(KINDS)) == (224, 40)
