"""Self-test while tasks are at work."""

from collections.abc import AsyncGenerator
from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
import pytest

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.coordinator import ClawdConfigEntry
from custom_components.clawd.flows.ai_task import new_ai_task
from tests.simulator import GatewaySimulator, Pause, Reply

from .ai_tasks import cleaned_up, generate_image
from .pictures import picture
from .states import AGENT

CHECKS = ["task_inventory", "handler_baseline", "handler_duplicates", "timer_registry"]


@pytest.fixture
async def gateway(protocol: int) -> AsyncGenerator[GatewaySimulator]:
    """Run a Gateway that makes images, but never ends."""
    async with GatewaySimulator(protocol=protocol) as simulator:
        simulator.images.image = picture(8, 8, "PNG")
        simulator.images.status = "running"
        yield simulator


@pytest.fixture
def more_subentries() -> list[ConfigSubentryData]:
    """Add an AI task."""
    return [new_ai_task("main", "main")]


async def test_what_is_at_work_is_no_leak(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Done."))
    question = {"agent": AGENT, "text": "Think."}
    await hass.services.async_call(DOMAIN, "start_task", question, blocking=True)
    image = hass.async_create_task(generate_image(hass))
    await gateway.wait_paused()
    await gateway.wait_for_request("tools.invoke", 2)

    response: Any = await hass.services.async_call(
        DOMAIN,
        "self_test",
        {"mode": "passive", "checks": CHECKS},
        blocking=True,
        return_response=True,
    )

    [report] = response["reports"]
    found = {check["id"]: check["status"] for check in report["checks"]}
    assert found == dict.fromkeys(CHECKS, "pass")
    # Both follow the pictures that are made in their sessions.
    assert entry.runtime_data.listener_baseline["task"] == 2
    image.cancel()
    gateway.proceed()
    await cleaned_up(entry)
