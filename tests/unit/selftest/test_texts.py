"""Every check can be chosen, and every result of a check has its texts."""

import json
from pathlib import Path
import re

import pytest

from custom_components.clawd.selftest.registry import CHECKS

COMPONENT = Path(__file__).parents[3] / "custom_components" / "clawd"
TEXTS = json.loads((COMPONENT / "translations" / "en.json").read_text("utf-8"))

WARNING = {"round_trip", "clock_skew", "sequence_gaps", "transport_trust"}
OTHER_ENDS = {
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


def _expected() -> set[str]:
    ids = [check.id for check in CHECKS]
    ends = {f"check_{name}_{end}" for name in ids for end in ("pass", "fail", "hint")}
    ends |= {f"check_{name}_warn" for name in WARNING}
    ends |= {f"check_{name}_{end}" for name, end in OTHER_ENDS.items()}
    return ends | {f"check_{name}_hint" for name in OTHER_ENDS}


def test_texts_match_check_outcomes() -> None:
    assert {k for k in TEXTS["exceptions"] if k.startswith("check_")} == _expected()


@pytest.mark.parametrize("reason", OTHER_ENDS)
def test_reasons_are_used_in_code(reason: str) -> None:
    sources = (COMPONENT / "selftest").rglob("*.py")

    assert any(f'"{reason}"' in source.read_text("utf-8") for source in sources)


def test_every_check_is_selectable() -> None:
    services = (COMPONENT / "services.yaml").read_text("utf-8")
    options = services.partition("    checks:")[2]

    assert re.findall(r"- (\w+)", options) == [check.id for check in CHECKS]
