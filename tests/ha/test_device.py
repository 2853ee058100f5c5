"""The device of a Gateway."""

from homeassistant.const import CONF_HOST, CONF_PATH, CONF_SSL
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.entity import gateway_device_info


@pytest.mark.parametrize(
    ("protocol", "model"), [(3, "Clawdbot Gateway"), (4, "OpenClaw Gateway")]
)
async def test_it_is_a_service_of_the_model_that_its_protocol_tells(
    hass: HomeAssistant, entry: MockConfigEntry, model: str
) -> None:
    registry = dr.async_get(hass)
    devices = dr.async_entries_for_config_entry(registry, entry.entry_id)
    [device] = [d for d in devices if d.identifiers == {(DOMAIN, entry.entry_id)}]

    assert device.entry_type is dr.DeviceEntryType.SERVICE
    assert device.model == model
    assert device.sw_version == entry.runtime_data.client.hello.server_version
    assert device.name == entry.title


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ({}, "http://127.0.0.1:18789"),
        ({CONF_SSL: True, CONF_PATH: "/gw"}, "https://127.0.0.1:18789/gw"),
        ({CONF_HOST: "fe80::1"}, "http://[fe80::1]:18789"),
        ({CONF_HOST: "fe80::1%eth0"}, "http://[fe80::1%eth0]:18789"),
    ],
)
async def test_its_link_leads_to_the_gateway(
    hass: HomeAssistant, entry: MockConfigEntry, address: dict[str, object], url: str
) -> None:
    data = {**entry.data, "port": 18789, **address}
    other = MockConfigEntry(domain=DOMAIN, data=data)
    other.add_to_hass(hass)
    other.runtime_data = entry.runtime_data

    link = gateway_device_info(other)["configuration_url"]

    assert str(link) == url
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, **gateway_device_info(other)
    )
    assert device.configuration_url == url
