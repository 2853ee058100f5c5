"""What a check is and what it finds."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

    from homeassistant.core import HomeAssistant
    from homeassistant.util.json import JsonValueType

    from ..coordinator import ClawdConfigEntry, ClawdRuntime

SETTLE_SECONDS: Final = 0.1


class Status(StrEnum):
    """How a check ended; `error` means that the check itself broke."""

    SKIP = "skip"
    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    ERROR = "error"
    FAIL = "fail"


class Mode(StrEnum):
    """What a check does to the system; each mode includes those before it."""

    PASSIVE = "passive"
    ACTIVE = "active"
    DRILL = "drill"

    def includes(self, other: Mode) -> bool:
        """Return whether a self-test of this mode runs a check of the other."""
        modes = list(Mode)
        return modes.index(other) <= modes.index(self)


class Component(StrEnum):
    """What a check looks at."""

    GATEWAY = "gateway"
    HOME_ASSISTANT = "home_assistant"
    SECURITY = "security"


class Aspect(StrEnum):
    """What a failure says: the integration is ill, or its Gateway is of no use."""

    LIVENESS = "liveness"
    READINESS = "readiness"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check found.

    Attributes:
        reason: why it found nothing; without one, the texts are the check's own.
        facts: what the texts have to be filled with.
        details: lines for a maintainer, as they are.

    """

    status: Status
    observed: JsonValueType = None
    unit: str | None = None
    expected: JsonValueType = None
    reason: str | None = None
    facts: Mapping[str, str | float] = field(default_factory=dict)
    details: tuple[str, ...] = ()


type Ask = Callable[[CheckContext], Awaitable[CheckResult]]
type Prerequisite = Callable[[CheckContext], str | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the running system; `deadline` in seconds.

    A prerequisite returns the reason for which the question cannot be asked.
    """

    id: str
    ask: Ask
    mode: Mode
    component: Component
    aspect: Aspect = Aspect.LIVENESS
    prerequisites: tuple[Prerequisite, ...] = ()
    deadline: float = 5


def expect_none(
    found: int, unit: str, *, details: tuple[str, ...] = (), **facts: str | float
) -> CheckResult:
    """Return the result of a check that passes if it found nothing."""
    return CheckResult(
        status=Status.FAIL if found else Status.PASS,
        observed=found,
        unit=unit,
        expected=0,
        facts=facts,
        details=details,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A check that has ended; `duration` in seconds."""

    check: Check
    result: CheckResult
    duration: float


@dataclass(slots=True)
class CheckContext:
    """What a check may look at.

    Attributes:
        self_tests: the tasks in which self-tests run at present.
        answers: of the checks that ended before.
        checks: the ids of those that are asked.
        settle: seconds that a suspect is given to go away by itself.

    """

    hass: HomeAssistant
    entry: ClawdConfigEntry
    mode: Mode
    self_tests: Collection[asyncio.Task[object] | None] = ()
    answers: list[Answer] = field(default_factory=list)
    checks: tuple[str, ...] = ()
    settle: float = SETTLE_SECONDS
    _runtime: ClawdRuntime = field(init=False)

    def __post_init__(self) -> None:
        """Hold the runtime of the entry."""
        self._runtime = self.entry.runtime_data

    @property
    def runtime(self) -> ClawdRuntime:
        """Return the present runtime; the last one where none is loaded."""
        self.follow()
        return self._runtime

    def follow(self) -> None:
        """Let go of the runtime that a reload has replaced."""
        if self.entry.state is ConfigEntryState.LOADED:
            self._runtime = self.entry.runtime_data

    @property
    def connected(self) -> bool:
        """Return whether there is a connection that can be used."""
        return self.runtime.client.hello is not None

    async def confirm[T](self, scan: Callable[[], Collection[T]]) -> list[T]:
        """Scan twice and return what stays in between."""
        suspects = scan()
        if not suspects:
            return []
        await asyncio.sleep(self.settle)
        remaining = scan()
        return [suspect for suspect in suspects if suspect in remaining]


def milliseconds(seconds: float) -> str:
    """Return a time as the texts show it, with three digits that count."""
    return f"{float(f'{seconds * 1000:.3g}'):g}"


def worst(statuses: Iterable[Status]) -> Status:
    """Return the worst status, at best `pass`."""
    order = list(Status)
    return max((Status.PASS, *statuses), key=order.index)
