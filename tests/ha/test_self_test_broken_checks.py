"""Exceptions in checks."""

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.reports import Origin
from custom_components.clawd.selftest.model import CheckContext, CheckResult

from .check_stubs import check_of, run_stubs


async def _break(_: CheckContext) -> CheckResult:
    raise ValueError


@pytest.mark.parametrize("origin", Origin)
async def test_a_check_that_breaks_blames_the_integration(
    hass: HomeAssistant, entry: MockConfigEntry, origin: Origin
) -> None:
    report = await run_stubs(hass, entry, check_of(_break, "stub", origin))

    assert report["checks"][0]["origin"] == "integration"
    assert (report["liveness"], report["readiness"]) == ("error", "pass")
    assert report["suspects"] == [
        "This integration has a fault, which these checks found: stub."
    ]
