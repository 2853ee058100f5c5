"""Calls of the node's tools."""

import asyncio

import pytest

from custom_components.clawd.gateway import DeviceIdentity, NodeCallError, NodeHost
from custom_components.clawd.gateway.node import calls as node_calls
from tests.simulator import GatewaySimulator
from tests.simulator.nodes import DISCONNECTED, TIMEOUT, send_event
from tests.simulator.recordings import Frame
from tests.unit.gateway.node.homes import (
    STATE,
    Home,
    home_of,
    published,
    started,
    until,
)

KEY = "agent:main:ha-kitchen"
pytestmark = pytest.mark.parametrize("protocol", [4])


def text_of(result: Frame) -> str:
    """Return the text of a result."""
    return str(result["payload"]["content"][0]["text"])


def code_of(result: Frame) -> str:
    """Return the code of a failure."""
    assert result["ok"] is False
    return str(result["error"]["code"])


async def call(
    gateway: GatewaySimulator,
    home: Home,
    name: str,
    args: Frame,
    session_key: str | None = "agent:main:main",
) -> Frame:
    """Call a tool and wait for its end on both sides."""
    before = home.host.statistics.issued
    result = await gateway.nodes.call(name, args, session_key=session_key)
    await until(lambda: home.host.statistics.issued > before)
    if not home.hold:
        await until(lambda: not home.host.open_calls)
    return result


async def open_call(gateway: GatewaySimulator, home: Home) -> asyncio.Task[Frame]:
    """Start a call that the handler holds."""
    home.hold = home.hold or asyncio.Event()
    count = len(home.calls)
    task = asyncio.create_task(gateway.nodes.call("home_state", {}))
    await gateway.wait_until(lambda: bool(gateway.nodes.invocations))
    await until(lambda: len(home.calls) > count)
    return task


async def raw_request(gateway: GatewaySimulator, home: Home, **payload: object) -> None:
    """Send a request that no simulated call waits for."""
    session = gateway.nodes.sessions[home.client.device_id]
    send_event(session.connection, "node.invoke.request", payload)


