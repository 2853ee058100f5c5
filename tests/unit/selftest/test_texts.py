"""Texts of the results of checks."""

import json
from pathlib import Path

import pytest

from custom_components.clawd.selftest.registry import CHECKS
from custom_components.clawd.selftest.suspects.rules import RULES

COMPONENT = Path(__file__).parents[3] / "custom_components" / "clawd"
TEXTS = json.loads((COMPONENT / "translations" / "en.json").read_text("utf-8"))

WARNING = {
    "clock_skew",
    "features",
    "home_limits",
    "home_method",
    "home_round_trip",
    "loop_lag",
    "text_to_speech",
    "round_trip",
    "run_events",
    "run_outcomes",
    "scopes",
    "sequence_gaps",
    "session_visibility",
    "storage_writes",
    "transport_trust",
}
NO_FAILURE = {
    *("home_limits", "home_method", "run_events", "run_outcomes"),
    "session_visibility",
}
OTHER_OUTCOMES = {
    "broken": "error",
    "certificate_changed": "fail",
    "certificate_refused": "fail",
    "dialog_open": "skip",
    "drill_overdue": "skip",
    "entry_in_transit": "skip",
    "gaps_of_invalid_frames": "skip",
    "gateway_not_back": "fail",
    "gateway_slow": "skip",
    "home_call_failed": "fail",
    "home_call_not_held": "skip",
    "home_calls_under_way": "skip",
    "home_disconnected": "fail",
    "home_displaced": "skip",
    "home_no_harmless_action": "skip",
    "home_not_approved": "skip",
    "home_not_connected": "skip",
    "home_not_offered": "skip",
    "home_not_published": "skip",
    "home_not_running": "skip",
    "home_not_started": "fail",
    "home_not_supported": "skip",
    "home_tools_lost": "fail",
    "in_handshake": "skip",
    "loop_late": "skip",
    "no_descriptors": "skip",
    "no_late_response": "skip",
    "no_voice": "skip",
    "no_warm_up": "skip",
    "not_admitted": "skip",
    "not_asyncio": "skip",
    "not_connected": "skip",
    "not_held": "skip",
    "not_in_protocol": "skip",
    "not_reloaded": "fail",
    "other_mode": "skip",
    "overdue": "error",
    "questions_off": "skip",
    "refused": "fail",
    "right_missing": "skip",
    "runs_under_way": "skip",
    "sessions_undeletable": "skip",
    "sessions_unrestrictable": "skip",
    "voice_status": "fail",
    "warm_up_session": "fail",
}
# Results with a hint of another one, and the hint of a result.
WITHOUT_HINT = {"tasks_missing": "fail", "tasks_wrong": "fail"}
HINT = "loop_blocked"


def _text_keys() -> set[str]:
    ids = {check.id for check in CHECKS}
    ends = {f"check_{name}_{end}" for name in ids for end in ("pass", "hint")}
    ends |= {f"check_{name}_fail" for name in ids - NO_FAILURE}
    ends |= {f"check_{name}_warn" for name in WARNING}
    others = {**OTHER_OUTCOMES, **WITHOUT_HINT}
    ends |= {f"check_{name}_{end}" for name, end in others.items()}
    return ends | {f"check_{name}_hint" for name in (*OTHER_OUTCOMES, HINT)}


def test_texts_match_check_outcomes() -> None:
    assert {k for k in TEXTS["exceptions"] if k.startswith("check_")} == _text_keys()


@pytest.mark.parametrize("reason", [*OTHER_OUTCOMES, *WITHOUT_HINT, HINT])
def test_reasons_are_used_in_code(reason: str) -> None:
    sources = (COMPONENT / "selftest").rglob("*.py")

    assert any(f'"{reason}"' in source.read_text("utf-8") for source in sources)


def test_every_rule_has_its_sentence_and_no_sentence_is_left_over() -> None:
    sentences = {k for k in TEXTS["exceptions"] if k.startswith("suspect_")}

    assert sentences == {f"suspect_{rule.key}" for rule in RULES}
