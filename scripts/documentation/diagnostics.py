"""Tables of codes and counters."""

from collections.abc import Mapping

from custom_components.clawd.util.glossary import (
    CAUSES,
    CLOSE_CODES,
    CODES,
    COUNTERS,
    PAUSES,
)
from scripts.translations import Texts

from .blocks import Blocks, table


def diagnostics_page(_texts: Texts) -> Blocks:
    """Return the blocks of docs/diagnostics.md."""
    return {
        "close-codes": _table("close code", CLOSE_CODES),
        "codes": _table("code", CODES),
        "causes": _table("cause", CAUSES),
        "pauses": _table("pause", PAUSES),
        "counters": _table("counter", COUNTERS),
    }


def _table(kind: str, meanings: Mapping[int, str] | Mapping[str, str]) -> str:
    rows = ((f"`{code}`", text) for code, text in meanings.items())
    return table((kind, "meaning"), rows)
