"""Calls of the self-test action."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.reports import Report
from tests.simulator import GatewaySimulator

RUNS_LONG = pytest.mark.timeout(60)
"""For tests of whole drills: 2 s each, 6 s on a busy machine."""


async def run_self_test(hass: HomeAssistant, **fields: object) -> Report:
    """Run the action and return its only report.

    A missing text would be replaced by its key.
    """
    response: Any = await hass.services.async_call(
        DOMAIN, "self_test", fields, blocking=True, return_response=True
    )
    [report] = response["reports"]
    assert [c["id"] for c in report["checks"] if c["message"].isidentifier()] == []
    return dict(report)


@asynccontextmanager
async def running_self_test(
    hass: HomeAssistant, gateway: GatewaySimulator, **fields: object
) -> AsyncGenerator[asyncio.Task[Report]]:
    """Run a self-test that waits until the body ends."""
    gateway.hold("health")
    test = asyncio.create_task(run_self_test(hass, **fields))
    await gateway.wait_for_request("health")
    try:
        yield test
    finally:
        gateway.release("health")


def statuses(report: Report) -> dict[str, str]:
    """Return the status of each check."""
    return {check["id"]: check["status"] for check in report["checks"]}


def problems(report: Report) -> dict[str, str]:
    """Return the checks that neither passed nor were skipped."""
    fine = {"pass", "skip"}
    return {name: s for name, s in statuses(report).items() if s not in fine}
