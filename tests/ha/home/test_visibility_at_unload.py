"""Unload while the visibility of tools is checked."""

import asyncio
from contextlib import suppress
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.home import visibility
from tests.ha.leftovers import leftovers
from tests.simulator import GatewaySimulator

from .nodes import ACCESS
from .test_visibility import publish


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return the settings of an agent with access."""
    return ACCESS


async def test_it_is_not_checked_again(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checking = asyncio.Event()

    async def check(*_: object) -> bool:
        checking.set()
        # It comes back at the moment of the unload.
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return False

    monkeypatch.setattr(visibility, "async_check_visible", check)
    await publish(entry, gateway)
    await checking.wait()

    assert await hass.config_entries.async_unload(entry.entry_id)

    assert leftovers(hass) == []
