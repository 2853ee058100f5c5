"""Publishing of the node's tools."""

import asyncio
from dataclasses import replace

import pytest

from custom_components.clawd.gateway import ConnectionState, DeviceIdentity, NodeTool
from custom_components.clawd.gateway.node import host as node_host
from tests.simulator import GatewaySimulator
from tests.simulator.nodes import UPDATE
from tests.simulator.recordings import Frame
from tests.unit.clients import TIMING, connected, wait_for_state
from tests.unit.gateway.node.homes import (
    CONTROL,
    STATE,
    TOOLS,
    home_of,
    published,
    started,
    until,
)

NAMES = ("home_state", "home_control")
pytestmark = pytest.mark.parametrize("protocol", [4])


def updates(gateway: GatewaySimulator) -> list[list[str]]:
    """Return the names in each update; those with `mcp` are marked."""
    return [
        [
            tool["name"] + (" mcp" if "mcp" in tool else "")
            for tool in request.params["tools"]
        ]
        for request in gateway.received(UPDATE)
    ]


async def test_connect_declares_what_the_gateway_approves(
    gateway: GatewaySimulator,
) -> None:
    async with published(gateway) as home:
        params = gateway.received("connect")[0].params
    assert params["client"] == {
        "id": "node-host",
        "version": "0.1.0",
        "platform": "linux",
        "mode": "node",
        "displayName": "Home",
    }
    assert (params["role"], params["scopes"], params["caps"]) == ("node", [], [])
    assert params["commands"] == ["mcp.tools.call.v1", "system.notify"]
    assert home.changes == [NAMES, ()]


