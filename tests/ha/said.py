"""What a report says of a check, held against the texts of the integration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import json
from pathlib import Path
import re
from typing import Any, Final

import custom_components.clawd as integration

NUMBER: Final = r"-?\d[\d.e+-]*"
TRANSLATIONS: Final = Path(integration.__file__).parent / "translations" / "en.json"
TEXTS: Final = json.loads(TRANSLATIONS.read_text("utf-8"))["exceptions"]


@dataclass(frozen=True)
class Said:
    """What was seen, what fills the message, the details, and why there is no result.

    In texts, # stands for any number. None is not compared: what was measured.
    """

    observed: object = None
    facts: Mapping[str, object] = field(default_factory=dict)
    details: tuple[str, ...] | None = ()
    reason: str | None = None


def assert_says(check: dict[str, Any], said: Said) -> None:
    """Compare what a report says of a check with what it should say."""
    subject = said.reason or check["id"]
    text = TEXTS[f"check_{subject}_{check['status']}"]["message"]
    assert _matches(text.format(**said.facts), check["message"]), check["message"]
    if said.observed is not None:
        assert check["observed_value"] == said.observed
    if said.details is not None:
        found = check.get("details", [])
        assert all(map(_matches, said.details, found, strict=True)), found


def _matches(pattern: str, text: str) -> bool:
    return bool(re.fullmatch(re.escape(pattern).replace(r"\#", NUMBER), text))
