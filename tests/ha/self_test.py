"""Calling the self-test."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.clawd.const import DOMAIN
from tests.simulator import GatewaySimulator

type Report = dict[str, Any]

WORKS_LONG = pytest.mark.timeout(60)
"""For tests of whole drills, which take 2 s each, and 6 s beside other work."""


async def run_self_test(hass: HomeAssistant, **fields: object) -> Report:
    """Run the action and return the report of the one entry it tested.

    None of its texts is missing: its key would stand in its place.
    """
    response: Any = await hass.services.async_call(
        DOMAIN, "self_test", fields, blocking=True, return_response=True
    )
    [report] = response["reports"]
    assert [c["id"] for c in report["checks"] if c["message"].isidentifier()] == []
    return dict(report)


@asynccontextmanager
async def self_test_under_way(
    hass: HomeAssistant, gateway: GatewaySimulator, **fields: object
) -> AsyncGenerator[asyncio.Task[Report]]:
    """Hold a self-test at the Gateway's health for as long as the body lasts."""
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


def bad(report: Report) -> dict[str, str]:
    """Return the checks that neither passed nor were skipped."""
    fine = {"pass", "skip"}
    return {name: s for name, s in statuses(report).items() if s not in fine}