async def test_list_is_published_once_a_connection(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        home.host.set_tools([replace(STATE), replace(CONTROL)])
        gateway.drop()
        await home.wait_unpublished()
        await home.wait_published(NAMES)
    assert updates(gateway) == [list(NAMES)] * 2


async def test_descriptor(gateway: GatewaySimulator) -> None:
    async with published(gateway, STATE):
        (request,) = gateway.received(UPDATE)
    assert request.params["tools"] == [
        {
            "pluginId": "homeassistant",
            "name": "home_state",
            "description": "States of the home.",
            "parameters": {"type": "object"},
            "command": "mcp.tools.call.v1",
        }
    ]


async def test_changed_list_is_published(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        home.host.set_tools([STATE])
        await until(lambda: home.host.published == ("home_state",))
        home.host.set_tools([])
        await home.wait_unpublished()
        assert home.host.wanted == ()
    assert updates(gateway) == [list(NAMES), ["home_state"], []]


async def test_only_the_last_of_quick_changes_is_published(
    gateway: GatewaySimulator,
) -> None:
    async with published(gateway) as home:
        gateway.hold(UPDATE)
        home.host.set_tools([STATE])
        await gateway.wait_for_request(UPDATE, 2)
        home.host.set_tools([CONTROL])
        home.host.set_tools(TOOLS)
        gateway.release(UPDATE)
        await gateway.wait_for_request(UPDATE, 3)
        await until(lambda: home.host.published == NAMES)
    assert updates(gateway)[1:] == [["home_state"], list(NAMES)]


async def test_nothing_is_sent_without_tools(gateway: GatewaySimulator) -> None:
    home = home_of(gateway)
    async with started(home):
        home.host.set_tools([])
        await home.client.wait_connected()
        await gateway.wait_until(lambda: bool(gateway.nodes.sessions))
    assert updates(gateway) == []


async def test_prefix_precedes_the_names(gateway: GatewaySimulator) -> None:
    async with started(home_of(gateway, prefix="attic_")) as home:
        await home.wait_published(NAMES)
        await gateway.nodes.call("attic_home_state", {})
        await until(lambda: not home.host.open_calls)
    assert updates(gateway) == [["attic_home_state", "attic_home_control"]]
    assert [call.tool for call in home.calls] == ["home_state"]


async def test_host_may_start_after_the_client(gateway: GatewaySimulator) -> None:
    home = home_of(gateway)
    async with started(home):
        await home.wait_published()
        stop = home.host.start()
        stop()
        await home.wait_unpublished()
        home.host.start()
        await home.wait_published()


async def test_approval_is_awaited(gateway: GatewaySimulator) -> None:
    async with started(home_of(gateway, approved=False)) as home:
        await gateway.wait_for_request(UPDATE, 2)
        (request_id,) = gateway.nodes.pending
        assert home.host.published == ()
        gateway.nodes.approve(request_id)
        await home.wait_published(NAMES)
    # Neither form while nobody has approved it, then the first one.
    with_mcp = [f"{name} mcp" for name in NAMES]
    assert updates(gateway) == [list(NAMES), with_mcp, list(NAMES)]


async def test_approval_while_the_list_is_on_its_way(
    gateway: GatewaySimulator,
) -> None:
    gateway.hold(UPDATE)
    async with started(home_of(gateway, approved=False)) as home:
        await gateway.wait_for_request(UPDATE)
        (request_id,) = gateway.nodes.pending
        gateway.nodes.approve(request_id)
        gateway.release(UPDATE)
        await home.wait_published(NAMES)


async def test_approval_of_another_node_is_ignored(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        session = gateway.nodes.sessions[home.client.device_id]
        resolved = {"nodeId": "another", "decision": "approved"}
        event = {"type": "event", "event": "node.pair.resolved", "payload": resolved}
        session.connection.send(event)
        await home.client.request("node.invoke.result", {"id": "x"})
    assert updates(gateway) == [list(NAMES)]


async def test_gateway_that_requires_mcp(gateway: GatewaySimulator) -> None:
    gateway.nodes.requires_mcp = True
    async with published(gateway) as home:
        assert home.host.publish_error == ""
    entry = gateway.received(UPDATE)[1].params["tools"][0]
    assert entry["mcp"] == {"server": "homeassistant", "tool": "home_state"}


async def test_gateway_that_refuses_the_first_form(gateway: GatewaySimulator) -> None:
    gateway.refuse_method(UPDATE)
    async with published(gateway) as home:
        assert home.host.publish_error == ""
    assert updates(gateway)[1] == [f"{name} mcp" for name in NAMES]


async def test_refused_list_is_not_sent_again(gateway: GatewaySimulator) -> None:
    gateway.refuse_method(UPDATE, 2)
    async with started(home_of(gateway)) as home:
        await until(lambda: bool(home.host.publish_error))
        assert home.host.publish_error == "INVALID_REQUEST"
        assert home.host.published == ()
        home.host.set_tools([STATE])
        await home.wait_published()
        assert home.host.publish_error == ""
    assert len(updates(gateway)) == 3


async def test_too_large_list_is_not_sent(gateway: GatewaySimulator) -> None:
    gateway.policy = {"maxPayload": 2_000}
    large = replace(STATE, parameters={"description": "x" * 2_000})
    async with started(home_of(gateway), large) as home:
        await until(lambda: bool(home.host.publish_error))
        assert home.host.publish_error == "REQUEST_TOO_LARGE"
    assert updates(gateway) == []


async def test_tools_that_would_refuse_the_list_are_left_out(
    gateway: GatewaySimulator,
) -> None:
    bad = (
        NodeTool("9x", "starts with a digit", {}),
        NodeTool("ümlaut", "is not ASCII", {}),
        NodeTool("a" * 65, "is too long", {}),
        NodeTool("empty", "", {}),
    )
    async with started(home_of(gateway), STATE, *bad) as home:
        await home.wait_published()
        assert home.host.published == ("home_state",)
        assert len(home.host.wanted) == 5


async def test_list_beyond_the_limit(gateway: GatewaySimulator) -> None:
    many = [NodeTool(f"tool_{number:03}", "Tool.", {}) for number in range(300)]
    async with started(home_of(gateway), *many) as home:
        await home.wait_published(["tool_000"])
        assert len(home.host.published) == 128
    assert len(updates(gateway)) == 1


@pytest.mark.parametrize(
    "answer", [{"tools": None}, {"tools": [1, {}, {"name": 1}]}, {}]
)
async def test_odd_answer_confirms_nothing(
    gateway: GatewaySimulator, answer: Frame
) -> None:
    def spoil(payload: Frame) -> None:
        payload.clear()
        payload.update(answer)

    gateway.edit(UPDATE, spoil)
    async with started(home_of(gateway)) as home:
        await gateway.wait_for_request(UPDATE, 2)
        await home.client.request("node.invoke.result", {"id": "x"})
        assert home.host.published == ()


async def test_retryable_refusal_after_a_bootstrap(gateway: GatewaySimulator) -> None:
    gateway.pairing = True
    gateway.devices.bootstrap_tokens.add("the-bootstrap-token")
    home = home_of(
        gateway, approved=False, token=None, bootstrap_token="the-bootstrap-token"
    )
    async with started(home):
        await home.wait_published(NAMES)
        gateway.drop()
        await home.wait_unpublished()
        await home.wait_published(NAMES)
    first, second = (request.params["auth"] for request in gateway.received("connect"))
    assert first == {"bootstrapToken": "the-bootstrap-token"}
    assert second == {"token": gateway.devices.tokens[home.client.device_id]}
    assert home.client.statistics.errors[UPDATE, "PAIRING_CHANGED"] == 1


async def test_response_that_does_not_come(gateway: GatewaySimulator) -> None:
    gateway.hold(UPDATE)
    timing = replace(TIMING, request_timeout=0.01)
    async with started(home_of(gateway, timing=timing)) as home:
        await gateway.wait_for_request(UPDATE, 2)
        gateway.release(UPDATE)
        await home.wait_published(NAMES)


async def test_remote_node_awaits_approval_of_the_device(
    gateway: GatewaySimulator,
) -> None:
    gateway.pairing = True
    async with started(home_of(gateway)) as home:
        await wait_for_state(home.client, ConnectionState.PAUSED)
        (request_id,) = gateway.devices.pending
        gateway.approve(request_id)
        home.client.resume()
        await home.wait_published(NAMES)


async def test_gateway_without_the_method(gateway: GatewaySimulator) -> None:
    gateway.nodes.missing = True
    async with started(home_of(gateway)) as home:
        await home.client.wait_connected()
        assert home.host.method_missing
        home.host.set_tools([STATE])
        await gateway.wait_until(lambda: bool(gateway.nodes.sessions))
    assert updates(gateway) == []


async def test_second_holder_of_the_key(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_host, "DISPLACED_DELAY", 0)
    identity = DeviceIdentity.generate()
    async with started(home_of(gateway, identity=identity)) as home:
        await home.wait_published(NAMES)
        async with started(home_of(gateway, identity=identity)) as other:
            await other.wait_published(NAMES)
            # The first connection stays open, but the Gateway refuses its requests.
            assert home.client.state is ConnectionState.CONNECTED
            home.host.set_tools([STATE])
            await home.wait_unpublished()
            assert home.host.displaced
            # It takes the key back when the delay is over.
            await home.wait_published()
            assert not home.host.displaced


async def test_displaced_node_that_drops(gateway: GatewaySimulator) -> None:
    identity = DeviceIdentity.generate()
    async with started(home_of(gateway, identity=identity)) as home:
        await home.wait_published(NAMES)
        async with started(home_of(gateway, identity=identity)) as other:
            await other.wait_published(NAMES)
            home.host.set_tools([STATE])
            await until(lambda: home.host.displaced)
        gateway.drop()
        await home.wait_published()
        assert not home.host.displaced
        assert "node take back" not in home.client.introspection.tasks.values()


async def test_revoked_node(gateway: GatewaySimulator) -> None:
    gateway.pairing = True
    identity = DeviceIdentity.generate()
    gateway.devices.approved[identity.device_id] = set()
    async with started(home_of(gateway, identity=identity)) as home:
        await home.wait_published(NAMES)
        home.hold = asyncio.Event()
        task = asyncio.create_task(gateway.nodes.call("home_state", {}))
        await until(lambda: bool(home.host.open_calls))
        gateway.nodes.revoke(identity.device_id)
        await wait_for_state(home.client, ConnectionState.PAUSED)
        assert home.host.published == ()
        assert not (await task)["ok"]
    assert home.cancelled == 1


async def test_operators_connection_is_not_disturbed(
    gateway: GatewaySimulator,
) -> None:
    async with connected(gateway) as client, published(gateway) as home:
        gateway.run("hello")
        assert len(await client.nodes.list()) == 1
        names = set(home.client.introspection.listeners)
    assert "agent" not in names
    assert home.client.statistics.foreign_run_events == 0
