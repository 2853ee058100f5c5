"""Rule that finds a suspect, and the general kinds of rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...reports import Origin, Status
from .evidence import Evidence

type Placeholders = Mapping[str, str | float]
type Find = Callable[[Evidence], Placeholders | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """Rule for a suspect.

    Attributes:
        find: returns the placeholders of the sentence, or None.
        explains: failed checks explained by this suspect.
        group: only the first matching rule of a group applies.

    """

    key: str
    find: Find
    explains: tuple[str, ...] = ()
    group: str = ""


def counted(name: str) -> Find:
    """Return a rule for a counted event."""

    def find(evidence: Evidence) -> Placeholders | None:
        count = evidence.events[name]
        return {"count": count} if count else None

    return find


def check(check_id: str, *statuses: Status) -> Find:
    """Return a rule for a check's result."""

    def find(evidence: Evidence) -> Placeholders | None:
        result = evidence.result(check_id, *statuses)
        return result.placeholders if result else None

    return find


def failed(*origins: Origin) -> Find:
    """Return a rule for unexplained failures."""

    def find(evidence: Evidence) -> Placeholders | None:
        names = evidence.unexplained(*origins)
        return {"names": ", ".join(names)} if names else None

    return find
