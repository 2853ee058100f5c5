"""Messages through the node connection."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.home.service import get_home
from tests.ha.assist_client import Conversation
from tests.simulator import CallTool, GatewaySimulator, ReplyResult

from .nodes import node_of, wait_for_node, wait_published
from .speakers import Speaker

DINNER = {"message": "Dinner is ready.", "area": "Kitchen"}
CRON = "agent:main:cron:1:run:2"
allowed = pytest.mark.parametrize("home_settings", [{"from_elsewhere": "control"}])


@pytest.fixture
async def node_id(
    hass: HomeAssistant,
    kitchen: Speaker,  # noqa: ARG001 - before the tools are built
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
) -> str:
    """Return the id of the node, once its tools are published."""
    await wait_for_node(gateway, entry)
    service = get_home(entry)
    assert service is not None
    await service.async_update_tools()
    await wait_published(gateway, entry)
    await hass.async_block_till_done()
    return node_of(entry).client.device_id


@pytest.mark.usefixtures("node_id")
async def test_agent_announces_in_a_conversation(
    hass: HomeAssistant, kitchen: Speaker, gateway: GatewaySimulator
) -> None:
    gateway.script(CallTool("home_announce", DINNER), ReplyResult(""))
    await Conversation(hass).say("Call us to dinner.")
    assert kitchen.said == ["Dinner is ready."]


@pytest.mark.usefixtures("node_id")
async def test_scheduled_job_announces_nothing(
    kitchen: Speaker, gateway: GatewaySimulator
) -> None:
    result = await gateway.nodes.call("home_announce", DINNER, session_key=CRON)
    assert result["error"]["code"] == "NOT_ALLOWED"
    assert kitchen.said == []


@allowed
@pytest.mark.usefixtures("node_id")
async def test_scheduled_job_announces_where_it_is_allowed(
    kitchen: Speaker, gateway: GatewaySimulator
) -> None:
    gateway.described[CRON] = {"key": CRON, "chatType": "direct"}
    result = await gateway.nodes.call("home_announce", DINNER, session_key=CRON)
    assert result["ok"], result
    assert kitchen.said == ["Dinner is ready."]


@allowed
async def test_gateway_notifies_where_it_is_allowed(
    hass: HomeAssistant, node_id: str, gateway: GatewaySimulator
) -> None:
    shown: dict[str, Any] = hass.data.setdefault("persistent_notification", {})
    params = {"title": "Dinner", "body": "is ready"}
    result = await gateway.nodes.invoke(node_id, "system.notify", params)
    assert result["payload"] == {"ok": True}
    assert [(one["title"], one["message"]) for one in shown.values()] == [
        ("Dinner", "is ready")
    ]


async def test_gateway_notifies_nobody_else(
    node_id: str, gateway: GatewaySimulator
) -> None:
    result = await gateway.nodes.invoke(node_id, "system.notify", {"title": "x"})
    assert result["error"]["code"] == "NOT_ALLOWED"
