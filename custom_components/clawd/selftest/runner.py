"""The run of a self-test: order, deadlines, prerequisites, and one at a time."""

import asyncio
from contextlib import nullcontext
from time import perf_counter
import traceback
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..gateway import ConnectionLostError, GatewayError, NotConnectedError
from .history import async_keep_report
from .interruption import ReloadError
from .model import Answer, CheckContext, CheckResult, Mode, Status
from .report import async_build_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from homeassistant.util.json import JsonObjectType

    from ..coordinator import ClawdConfigEntry
    from .model import Check


class SelfTests:
    """The self-tests under way, at most one an entry, and at most one that drills.

    Drills change what all entries share: the log, the tracing of memory.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._tasks: dict[str, asyncio.Task[object] | None] = {}
        self._turn = asyncio.Lock()

    def is_testing(self, entry: ClawdConfigEntry) -> bool:
        """Return whether a self-test of an entry is under way."""
        return entry.entry_id in self._tasks

    async def async_run(
        self,
        hass: HomeAssistant,
        entry: ClawdConfigEntry,
        mode: Mode,
        checks: Sequence[Check],
    ) -> JsonObjectType:
        """Test a loaded entry and return the report.

        Raises:
            ServiceValidationError: the entry is being tested already, or not to
                be interrupted.

        """
        if self.is_testing(entry):
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
            async with self._turn if mode is Mode.DRILL else nullcontext():
                return await _run(context, checks)
        finally:
            del self._tasks[entry.entry_id]


_SELF_TESTS: Final[WeakKeyDictionary[HomeAssistant, SelfTests]] = WeakKeyDictionary()


@callback
def async_get_self_tests(hass: HomeAssistant) -> SelfTests:
    """Return the self-tests under way."""
    return _SELF_TESTS.setdefault(hass, SelfTests())


async def _run(context: CheckContext, checks: Sequence[Check]) -> JsonObjectType:
    started_at, started = dt_util.utcnow(), perf_counter()
    await ask_all(checks, context)
    report = await async_build_report(context, started_at, perf_counter() - started)
    await async_keep_report(context.hass, context.entry, report)
    return report


async def ask_all(checks: Sequence[Check], context: CheckContext) -> None:
    """Ask one check after the other; the answers are in the context."""
    for check in checks:
        context.answers.append(await _answer(check, context))


def _refuse_interruption(entry: ClawdConfigEntry) -> None:
    client = entry.runtime_data.client
    if client.hello and not client.runs:
        return
    key = "drill_runs_under_way" if client.runs else "drill_not_connected"
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"title": entry.title},
    )


async def _answer(check: Check, context: CheckContext) -> Answer:
    started = perf_counter()
    result = await _ask(check, context)
    return Answer(check, result, perf_counter() - started)


async def _ask(check: Check, context: CheckContext) -> CheckResult:
    if reason := _obstacle(check, context):
        return CheckResult(status=Status.SKIP, reason=reason)
    try:
        async with asyncio.timeout(check.deadline):
            return await check.ask(context)
    except TimeoutError:
        seconds = {"seconds": check.deadline}
        return CheckResult(status=Status.ERROR, reason="overdue", facts=seconds)
    except ConnectionLostError, NotConnectedError:
        return CheckResult(status=Status.SKIP, reason="not_connected")
    except (GatewayError, ReloadError) as err:
        return _failed(err)
    except Exception as err:  # noqa: BLE001 - a check may break in any way
        return _broken(err)


def _obstacle(check: Check, context: CheckContext) -> str | None:
    """Name the reason for which a check cannot be asked, if there is one."""
    if not context.mode.includes(check.mode):
        return "other_mode"
    reasons = (prerequisite(context) for prerequisite in check.prerequisites)
    return next(filter(None, reasons), None)


def _failed(err: GatewayError | ReloadError) -> CheckResult:
    if isinstance(err, ReloadError):
        state = {"state": err.state.value}
        return CheckResult(status=Status.FAIL, reason="not_reloaded", facts=state)
    code = {"code": err.code}
    return CheckResult(status=Status.FAIL, reason="refused", facts=code)


def _broken(err: Exception) -> CheckResult:
    """Tell where a check broke: lines of code, no values and no message."""
    frames = traceback.extract_tb(err.__traceback__)
    return CheckResult(
        status=Status.ERROR,
        reason="broken",
        facts={"error": type(err).__name__},
        details=tuple(f"{frame.name}: {frame.line}" for frame in frames),
    )
