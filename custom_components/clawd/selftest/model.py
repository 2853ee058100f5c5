"""Checks, results and context."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState

from ..reports import Mode, Origin, Status
from ..runtime.counts import count_events
from .loop_watch import LoopWatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

    from homeassistant.core import HomeAssistant
    from homeassistant.util.json import JsonValueType

    from ..coordinator import ClawdConfigEntry, ClawdRuntime
    from ..gateway import GatewayClient

RECHECK_DELAY: Final = 0.1
# Detail of a result of the second client.
NODE_CONNECTION: Final = "node connection"


class Component(StrEnum):
    """Component covered by a check."""

    GATEWAY = "gateway"
    HOME_ASSISTANT = "home_assistant"
    HOME = "home"
    SECURITY = "security"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """Result of a check.

    Attributes:
        reason: prefix of the translation keys; the check's id if None.
        hint: prefix of the hint's translation key, where it is another one.
        origin: where the cause lies; that of the check if None.
        placeholders: for the translations.
        details: lines for a maintainer, not translated.

    """

    status: Status
    observed: JsonValueType = None
    unit: str | None = None
    expected: JsonValueType = None
    reason: str | None = None
    hint: str | None = None
    origin: Origin | None = None
    placeholders: Mapping[str, str | float] = field(default_factory=dict)
    details: tuple[str, ...] = ()


type ClientRun = Callable[[CheckContext, GatewayClient], Awaitable[CheckResult]]
type Run = Callable[[CheckContext], Awaitable[CheckResult]]
type Prerequisite = Callable[[CheckContext], str | None]


@dataclass(frozen=True, slots=True)
class Check:
    """Check of the running system.

    Attributes:
        origin: where the cause of a failure lies, unless the result says otherwise.
        prerequisites: each returns a reason to skip the check, or None.
        timeout: in seconds.
        max_lag: seconds of lag of the event loop from which on what the check
            measured says nothing; None if it measures no time.

    """

    id: str
    run: Run
    mode: Mode
    component: Component
    origin: Origin = Origin.INTEGRATION
    prerequisites: tuple[Prerequisite, ...] = ()
    timeout: float = 5
    max_lag: float | None = None


def check(  # noqa: PLR0913 - each has a default
    *,
    component: Component,
    mode: Mode = Mode.PASSIVE,
    origin: Origin = Origin.INTEGRATION,
    requires: tuple[Prerequisite, ...] = (),
    timeout: float = 5,
    max_lag: float | None = None,
) -> Callable[[Run], Check]:
    """Make a check of a function `check_<id>`.

    The first line of its docstring is the subject of the check, the second
    paragraph why; `docs/self-test.md` is made of them.
    """

    def decorate(run: Run) -> Check:
        id_ = run.__name__.removeprefix("check_")
        return Check(id_, run, mode, component, origin, requires, timeout, max_lag)

    return decorate


def for_each_client(run: ClientRun) -> Run:
    """Run a check for each client.

    Return the first worst result.
    """

    @wraps(run)
    async def run_for_all(context: CheckContext) -> CheckResult:
        order = list(Status)
        worst_result, *others = [
            await run(context, client) for client in context.runtime.clients
        ]
        for result in others:
            if order.index(result.status) > order.index(worst_result.status):
                details = (NODE_CONNECTION, *result.details)
                worst_result = replace(result, details=details)
        return worst_result

    return run_for_all


def expect_none(
    found: int, unit: str, *, details: tuple[str, ...] = (), **placeholders: str | float
) -> CheckResult:
    """Fail if anything was found."""
    return CheckResult(
        status=Status.FAIL if found else Status.PASS,
        observed=found,
        unit=unit,
        expected=0,
        placeholders=placeholders,
        details=details,
    )


def warn_if_any(found: int, unit: str) -> CheckResult:
    """Warn if anything was found."""
    return CheckResult(
        status=Status.WARN if found else Status.PASS,
        observed=found,
        unit=unit,
        expected=0,
        placeholders={"count": found},
    )


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """Completed check; `duration` in seconds."""

    check: Check
    result: CheckResult
    duration: float

    @property
    def origin(self) -> Origin:
        """Return the origin of the cause."""
        return self.result.origin or self.check.origin


@dataclass(slots=True)
class CheckContext:
    """Context of one self-test's checks.

    Attributes:
        self_tests: tasks of all running self-tests.
        outcomes: of the checks completed so far.
        checks: ids of all checks of this self-test.
        recheck_delay: seconds between two scans for a leak.
        watch: over the event loop.
        deadline: of the drills, on the clock of the event loop.

    """

    hass: HomeAssistant
    entry: ClawdConfigEntry
    mode: Mode
    self_tests: Collection[asyncio.Task[object] | None] = ()
    outcomes: list[CheckOutcome] = field(default_factory=list)
    checks: tuple[str, ...] = ()
    recheck_delay: float = RECHECK_DELAY
    watch: LoopWatch = field(default_factory=LoopWatch)
    deadline: float = 0.0
    _runtime: ClawdRuntime = field(init=False)

    def __post_init__(self) -> None:
        """Take the runtime of the entry."""
        self._runtime = self.entry.runtime_data

    @property
    def runtime(self) -> ClawdRuntime:
        """Return the current or last runtime."""
        self.refresh_runtime()
        return self._runtime

    def refresh_runtime(self) -> None:
        """Release the runtime after a reload."""
        if self.entry.state is ConfigEntryState.LOADED:
            self._runtime = self.entry.runtime_data

    @property
    def connected(self) -> bool:
        """Return whether the client is connected."""
        return self.runtime.client.hello is not None

    @property
    def drill_time(self) -> float:
        """Return the seconds left for drills."""
        return self.deadline - asyncio.get_running_loop().time()

    def counted(self, name: str) -> int:
        """Return an event count since setup."""
        return self.events[name]

    @property
    def events(self) -> Counter[str]:
        """Return the event counts since setup."""
        return events_since_setup(self.runtime)

    def result_of(self, check_id: str) -> CheckResult | None:
        """Return an earlier result, if any."""
        results = (o.result for o in self.outcomes if o.check.id == check_id)
        return next(results, None)

    @property
    def gateway_slow(self) -> bool:
        """Return whether the Gateway was slow."""
        round_trip = self.result_of("round_trip")
        return bool(round_trip and round_trip.status in (Status.WARN, Status.FAIL))

    async def recheck[T](self, scan: Callable[[], Collection[T]]) -> list[T]:
        """Scan twice and return the persistent suspects."""
        # A task may be about to end, a listener about to unsubscribe: only a
        # suspect that stays is a leak.
        suspects = scan()
        if not suspects:
            return []
        await asyncio.sleep(self.recheck_delay)
        remaining = scan()
        return [suspect for suspect in suspects if suspect in remaining]


def events_since_setup(runtime: ClawdRuntime) -> Counter[str]:
    """Return the clients' event counts since setup."""
    events = Counter(count_events(runtime.client)) - Counter(runtime.events_before)
    if node := runtime.node:
        events += Counter(count_events(node.client)) - Counter(node.events_before)
    return events


def loop_late(lag: float) -> CheckResult:
    """Return the result of an invalid measurement."""
    return CheckResult(
        status=Status.SKIP,
        reason="loop_late",
        placeholders={"lag": milliseconds(lag)},
    )


def milliseconds(seconds: float) -> str:
    """Format seconds as milliseconds.

    With three significant digits.
    """
    return f"{float(f'{seconds * 1000:.3g}'):g}"


def worst(statuses: Iterable[Status]) -> Status:
    """Return the worst status, at best `pass`."""
    order = list(Status)
    return max((Status.PASS, *statuses), key=order.index)
