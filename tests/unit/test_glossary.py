"""Completeness of the glossary."""

from dataclasses import fields

import pytest

from custom_components.clawd.gateway import Cause, PauseReason, Statistics
from custom_components.clawd.selftest.checks.runs import LOSS_ORIGINS
from custom_components.clawd.util.glossary import (
    CAUSES,
    CLOSE_CODES,
    CODES,
    COUNTERS,
    PAUSES,
    meaning,
)


def test_every_cause_and_pause_is_explained() -> None:
    assert set(Cause) <= set(CAUSES)
    assert set(PauseReason) == set(PAUSES)


def test_every_counter_is_explained() -> None:
    statistics = Statistics()
    counters = {
        field.name
        for field in fields(statistics)
        if isinstance(getattr(statistics, field.name), int)
    }

    assert counters <= set(COUNTERS)


def test_every_code_of_a_lost_reply_is_explained() -> None:
    assert set(LOSS_ORIGINS) - {"ConnectionLostError"} <= set(CODES)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("1008", CLOSE_CODES[1008]),
        ("1006", CLOSE_CODES[1006]),
        ("4999", None),
        ("TIMEOUT", CODES["TIMEOUT"]),
        ("UNAVAILABLE", None),
        ("", None),
    ],
)
def test_a_code_has_its_meaning(code: str, text: str | None) -> None:
    assert meaning(code) == text
