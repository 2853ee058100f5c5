"""Self-tests that end as a test wants."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.selftest.model import (
    Ask,
    Aspect,
    Check,
    CheckContext,
    CheckResult,
    Component,
    Mode,
    Status,
)
from custom_components.clawd.selftest.runner import SelfTests

from .self_test import Report


def planted(
    status: Status, name: str = "planted", aspect: Aspect = Aspect.LIVENESS
) -> Check:
    """Return a check that ends with a status."""

    async def ask(_: CheckContext) -> CheckResult:
        return CheckResult(status=status)

    return check_of(ask, name, aspect)


def check_of(
    ask: Ask,
    name: str = "planted",
    aspect: Aspect = Aspect.LIVENESS,
    deadline: float = 5,
) -> Check:
    """Return a check that asks what a test wants, in `deadline` seconds."""
    return Check(name, ask, Mode.PASSIVE, Component.GATEWAY, aspect, deadline=deadline)


async def run_planted(
    hass: HomeAssistant, entry: MockConfigEntry, *checks: Check
) -> Report:
    """Run checks and return the report."""
    report = await SelfTests().async_run(hass, entry, Mode.ACTIVE, checks)
    await hass.async_block_till_done()
    return dict(report)
