"""Migration of edited entries."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry


@pytest.mark.parametrize("minor_version", [1, 2])
@pytest.mark.parametrize("value", [7, ["a"], {"a": "b"}, True])
async def test_a_certificate_that_is_none_is_named(
    hass: HomeAssistant, new_entry: MockConfigEntry, minor_version: int, value: object
) -> None:
    data = {**new_entry.data, "ca_certificate": value}
    hass.config_entries.async_update_entry(
        new_entry, data=data, minor_version=minor_version
    )

    await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()

    assert new_entry.state is ConfigEntryState.SETUP_ERROR
    assert new_entry.error_reason_translation_placeholders == {
        "field": "ca_certificate"
    }
