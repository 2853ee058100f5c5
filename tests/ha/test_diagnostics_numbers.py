"""Non-finite numbers in the diagnostics."""

import json

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import CONF_KEEP_RUN
from custom_components.clawd.diagnostics import async_get_config_entry_diagnostics


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
async def test_a_number_without_json_is_told_as_text(
    hass: HomeAssistant, new_entry: MockConfigEntry, number: float
) -> None:
    options = {CONF_KEEP_RUN: number}
    hass.config_entries.async_update_entry(new_entry, options=options)

    data = await async_get_config_entry_diagnostics(hass, new_entry)

    text = json.dumps(data["settings"], allow_nan=False)
    assert json.loads(text)["options"] == {CONF_KEEP_RUN: str(number)}
