"""Unloads and removals in the middle of a call of the Gateway."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.home.service import HomeService
from tests.ha.test_ends_in_the_middle import end, verify
from tests.simulator import GatewaySimulator

from .nodes import ACCESS, wait_for_node


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return the settings of an agent with access."""
    return ACCESS


@pytest.mark.parametrize("how", ["reload", "unload", "remove"])
async def test_it_ends(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    called, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(*_: object) -> str:
        called.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return ""

    monkeypatch.setattr(HomeService, "async_handle", wait)
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await wait_for_node(gateway, new_entry)
    node = new_entry.runtime_data.node
    call = hass.async_create_task(
        gateway.nodes.invoke(node.client.device_id, "system.notify", {"title": "x"})
    )
    await called.wait()

    await end(hass, new_entry, how)
    await asyncio.gather(call, return_exceptions=True)

    assert cancelled.is_set()
    assert node.client.introspection.tasks == {}
    verify(hass, new_entry, how, caplog, hass_storage)
