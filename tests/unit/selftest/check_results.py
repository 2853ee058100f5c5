"""Check results for client stubs."""

from types import SimpleNamespace
from typing import Any

from custom_components.clawd.reports import Mode
from custom_components.clawd.selftest.model import Check, CheckContext, CheckResult


async def result_of(check: Check, **client: object) -> CheckResult:
    """Run a check on a client stub."""
    runtime = SimpleNamespace(client=SimpleNamespace(**client))
    entry: Any = SimpleNamespace(state=None, runtime_data=runtime)
    hass: Any = None
    return await check.run(CheckContext(hass, entry, Mode.ACTIVE, recheck_delay=0))
