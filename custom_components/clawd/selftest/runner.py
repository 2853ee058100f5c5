"""Run of a self-test."""

import asyncio
from contextlib import AsyncExitStack, nullcontext
from time import perf_counter
import traceback
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import service
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER
from ..gateway import (
    ConnectionLostError,
    GatewayError,
    MissingScopeError,
    NotConnectedError,
)
from ..reports import Mode, Origin, Status, failed_checks
from ..runtime.report_history import async_store_report
from ..util.drill_lock import drill_lock
from .drill_tools import DRILL_TIMEOUT, ReloadError, RunStartedError
from .model import CheckContext, CheckOutcome, CheckResult, loop_late
from .registry import CHECKS
from .report import async_build_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from ..reports import Report
    from .model import Check

# Part of a check's timeout: a loop that was late for longer is why it was exceeded.
MAX_LAG_OF_TIMEOUT: Final = 0.1
# Seconds in which every drill ends with a Gateway that answers, by its own timeouts.
MIN_DRILL_TIME: Final = 10.0
# Statuses that a late event loop may explain.
LAG_SENSITIVE: Final = (Status.WARN, Status.FAIL, Status.ERROR)


class RunningSelfTests:
    """Running self-tests, one per entry.

    Only one of all may drill: log level and memory trace are shared by entries.
    """

    def __init__(self) -> None:
        """Initialize without self-tests."""
        self._tasks: dict[str, asyncio.Task[object] | None] = {}
        self._drill_lock = asyncio.Lock()

    def is_running(self, entry: ClawdConfigEntry) -> bool:
        """Return whether a self-test is running."""
        return entry.entry_id in self._tasks

    async def async_run(
        self,
        hass: HomeAssistant,
        entry: ClawdConfigEntry,
        mode: Mode,
        checks: Sequence[Check],
    ) -> Report:
        """Run checks and return the report.

        Raises:
            ServiceValidationError: a self-test of the entry is running, or the
                entry must not be interrupted.

        """
        if self.is_running(entry):
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="self_test_running",
                translation_placeholders={"title": entry.title},
            )
        if mode is Mode.DRILL:
            _refuse_interruption(entry)
        self._tasks[entry.entry_id] = asyncio.current_task()
        try:
            context = CheckContext(
                hass,
                entry,
                mode,
                self._tasks.values(),
                checks=tuple(check.id for check in checks),
            )
            async with self._drill_lock if mode is Mode.DRILL else nullcontext():
                with context.watch:
                    return await _run(context, checks)
        finally:
            del self._tasks[entry.entry_id]


_RUNNING: Final[HassKey[RunningSelfTests]] = HassKey(f"{DOMAIN} self-tests")


async def async_run(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    mode: Mode,
    checks: Sequence[str] | None = None,
) -> Report:
    """Run, store and return a self-test.

    `checks` are ids; None or empty runs all checks of the mode.

    Raises:
        ServiceValidationError: the entry is not loaded, a check is unknown, a
            self-test is running, or a drill would interrupt a run.

    """
    service.async_get_config_entry(hass, DOMAIN, entry.entry_id)
    chosen = _choose_checks(checks, mode)
    return await _running(hass).async_run(hass, entry, mode, chosen)


@callback
def is_running(hass: HomeAssistant, entry: ClawdConfigEntry) -> bool:
    """Return whether a self-test is running."""
    return _running(hass).is_running(entry)


async def run_checks(checks: Sequence[Check], context: CheckContext) -> None:
    """Run checks and collect their outcomes."""
    for check in checks:
        started = perf_counter()
        result = await _run_check(check, context)
        duration = perf_counter() - started
        context.outcomes.append(CheckOutcome(check, result, duration))


def _running(hass: HomeAssistant) -> RunningSelfTests:
    return hass.data.setdefault(_RUNNING, RunningSelfTests())


def _choose_checks(ids: Sequence[str] | None, mode: Mode) -> list[Check]:
    """Return the chosen checks in order."""
    if not ids:
        return [check for check in CHECKS if mode.includes(check.mode)]
    if unknown := set(ids) - {check.id for check in CHECKS}:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_check",
            translation_placeholders={"checks": ", ".join(sorted(unknown))},
        )
    return [check for check in CHECKS if check.id in ids]


def _refuse_interruption(entry: ClawdConfigEntry) -> None:
    client = entry.runtime_data.client
    runs = client.introspection.runs
    if client.hello and not runs:
        return
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="drill_runs_under_way" if runs else "drill_not_connected",
        translation_placeholders={"title": entry.title},
    )