async def test_call_reaches_the_handler(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        result = await call(
            gateway, home, "home_control", {"action": "HassTurnOn"}, session_key=KEY
        )
    assert text_of(result) == "done"
    (served,) = home.calls
    assert (served.tool, served.arguments) == ("home_control", {"action": "HassTurnOn"})
    assert served.session_key == KEY
    assert served.timeout == 29
    assert home.outcomes == {"issued": 1, "answered": 1}


async def test_tool_is_unknown_where_the_gateway_does_not_say(
    gateway: GatewaySimulator,
) -> None:
    gateway.nodes.tool_search = False
    async with published(gateway) as home:
        await call(gateway, home, "home_state", {}, session_key=None)
    assert [(call.tool, call.session_key) for call in home.calls] == [(None, None)]


async def test_single_tool_is_always_known(gateway: GatewaySimulator) -> None:
    gateway.nodes.tool_search = False
    async with published(gateway, STATE) as home:
        await call(gateway, home, "home_state", {})
    assert [call.tool for call in home.calls] == ["home_state"]


async def test_form_with_mcp_names_the_tool(gateway: GatewaySimulator) -> None:
    gateway.nodes.requires_mcp, gateway.nodes.tool_search = True, False
    async with published(gateway) as home:
        await call(gateway, home, "home_state", {"action": "x"})
    (served,) = home.calls
    assert (served.tool, served.arguments) == ("home_state", {"action": "x"})
    assert served.timeout == 119


async def test_two_homes_with_tools_of_one_name(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home, published(gateway) as other:
        names = list(gateway.nodes.tools())
        for name in names:
            await gateway.nodes.call(name, {})
    assert all(name.endswith(("_home_state", "_home_control")) for name in names)
    for called in (home, other):
        assert {call.tool for call in called.calls} == {"home_state", "home_control"}


async def test_error_of_the_handler_is_for_the_model(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        home.error = NodeCallError("NOT_EXPOSED", "There is no such light.")
        result = await call(gateway, home, "home_state", {})
    assert result["error"] == {
        "code": "NOT_EXPOSED",
        "message": "There is no such light.",
    }
    assert home.outcomes == {"issued": 1, "failed": 1}


@pytest.mark.parametrize("error", [ValueError("secret"), TimeoutError("secret")])
async def test_unexpected_exception_is_counted_and_not_told(
    gateway: GatewaySimulator, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async with published(gateway) as home:
        home.error = error
        result = await call(gateway, home, "home_state", {})
        home.error = None
        assert text_of(await call(gateway, home, "home_state", {})) == "done"
    assert code_of(result) == "INTERNAL_ERROR"
    assert "secret" not in caplog.text + str(result)
    assert home.client.statistics.task_failures == {"node call": 1}
    assert home.outcomes == {"issued": 2, "answered": 1, "failed": 1}


async def test_cancel_by_the_gateway(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        task = await open_call(gateway, home)
        assert len(home.host.open_calls) == 1
        task.cancel()
        await until(lambda: not home.host.open_calls)
    assert home.cancelled == 1
    assert gateway.received("node.invoke.result") == []
    assert home.outcomes == {"issued": 1, "cancelled": 1}


@pytest.mark.parametrize("payload", [{}, {"invokeId": 1}, {"invokeId": "unknown"}])
async def test_cancel_of_no_call_is_ignored(
    gateway: GatewaySimulator, payload: Frame
) -> None:
    async with published(gateway) as home:
        session = gateway.nodes.sessions[home.client.device_id]
        send_event(session.connection, "node.invoke.cancel", payload)
        assert text_of(await call(gateway, home, "home_state", {})) == "done"
    assert home.client.statistics.listener_errors == 0


async def test_timeout_of_the_gateway(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        task = await open_call(gateway, home)
        gateway.nodes.expire()
        assert (await task)["error"] == TIMEOUT
        await until(lambda: not home.host.open_calls)
    assert home.outcomes == {"issued": 1, "cancelled": 1}


async def test_no_answer_after_the_deadline(gateway: GatewaySimulator) -> None:
    gateway.nodes.timeout_ms = 1
    async with published(gateway) as home:
        task = await open_call(gateway, home)
        await until(lambda: not home.host.open_calls)
        gateway.nodes.expire()
        assert code_of(await task) == "TIMEOUT"
    assert home.cancelled == 1
    assert gateway.received("node.invoke.result") == []
    assert home.outcomes == {"issued": 1, "expired": 1}


async def test_handler_that_swallows_its_cancellation(
    gateway: GatewaySimulator,
) -> None:
    async def stubborn(_: object) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "too late"
        raise AssertionError

    home = home_of(gateway)
    home.host = NodeHost(home.client, stubborn)
    home.host.subscribe(home.note)
    async with started(home):
        await home.wait_published()
        gateway.nodes.timeout_ms = 1
        task = asyncio.create_task(gateway.nodes.call("home_state", {}))
        await until(lambda: home.host.statistics.expired == 1)
        gateway.nodes.expire()
        await task
        gateway.nodes.timeout_ms = None
        task = asyncio.create_task(gateway.nodes.call("home_state", {}))
        await until(lambda: bool(home.host.open_calls))
        task.cancel()
        await until(lambda: not home.host.open_calls)
    assert gateway.received("node.invoke.result") == []
    assert home.outcomes == {"issued": 2, "expired": 1, "cancelled": 1}


async def test_drop_ends_calls(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        task = await open_call(gateway, home)
        gateway.drop()
        assert (await task)["error"] == DISCONNECTED
        await home.wait_unpublished()
        await home.wait_published()
        assert home.host.open_calls == ()
    assert home.cancelled == 1
    assert gateway.received("node.invoke.result") == []
    assert home.outcomes == {"issued": 1, "cancelled": 1}


async def test_stop_ends_calls(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        task = await open_call(gateway, home)
    assert (await task)["error"] == DISCONNECTED
    assert home.cancelled == 1
    assert home.outcomes == {"issued": 1, "cancelled": 1}


async def test_open_call_shows_in_the_introspection(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        await open_call(gateway, home)
        assert "node call" in home.client.introspection.tasks.values()
        (info,) = home.host.open_calls
        assert 0 < info.deadline - asyncio.get_running_loop().time() <= 29


async def test_not_ready_is_asked_again(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        home.host.ready = False
        result = await call(gateway, home, "home_state", {})
        assert code_of(result) == "NODE_NOT_READY"
        assert not home.host.ready
        home.host.ready = True
        assert text_of(await call(gateway, home, "home_state", {})) == "done"
    assert home.outcomes == {"issued": 6, "answered": 1, "not_ready": 5}


async def test_repeated_request_is_served_once(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        request = {"id": "x", "command": calls_command(), "paramsJSON": "{}"}
        for _ in range(200):
            await raw_request(gateway, home, **request)
        await gateway.wait_for_request("node.invoke.result")
        await call(gateway, home, "home_state", {})
    assert len(home.calls) == 2
    assert len(gateway.received("node.invoke.result")) == 2
    assert home.outcomes == {
        "issued": 2,
        "answered": 1,
        "cancelled": 1,  # nobody waited for the result of the first one
        "repeated": 199,
    }


def calls_command() -> str:
    """Return the command of tool calls."""
    return "mcp.tools.call.v1"


async def test_old_ids_are_forgotten(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_calls, "MAX_REMEMBERED_CALLS", 1)
    async with published(gateway) as home:
        for call_id in ("a", "b", "a"):
            await raw_request(gateway, home, id=call_id, command="?")
        await gateway.wait_for_request("node.invoke.result", 3)
    assert home.outcomes == {"issued": 3, "refused": 3}


async def test_too_many_calls_at_once(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_calls, "MAX_OPEN_CALLS", 1)
    async with published(gateway) as home:
        task = await open_call(gateway, home)
        assert code_of(await call(gateway, home, "home_control", {})) == "BUSY"
        assert home.hold
        home.hold.set()
        assert text_of(await task) == "done"
        await until(lambda: not home.host.open_calls)
    assert home.outcomes == {"issued": 2, "answered": 1, "refused": 1}


async def test_flood_of_refusals_is_bounded(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_calls, "MAX_REFUSALS", 3)
    async with published(gateway) as home:
        gateway.hold("node.invoke.result")
        for number in range(10):
            await raw_request(gateway, home, id=str(number), command="?")
        await gateway.wait_for_request("node.invoke.result", 3)
        await until(lambda: home.host.statistics.issued == 10)
        gateway.release("node.invoke.result")
        assert text_of(await call(gateway, home, "home_state", {})) == "done"
    assert len(gateway.received("node.invoke.result")) == 4


async def test_refusal_at_a_drop_or_too_late_is_given_up(
    gateway: GatewaySimulator,
) -> None:
    async with published(gateway) as home:
        gateway.hold("node.invoke.result")
        await raw_request(gateway, home, id="1", command="?", timeoutMs=1)
        await raw_request(gateway, home, id="2", command="?")
        await gateway.wait_for_request("node.invoke.result", 2)
        gateway.drop()
        await home.wait_unpublished()
        gateway.release("node.invoke.result")
    assert home.client.statistics.task_failures == {}
    assert home.outcomes == {"issued": 2, "refused": 2}


async def test_large_result_becomes_an_error(gateway: GatewaySimulator) -> None:
    gateway.policy = {"maxPayload": 20_000}
    async with published(gateway) as home:
        home.reply = "x" * 20_000
        result = await call(gateway, home, "home_state", {})
    assert code_of(result) == "RESULT_TOO_LARGE"
    assert home.outcomes == {"issued": 1, "answered": 1}


async def test_result_with_half_a_character(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        home.reply = "half \ud83d"
        assert text_of(await call(gateway, home, "home_state", {})) == "half \ufffd"


async def test_result_is_sent_again_after_a_change_of_the_approval(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_calls, "RESEND_DELAY", 0)
    async with published(gateway) as home:
        gateway.nodes.sessions[home.client.device_id].settling = True
        assert text_of(await call(gateway, home, "home_state", {})) == "done"
        assert not home.host.displaced
    assert home.outcomes == {"issued": 1, "answered": 1}


async def test_refused_result_is_not_sent_again(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        gateway.refuse_method("node.invoke.result")
        task = asyncio.create_task(gateway.nodes.call("home_state", {}))
        await gateway.wait_for_request("node.invoke.result")
        await until(lambda: not home.host.open_calls)
        gateway.nodes.expire()
        assert code_of(await task) == "TIMEOUT"
    assert len(gateway.received("node.invoke.result")) == 1
    assert home.outcomes == {"issued": 1, "cancelled": 1}


async def test_large_result_at_a_drop(gateway: GatewaySimulator) -> None:
    gateway.policy = {"maxPayload": 20_000}
    async with published(gateway) as home:
        task = await open_call(gateway, home)
        home.reply = "x" * 20_000
        gateway.refuse_method("node.invoke.result")
        assert home.hold
        home.hold.set()
        await until(lambda: not home.host.open_calls)
        gateway.nodes.expire()
        await task
    assert home.client.statistics.task_failures == {}
    assert home.outcomes == {"issued": 1, "cancelled": 1}


async def test_result_that_is_refused_again(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_calls, "RESEND_DELAY", 0.01)
    async with published(gateway) as home:
        gateway.nodes.sessions[home.client.device_id].settling = True
        task = asyncio.create_task(gateway.nodes.call("home_state", {}))
        await gateway.wait_for_request("node.invoke.result")
        await until(lambda: not gateway.nodes.sessions[home.client.device_id].settling)
        gateway.refuse_method("node.invoke.result")
        await until(lambda: not home.host.open_calls)
        assert not home.host.displaced
        gateway.nodes.expire()
        await task
    assert home.outcomes == {"issued": 1, "cancelled": 1}


async def test_results_of_a_node_whose_key_was_taken_over(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_calls, "RESEND_DELAY", 0)
    identity = DeviceIdentity.generate()
    async with started(home_of(gateway, identity=identity)) as home:
        await home.wait_published()
        tasks = [await open_call(gateway, home), await open_call(gateway, home)]
        async with started(home_of(gateway, identity=identity)) as other:
            await other.wait_published()
            assert home.hold
            home.hold.set()
            await until(lambda: not home.host.open_calls)
            assert home.host.displaced
            assert home.host.published == ()
        assert not any(result["ok"] for result in await asyncio.gather(*tasks))
    assert home.outcomes == {"issued": 2, "cancelled": 2}
