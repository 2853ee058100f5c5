"""Commands on nodes and tools."""

from collections.abc import Awaitable, Callable

import pytest

from custom_components.clawd.gateway import (
    GatewayClient,
    InvalidFrameError,
    MissingScopeError,
    RequestFailedError,
    ToolPolicy,
)
from custom_components.clawd.gateway.models import Json
from tests.simulator import GatewaySimulator
from tests.simulator.recordings import Frame
from tests.unit.clients import connected
from tests.unit.gateway.node.homes import COMMANDS, home_of, published, started

KEY = "agent:main:self-test"
pytestmark = pytest.mark.parametrize("protocol", [4])


async def test_list_nodes(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home, connected(gateway) as client:
        (node,) = await client.nodes.list()
    assert node.id == home.client.device_id
    assert (node.connected, node.approved) == (True, True)
    assert node.commands == tuple(COMMANDS)
    assert node.tools == ("home_control", "home_state")


async def test_node_that_awaits_approval(gateway: GatewaySimulator) -> None:
    async with (
        started(home_of(gateway, approved=False)) as home,
        connected(gateway) as client,
    ):
        await home.client.wait_connected()
        (node,) = await client.nodes.list()
    assert (node.approval, node.approved) == ("pending-approval", False)
    assert (node.commands, node.tools) == ((), ())


async def test_node_that_is_not_connected(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        gateway.nodes.approved["x"] = COMMANDS
        (node,) = await client.nodes.list()
    assert (node.id, node.connected, node.approved) == ("x", False, True)


async def test_main_connection_may_not_approve(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        with pytest.raises(MissingScopeError):
            await client.nodes.pairing_requests()
        with pytest.raises(MissingScopeError):
            await client.nodes.approve("x")


async def test_effective_tools(gateway: GatewaySimulator) -> None:
    async with published(gateway), connected(gateway) as client:
        gateway.run("hello", session_key=KEY)
        effective = await client.tools.effective(KEY)
        assert effective.profile == "full"
        assert effective.of_plugin("homeassistant") == ("home_control", "home_state")
        assert "exec" in [tool.name for tool in effective.tools if not tool.plugin]
        gateway.nodes.requires_mcp = True


async def test_effective_tools_of_an_unknown_session(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        with pytest.raises(RequestFailedError):
            await client.tools.effective(KEY)


async def test_tool_profile_hides_tools(gateway: GatewaySimulator) -> None:
    async with published(gateway), connected(gateway) as client:
        gateway.run("hello", session_key=KEY)
        assert await client.tools.policy() == ToolPolicy("", ())
        gateway.nodes.profile = "coding"
        assert (await client.tools.effective(KEY)).of_plugin("homeassistant") == ()
        assert await client.tools.policy() == ToolPolicy("coding", ())
        gateway.nodes.also_allow.append("homeassistant")
        assert (await client.tools.effective(KEY)).of_plugin("homeassistant")
        assert await client.tools.policy() == ToolPolicy("coding", ("homeassistant",))


@pytest.mark.parametrize("form", ["plain", "mcp"])
async def test_invoke_tool(gateway: GatewaySimulator, form: str) -> None:
    gateway.nodes.requires_mcp = form == "mcp"
    async with published(gateway) as home, connected(gateway) as client:
        output = await client.tools.invoke("home_state", {"action": "x"}, KEY)
    assert output.text == "done"
    (call,) = home.calls
    assert (call.arguments, call.session_key) == ({"action": "x"}, KEY)


async def test_invoke_unknown_tool(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        with pytest.raises(RequestFailedError) as error:
            await client.tools.invoke("home_state", {}, KEY)
    assert error.value.code == "not_found"


async def test_invoke_tool_that_fails(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home, connected(gateway) as client:
        home.error = ValueError()
        with pytest.raises(RequestFailedError) as error:
            await client.tools.invoke("home_state", {}, KEY, timeout=5)
    assert error.value.code == "internal_error"


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ({}, ""),
        (None, ""),
        ({"content": [{"type": "image"}, {"text": "a"}, {"text": "b"}]}, "ab"),
    ],
)
async def test_output_of_a_tool(
    gateway: GatewaySimulator, output: Json, text: str
) -> None:
    def replace(payload: Frame) -> None:
        payload["output"] = output

    gateway.edit("tools.invoke", replace)
    async with published(gateway), connected(gateway) as client:
        assert (await client.tools.invoke("home_state", {}, KEY)).text == text


type Use = Callable[[GatewayClient], Awaitable[object]]


@pytest.mark.parametrize(
    ("method", "use"),
    [
        ("node.list", lambda client: client.nodes.list()),
        ("tools.effective", lambda client: client.tools.effective(KEY)),
        ("tools.invoke", lambda client: client.tools.invoke("home_state", {}, KEY)),
    ],
)
async def test_odd_answer(gateway: GatewaySimulator, method: str, use: Use) -> None:
    gateway.edit(method, dict.clear)
    async with published(gateway), connected(gateway) as client:
        gateway.run("hello", session_key=KEY)
        with pytest.raises(InvalidFrameError):
            await use(client)
