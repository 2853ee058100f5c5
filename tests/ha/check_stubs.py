"""Self-tests with stub checks."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.reports import Mode, Origin, Report, Status
from custom_components.clawd.selftest.model import (
    Check,
    CheckContext,
    CheckResult,
    Component,
    Run,
)
from custom_components.clawd.selftest.runner import RunningSelfTests


def check_stub(
    status: Status, name: str = "stub", origin: Origin = Origin.INTEGRATION
) -> Check:
    """Return a check that ends with a status."""

    async def run(_: CheckContext) -> CheckResult:
        return CheckResult(status=status)

    return check_of(run, name, origin)


def check_of(
    run: Run,
    name: str = "stub",
    origin: Origin = Origin.INTEGRATION,
    timeout: float = 5,
) -> Check:
    """Return a check that runs a function."""
    return Check(name, run, Mode.PASSIVE, Component.GATEWAY, origin, timeout=timeout)


async def run_stubs(
    hass: HomeAssistant, entry: MockConfigEntry, *checks: Check
) -> Report:
    """Run checks and return the report."""
    report = await RunningSelfTests().async_run(hass, entry, Mode.ACTIVE, checks)
    await hass.async_block_till_done()
    return report
