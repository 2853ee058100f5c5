"""Tests of the node connection."""

import asyncio
from uuid import uuid4

import pytest

from custom_components.clawd.gateway import (
    ConnectionState,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    LinkProblem,
    NodeLinkError,
    PairingRequiredError,
    RequestFailedError,
    RunRequest,
    read_node_link,
)
from tests.simulator import CallTool, ReplyResult

from .clients import new_client, running
from .gateway_harness import GatewayHarness
from .nodes import (
    NAMES,
    STATE,
    admin,
    approve,
    new_home,
    print_node_link,
    published,
    started,
)
from .relay import Relay

REMOTE = {"X-Forwarded-For": "10.9.8.7"}
CALL = 'call tool_call {"id":"home_state","args":{"action":"lights"}} | quote'
pytestmark = pytest.mark.parametrize("protocol", [4], ids=["v4"])


def request_of(harness: GatewayHarness, session_key: str) -> RunRequest:
    """Return a request for a tool call."""
    harness.set_script(CallTool("home_state", {"action": "lights"}), ReplyResult(""))
    return RunRequest(CALL, session_key)


async def run_of(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> str:
    """Return the reply of a run with a tool call."""
    run = await client.start_run(request_of(harness, session_key))
    return (await run.result()).text


async def test_node_is_approved_on_loopback(harness: GatewayHarness) -> None:
    async with started(new_home(harness)) as home, running(new_client(harness)) as main:
        assert home.host.published == ()
        assert not home.host.method_missing
        assert await approve(harness, home)
        await home.wait_published()
        nodes = {node.id: node for node in await main.nodes.list()}
        node = nodes[home.client.device_id]
        assert node.approved
        assert set(node.commands) == {"mcp.tools.call.v1", "system.notify"}
        assert set(node.tools) == NAMES
        assert not await approve(harness, home)


async def test_approval_leaves_no_device_behind(harness: GatewayHarness) -> None:
    async with admin(harness) as client:
        before = await paired_devices(client)
        async with published(harness) as home:
            after = await paired_devices(client)
    assert after - before == {home.client.device_id}


async def paired_devices(client: GatewayClient) -> set[str]:
    """Return the ids of the paired devices."""
    answer = await client.request("device.pair.list")
    return {device["deviceId"] for device in answer["paired"]}


async def test_agent_calls_a_tool(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    async with published(harness) as home:
        reply = await run_of(harness, client, session_key)
        await home.wait_idle()
    (call,) = home.calls
    assert (call.tool, call.arguments) == ("home_state", {"action": "lights"})
    assert call.session_key == session_key
    assert 20 < call.timeout < 30
    assert "marmalade lights" in reply
    assert home.host.statistics.answered == 1


async def test_tool_without_a_model(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    async with published(harness) as home:
        output = await client.tools.invoke("home_state", {"action": "x"}, session_key)
        assert output.text == "marmalade x"
        with pytest.raises(RequestFailedError) as error:
            await client.tools.invoke("home_nothing", {}, session_key)
        await home.wait_idle()
    (call,) = home.calls
    # Without Tool Search the Gateway does not say which tool it calls.
    assert (call.tool, call.session_key) == (None, session_key)
    assert error.value.code == "not_found"


async def test_agent_has_the_tools(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    async with published(harness):
        await run_of(harness, client, session_key)
        effective = await client.tools.effective(session_key)
        policy = await client.tools.policy()
    assert set(effective.of_plugin("homeassistant")) == NAMES
    assert (effective.profile, policy.also_allow) == ("full", ())


async def test_changed_list(harness: GatewayHarness) -> None:
    async with published(harness) as home:
        home.host.set_tools((STATE,))
        await home.wait_published({"home_state"})
        home.host.set_tools(())
        await home.wait_published(set())


async def test_aborted_run_cancels_its_call(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    async with published(harness) as home:
        home.hold = asyncio.Event()
        run = await client.start_run(request_of(harness, session_key))
        await home.wait_calls()
        await run.abort()
        await home.wait_idle()
    assert home.cancelled == 1
    assert home.host.statistics.cancelled == 1


async def test_no_answer_after_the_deadline(
    harness: GatewayHarness, client: GatewayClient
) -> None:
    async with published(harness) as home:
        home.hold = asyncio.Event()
        params = {
            "nodeId": home.client.device_id,
            "command": "mcp.tools.call.v1",
            "params": {"action": "x"},
            # The home stops a second earlier; so fast is a busy machine, too.
            "timeoutMs": 2_000,
            "idempotencyKey": uuid4().hex,
            "sessionKey": "agent:main:another",
        }
        with pytest.raises(RequestFailedError):
            await client.request("node.invoke", params)
        await home.wait_idle()
    assert home.cancelled == 1
    assert home.host.statistics.expired == 1


async def test_notification_is_handed_over(
    harness: GatewayHarness, client: GatewayClient
) -> None:
    async with published(harness) as home:
        params = {
            "nodeId": home.client.device_id,
            "command": "system.notify",
            "params": {"title": "Dinner", "body": "is ready"},
            "idempotencyKey": uuid4().hex,
        }
        answer = await client.request("node.invoke", params)
        await home.wait_idle()
    assert answer["payload"] == {"ok": True}
    (call,) = home.calls
    assert call.is_notification
    assert call.arguments == {"title": "Dinner", "body": "is ready"}
    # The Gateway says neither who notifies nor from which session.
    assert (call.tool, call.session_key) == (None, None)


async def test_home_that_starts_is_asked_again(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    async with published(harness) as home:
        home.host.ready = False
        with pytest.raises(RequestFailedError):
            await client.tools.invoke("home_state", {"action": "x"}, session_key)
        assert home.host.statistics.not_ready == 5
        home.host.ready = True
        output = await client.tools.invoke("home_state", {"action": "x"}, session_key)
    assert output.text == "marmalade x"


async def test_drop_during_a_call(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    async with (
        Relay(harness.port) as relay,
        published(harness, port=relay.port) as home,
    ):
        home.hold = asyncio.Event()
        harness.set_script(
            CallTool("home_state", {"action": "lights"}), ReplyResult("")
        )
        run = await client.start_run(RunRequest(CALL, session_key))
        await home.wait_calls()
        relay.cut()
        reply = (await run.result()).text
        await home.wait_published()
        await home.wait_idle()
        home.hold = None
        assert "marmalade" in await run_of(harness, client, session_key)
        await home.wait_idle()
    assert "marmalade" not in reply
    assert home.cancelled == 1
    assert home.host.statistics.answered == 1


@pytest.mark.slow
async def test_restart_of_the_gateway(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    async with published(harness) as home:
        await harness.stop()
        await home.wait_published(set())
        await harness.start()
        await home.wait_published()
        await client.wait_connected()
        output = await client.tools.invoke("home_state", {"action": "x"}, session_key)
    assert output.text == "marmalade x"


async def test_remote_node_by_a_link(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    text = await print_node_link(harness)
    endpoint = Endpoint("127.0.0.1", harness.port)
    with pytest.raises(NodeLinkError) as error:
        await read_node_link(text, Endpoint("10.0.0.2", harness.port))
    assert error.value.problem is LinkProblem.OTHER_GATEWAY
    link = await read_node_link(text, endpoint)
    home = new_home(harness, headers=REMOTE, bootstrap_token=link.bootstrap_token)
    async with started(home):
        await home.wait_published()
        output = await client.tools.invoke("home_state", {"action": "x"}, session_key)
        assert output.text == "marmalade x"
        # From now on with the node's own token.
        await home.client.interrupt()
        await home.wait_published(set())
        await home.wait_published()


async def test_remote_node_by_commands(harness: GatewayHarness) -> None:
    home = new_home(harness, headers=REMOTE)
    stop = home.host.start()
    home.host.set_tools((STATE,))
    task = asyncio.create_task(home.client.run())
    with pytest.raises(PairingRequiredError) as error:
        await home.client.wait_connected()
    await harness.approve(str(error.value.request_id))
    home.client.resume()
    await home.wait_connected()
    assert await approve(harness, home)
    await home.wait_published({"home_state"})
    stop()
    task.cancel()
    await asyncio.wait([task])


async def test_second_holder_of_the_key(harness: GatewayHarness) -> None:
    identity = DeviceIdentity.generate()
    async with started(new_home(harness, identity=identity)) as home:
        assert await approve(harness, home)
        await home.wait_published()
        async with started(new_home(harness, identity=identity)) as other:
            await other.wait_published()
            assert home.client.state is ConnectionState.CONNECTED
            home.host.set_tools((STATE,))
            await home.wait_published(set())
            assert home.host.displaced
            assert set(other.host.published) == NAMES


async def test_two_homes(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    async with published(harness, "First") as home, published(harness, "Second"):
        await run_of(harness, client, session_key)
        names = (await client.tools.effective(session_key)).of_plugin("homeassistant")
        assert len(names) == 4
        assert all(name.endswith(("_home_state", "_home_control")) for name in names)
        # The Gateway puts `node_` before an id that begins with a digit.
        node_id = home.client.device_id[:20]
        own = next(name for name in names if node_id in name and "state" in name)
        await client.tools.invoke(own, {"action": "x"}, session_key)
        await home.wait_idle()
    assert [call.arguments for call in home.calls] == [{"action": "x"}]
