"""Registry of checks.

A new check goes into a module of `checks`; nothing has to be added here.
"""

from typing import TYPE_CHECKING, Final

from ..reports import Mode
from .checks import (
    announcements,
    automation,
    backoff,
    drills,
    entities,
    handoffs,
    home,
    home_calls,
    home_drills,
    home_policy,
    listeners,
    media,
    questions,
    reload,
    requests,
    runs,
    security,
    sessions,
    tasks,
    transport,
    trust,
    voice,
)
from .model import Check

if TYPE_CHECKING:
    from types import ModuleType

# Security comes after what it reads: `redaction` searches the outcomes so far.
# Drills change the system, so they come last, and of these the reloads.
_MODULES: Final[tuple[ModuleType, ...]] = (
    requests,
    runs,
    backoff,
    transport,
    trust,
    tasks,
    listeners,
    announcements,
    handoffs,
    automation,
    questions,
    entities,
    home,
    home_calls,
    home_policy,
    sessions,
    voice,
    media,
    security,
    home_drills,
    drills,
    reload,
)


def _checks_of(mode: Mode) -> tuple[Check, ...]:
    return tuple(
        value
        for module in _MODULES
        for value in vars(module).values()
        if isinstance(value, Check) and value.mode is mode
    )


# Active checks come first: they exercise the system, and the passive ones look for
# leaks afterwards.
CHECKS: Final = (
    *_checks_of(Mode.ACTIVE),
    *_checks_of(Mode.PASSIVE),
    *_checks_of(Mode.DRILL),
)
