"""Unloads and removals while an agent waits for an answer."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .asking import asked_later, entry
from .test_ends_in_the_middle import end, verify

__all__ = ["asked_later", "entry"]


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Hand off at once."""
    return {"handoff_after": 0.02}


@pytest.mark.usefixtures("asked_later")
@pytest.mark.parametrize("how", ["reload", "unload", "remove"])
async def test_nothing_is_left_of_it(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    how: str,
) -> None:
    await end(hass, entry, how)
    await hass.async_block_till_done()

    verify(hass, entry, how, caplog, hass_storage)
