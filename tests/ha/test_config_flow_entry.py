"""Entry that a config flow creates."""

from homeassistant.const import CONF_ADDRESS, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component

from custom_components.clawd.const import DOMAIN
from tests.simulator import GatewaySimulator

from .flows import configure


async def test_a_gateway_without_its_default_agent_is_set_up_without_agents(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    assert await async_setup_component(hass, "homeassistant", {})
    gateway.edit("agents.list", lambda agents: agents.update(defaultId="deleted"))
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})

    result = await configure(
        hass, form, {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not result["result"].subentries
