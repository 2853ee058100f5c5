"""Check results for client stubs."""

from types import SimpleNamespace
from typing import Any, Final

from custom_components.clawd.gateway import Statistics
from custom_components.clawd.gateway.statistics import StoreErrors
from custom_components.clawd.reports import Mode
from custom_components.clawd.selftest.loop_watch import LoopWatch
from custom_components.clawd.selftest.model import Check, CheckContext, CheckResult
from custom_components.clawd.util.loop_monitor import LoopMonitor

# A watch that was not started sees no lag.
WATCH: Final = LoopWatch()


def introspection(**attributes: object) -> SimpleNamespace:
    """Return the introspection of a client stub."""
    nothing = {"task_failures": {}, "store_errors": StoreErrors(), "transitions": ()}
    return SimpleNamespace(**{**nothing, **attributes})


async def result_of(
    check: Check, watch: LoopWatch = WATCH, **client: object
) -> CheckResult:
    """Run a check on a client stub."""
    attributes = {
        "statistics": Statistics(),
        "introspection": introspection(),
        **client,
    }
    stub = SimpleNamespace(**attributes)
    runtime = SimpleNamespace(
        client=stub,
        clients=(stub,),
        node=None,
        events_before={},
        loop_monitor=LoopMonitor(),
    )
    entry: Any = SimpleNamespace(state=None, runtime_data=runtime)
    hass: Any = None
    context = CheckContext(hass, entry, Mode.PASSIVE, recheck_delay=0, watch=watch)
    return await check.run(context)
