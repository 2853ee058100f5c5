"""Suspects: probable causes of failures.

The rules stand in one table, the likeliest cause first. The sentences are the texts
`suspect_<key>`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .rules import RULES

if TYPE_CHECKING:
    from .evidence import Evidence
    from .rule import Placeholders

MAX_SUSPECTS: Final = 3


@dataclass(frozen=True, slots=True)
class Suspect:
    """Suspect; `key` is its rule's."""

    key: str
    placeholders: Placeholders


def find_suspects(evidence: Evidence) -> list[Suspect]:
    """Return the suspects, the likeliest first."""
    suspects: list[Suspect] = []
    groups: set[str] = set()
    for rule in RULES:
        if len(suspects) == MAX_SUSPECTS:
            break
        if rule.group in groups:
            continue
        if (placeholders := rule.find(evidence)) is not None:
            suspects.append(Suspect(rule.key, placeholders))
            evidence.explained.update(rule.explains)
            groups |= {rule.group} - {""}
    return suspects