async def _run(context: CheckContext, checks: Sequence[Check]) -> Report:
    started_at, started = dt_util.utcnow(), perf_counter()
    LOGGER.debug("Self-test started: %s, %s checks", context.mode, len(checks))
    context.deadline = asyncio.get_running_loop().time() + DRILL_TIMEOUT
    await run_checks(checks, context)
    report = await async_build_report(context, started_at, perf_counter() - started)
    failed = [check["id"] for check in failed_checks(report)]
    LOGGER.debug("Self-test ended: %s", ", ".join(failed) or "nothing failed")
    await async_store_report(context.hass, context.entry, report)
    return report


async def _run_check(check: Check, context: CheckContext) -> CheckResult:
    if not context.mode.includes(check.mode):
        return _skipped("other_mode")
    if check.mode is Mode.DRILL:
        return await _run_drill(check, context)
    return await _run_if_possible(check, context, check.timeout)


async def _run_drill(check: Check, context: CheckContext) -> CheckResult:
    """Run a drill while no question starts."""
    if (left := context.drill_time) <= 0:
        return _skipped("drill_overdue")
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(left):
                await stack.enter_async_context(drill_lock(context.entry).drill())
        except TimeoutError:
            return _skipped("runs_under_way")
        return await _run_if_possible(check, context, context.drill_time)


async def _run_if_possible(
    check: Check, context: CheckContext, timeout: float
) -> CheckResult:
    reasons = (prerequisite(context) for prerequisite in check.prerequisites)
    if reason := next(filter(None, reasons), None):
        return _skipped(reason)
    started = context.watch.now()
    try:
        async with asyncio.timeout(timeout):
            result = await check.run(context)
    except TimeoutError:
        result = _overdue(check, context, timeout)
        limit: float | None = timeout * MAX_LAG_OF_TIMEOUT
    except Exception as err:  # noqa: BLE001 - a check may raise anything
        return _failure(err, context)
    else:
        limit = check.max_lag
    lag = context.watch.lag_since(started)
    if limit is None or lag < limit or result.status not in LAG_SENSITIVE:
        return result
    return loop_late(lag)


def _skipped(reason: str) -> CheckResult:
    return CheckResult(status=Status.SKIP, reason=reason)


def _overdue(check: Check, context: CheckContext, timeout: float) -> CheckResult:
    """Return the result of a check timeout."""
    drill = check.mode is Mode.DRILL
    if context.gateway_slow or (drill and not context.connected):
        return _skipped("gateway_slow")
    # Earlier drills used up the time.
    if drill and timeout < MIN_DRILL_TIME:
        return _skipped("drill_overdue")
    seconds = {"seconds": round(timeout, 3)}
    return CheckResult(status=Status.ERROR, reason="overdue", placeholders=seconds)


def _failure(err: Exception, context: CheckContext) -> CheckResult:
    """Return the result of a failed check."""
    match err:
        case RunStartedError():
            return _skipped("runs_under_way")
        case ConnectionLostError() | NotConnectedError():
            return _skipped("not_connected")
        case MissingScopeError():
            return CheckResult(
                status=Status.SKIP,
                reason="right_missing",
                placeholders={"names": ", ".join(err.scopes) or err.code},
            )
        case ReloadError():
            return CheckResult(
                status=Status.FAIL,
                reason="not_reloaded",
                origin=_origin_of(err, context),
                placeholders={"state": err.state.value},
            )
        case GatewayError():
            return CheckResult(
                status=Status.FAIL,
                reason="refused",
                origin=Origin.GATEWAY,
                placeholders={"code": err.code},
            )
    return _broken_check(err)


def _origin_of(err: ReloadError, context: CheckContext) -> Origin:
    """Return the origin of a failed reload."""
    # The Gateway did not answer yet, or the setup ended with a translated error of
    # the client; a bug of the setup has no translation.
    waits = err.state in (
        ConfigEntryState.SETUP_IN_PROGRESS,
        ConfigEntryState.SETUP_RETRY,
    )
    refused = waits or context.entry.error_reason_translation_key
    return Origin.GATEWAY if refused else Origin.INTEGRATION


def _broken_check(err: Exception) -> CheckResult:
    """Return the location of an exception."""
    # A message may hold a secret; source lines do not.
    frames = traceback.extract_tb(err.__traceback__)
    return CheckResult(
        status=Status.ERROR,
        reason="broken",
        origin=Origin.INTEGRATION,
        placeholders={"error": type(err).__name__},
        details=tuple(f"{frame.name}: {frame.line}" for frame in frames),
    )
