"""Texts of the results of checks."""

import json
from pathlib import Path

import pytest

from custom_components.clawd.selftest.registry import CHECKS

COMPONENT = Path(__file__).parents[3] / "custom_components" / "clawd"
TEXTS = json.loads((COMPONENT / "translations" / "en.json").read_text("utf-8"))

WARNING = {"round_trip", "clock_skew", "sequence_gaps", "transport_trust"}
OTHER_OUTCOMES = {
    "broken": "error",
    "entry_in_transit": "skip",
    "in_handshake": "skip",
    "no_descriptors": "skip",
    "no_late_response": "skip",
    "not_asyncio": "skip",
    "not_connected": "skip",
    "not_held": "skip",
    "not_in_protocol": "skip",
    "not_reloaded": "fail",
    "other_mode": "skip",
    "overdue": "error",
    "refused": "fail",
    "runs_under_way": "skip",
}


def _text_keys() -> set[str]:
    ids = [check.id for check in CHECKS]
    keys = {
        f"check_{name}_{outcome}"
        for name in ids
        for outcome in ("pass", "fail", "hint")
    }
    keys |= {f"check_{name}_warn" for name in WARNING}
    keys |= {f"check_{name}_{outcome}" for name, outcome in OTHER_OUTCOMES.items()}
    return keys | {f"check_{name}_hint" for name in OTHER_OUTCOMES}


def test_texts_match_check_outcomes() -> None:
    assert {k for k in TEXTS["exceptions"] if k.startswith("check_")} == _text_keys()


@pytest.mark.parametrize("reason", OTHER_OUTCOMES)
def test_reasons_are_used_in_code(reason: str) -> None:
    sources = (COMPONENT / "selftest").rglob("*.py")

    assert any(f'"{reason}"' in source.read_text("utf-8") for source in sources)
