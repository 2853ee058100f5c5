"""Requests for the models of a Gateway, by which agents may look."""

from types import MappingProxyType

from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant

from custom_components.clawd.assist.vision import AgentVision
from custom_components.clawd.const import SUBENTRY_CONVERSATION
from tests.ha.fault_harness import poll
from tests.ha.pictures import add_camera
from tests.simulator import GatewaySimulator

from .harness import Home

LIST = "models.list"


async def test_one_answer_serves_all_agents_of_a_connection(
    hass: HomeAssistant, home: Home, gateway: GatewaySimulator
) -> None:
    camera = await add_camera(hass)
    async_expose_entity(hass, "conversation", camera, should_expose=True)
    [agent] = [
        subentry
        for subentry in home.entry.subentries.values()
        if subentry.subentry_type == SUBENTRY_CONVERSATION
    ]
    for name in ("kitchen", "thinker"):
        another = ConfigSubentry(
            data=MappingProxyType({**agent.data, "agent": name}),
            subentry_type=SUBENTRY_CONVERSATION,
            title=name,
            unique_id=None,
        )
        hass.config_entries.async_add_subentry(home.entry, another)
    await hass.async_block_till_done()

    for _ in range(3):
        await home.service.async_update_tools()
        assert "home_look" in [tool.name for tool in home.service.tools]

    *_, last = gateway.received(LIST)
    of_connection = [
        r for r in gateway.received(LIST) if r.connection is last.connection
    ]
    assert of_connection == [last]
    gateway.drop()
    await poll(lambda: home.entry.runtime_data.client.hello is None)
    await home.entry.runtime_data.client.wait_connected()
    await home.entry.runtime_data.coordinator.async_refresh_agents()
    await home.service.async_update_tools()
    *_, after = gateway.received(LIST)
    assert after is not last


async def test_a_lost_connection_hides_no_camera(
    home: Home, gateway: GatewaySimulator, hass: HomeAssistant
) -> None:
    [agent] = [
        subentry
        for subentry in home.entry.subentries.values()
        if subentry.subentry_type == SUBENTRY_CONVERSATION
    ]
    vision = AgentVision(hass, home.entry)
    gateway.drop()
    await poll(lambda: home.entry.runtime_data.client.hello is None)
    assert await vision.async_can_see(agent.subentry_id)
