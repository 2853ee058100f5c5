"""Order of statuses and modes."""

import pytest

from custom_components.clawd.reports import Mode, Status
from custom_components.clawd.selftest.model import milliseconds, worst


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], "pass"),
        (["skip", "skip"], "pass"),
        (["pass", "warn", "skip"], "warn"),
        (["warn", "error"], "error"),
        (["error", "fail", "warn"], "fail"),
    ],
)
def test_worst_status(statuses: list[str], expected: str) -> None:
    assert worst(map(Status, statuses)) == expected


@pytest.mark.parametrize(
    ("mode", "included"),
    [
        (Mode.PASSIVE, {"passive"}),
        (Mode.ACTIVE, {"passive", "active"}),
        (Mode.DRILL, {"passive", "active", "drill"}),
    ],
)
def test_mode_includes_less_invasive_modes(mode: Mode, included: set[str]) -> None:
    assert {other for other in Mode if mode.includes(other)} == included


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "0"), (0.000_12, "0.12"), (0.012_34, "12.3"), (0.4, "400"), (5.0, "5000")],
)
def test_milliseconds_have_no_exponent(seconds: float, shown: str) -> None:
    assert milliseconds(seconds) == shown
