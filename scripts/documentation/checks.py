"""Tables of the checks."""

from collections.abc import Iterable
from inspect import cleandoc
from typing import Final

from custom_components.clawd.reports import Mode
from custom_components.clawd.selftest.model import Check, Component
from custom_components.clawd.selftest.registry import CHECKS
from scripts.translations import Texts

from .blocks import Blocks, DocumentationError, table

COLUMNS: Final = (
    "check",
    "mode",
    "cause in",
    "what it looks at",
    "why",
    "if it fails",
)

# Hints that many checks share, each named by one of these checks.
SHARED_HINTS: Final = {
    "reload and report": "pending_age",
    "restart and report": "bus_listeners",
}


def self_test_page(texts: Texts) -> Blocks:
    """Return the blocks of docs/self-test.md."""
    shared = {_hint(texts, check): label for label, check in SHARED_HINTS.items()}
    drills = [check for check in CHECKS if check.mode is Mode.DRILL]
    others = [check for check in CHECKS if check.mode is not Mode.DRILL]
    return {
        "hints": "\n".join(f"- *{label}*: {hint}" for hint, label in shared.items()),
        "drills": _table(drills, texts, shared),
        **{
            component: _table(
                (check for check in others if check.component is component),
                texts,
                shared,
            )
            for component in Component
        },
    }


def services_file(_texts: Texts) -> Blocks:
    """Return the blocks of services.yaml."""
    return {
        "modes": "\n".join(f"- {mode}" for mode in Mode),
        "checks": "\n".join(f"- {check.id}" for check in CHECKS),
    }


def _table(checks: Iterable[Check], texts: Texts, shared: dict[str, str]) -> str:
    rows = []
    for check in checks:
        subject, reason = _docstring(check)
        hint = _hint(texts, check.id)
        remedy = f"[{shared[hint]}](#what-to-do)" if hint in shared else hint
        origin = check.origin.replace("_", " ")
        rows.append((f"`{check.id}`", check.mode, origin, subject, reason, remedy))
    return table(COLUMNS, rows)


def _docstring(check: Check) -> tuple[str, str]:
    """Return the first two paragraphs of a check's docstring."""
    match cleandoc(check.run.__doc__ or "").split("\n\n"):
        case [subject, reason, *_]:
            return subject, reason
    raise DocumentationError(f"check_{check.id} has no second paragraph: its reason")


def _hint(texts: Texts, check: str) -> str:
    key = f"exceptions.check_{check}_hint.message"
    if key not in texts:
        raise DocumentationError(f"en.json lacks {key}")
    return texts[key]
