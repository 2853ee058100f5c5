"""Images whose tasks OpenClaw cannot cancel."""

import asyncio
from collections.abc import AsyncGenerator

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.clawd.assist import image_tasks, images, throwaway
from custom_components.clawd.coordinator import ClawdConfigEntry
from tests.simulator import GatewaySimulator
from tests.simulator.images import finish_image

from .ai_tasks import cleaned_up, generate_image, more_subentries, settings
from .pictures import picture

__all__ = ["more_subentries", "settings"]


@pytest.fixture(autouse=True)
def _no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throwaway, "DELAYS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(image_tasks, "POLL_INTERVAL", 0.01)


@pytest.fixture
async def gateway(protocol: int) -> AsyncGenerator[GatewaySimulator]:
    """Run a Gateway that makes images."""
    async with GatewaySimulator(protocol=protocol) as simulator:
        simulator.images.image = picture(8, 8, "PNG")
        simulator.images.status = "running"
        simulator.images.cancellable = False
        yield simulator


async def cancel_image(hass: HomeAssistant, gateway: GatewaySimulator) -> None:
    """Have an image made, and cancel the action."""
    task = hass.async_create_task(generate_image(hass))
    await gateway.wait_for_request("tasks.get")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gateway.wait_until(lambda: gateway.runs.sessions == {})


async def test_the_session_of_a_late_image_is_deleted(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    await cancel_image(hass, gateway)
    gateway.images.status = "completed"
    [made] = gateway.images.tasks.values()
    # The agent tells of it in the session, which is there again.
    await finish_image(gateway, made, "A cat.")
    assert gateway.images.artifacts
    await cleaned_up(entry)
    assert gateway.runs.sessions == {}


async def test_an_image_without_an_end_is_not_waited_for(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(images, "MAX_LATENESS", 0.05)
    await cancel_image(hass, gateway)
    await cleaned_up(entry)
    assert gateway.runs.sessions == {}


async def test_an_image_that_goes_on_outlives_no_entry(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.hold("tasks.cancel")
    task = hass.async_create_task(generate_image(hass))
    await gateway.wait_for_request("tasks.get")
    task.cancel()
    await gateway.wait_for_request("tasks.cancel")
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises((asyncio.CancelledError, HomeAssistantError)):
        await task
