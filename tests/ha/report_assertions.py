"""Assertions on the report of a check."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import json
from pathlib import Path
import re
from typing import Any, Final

import pytest

import custom_components.clawd as integration

NUMBER: Final = r"-?\d[\d.e+-]*"
TRANSLATIONS: Final = Path(integration.__file__).parent / "translations" / "en.json"
TEXTS: Final = json.loads(TRANSLATIONS.read_text("utf-8"))["exceptions"]


@dataclass(frozen=True)
class Expected:
    """Expected report of a check.

    In texts, # stands for any number. None is not compared.

    Attributes:
        placeholders: of the message.
        reason: prefix of the translation key; the check's id if None.

    """

    observed: object = None
    placeholders: Mapping[str, object] = field(default_factory=dict)
    details: tuple[str, ...] | None = ()
    reason: str | None = None


def assert_reported(check: dict[str, Any], expected: Expected) -> None:
    """Compare the report of a check with the expected one."""
    subject = expected.reason or check["id"]
    text = TEXTS[f"check_{subject}_{check['status']}"]["message"]
    message = text.format(**expected.placeholders)
    assert matches(message, check["message"]), check["message"]
    if expected.observed is not None:
        assert check["observed_value"] == expected.observed
    if expected.details is not None:
        found = check.get("details", [])
        assert all(map(matches, expected.details, found, strict=True)), found


def between(low: float, high: float) -> object:
    """Return an object that equals numbers in a range."""
    return pytest.approx((low + high) / 2, abs=(high - low) / 2)


MEASURED: Final = between(1, 5_000)
"""Milliseconds, also on a busy machine."""


def matches(pattern: str, text: str) -> bool:
    """Return whether a text is like a pattern, in which # is any number."""
    return bool(re.fullmatch(re.escape(pattern).replace(r"\#", NUMBER), text))
