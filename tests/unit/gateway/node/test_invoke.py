"""Validation of invocations."""

import pytest

from custom_components.clawd.gateway import NodeCallError
from custom_components.clawd.gateway.models import Json
from custom_components.clawd.gateway.node.invoke import Invocation
from tests.simulator import GatewaySimulator
from tests.simulator.nodes import send_event
from tests.unit.gateway.node.homes import published, until

NAMES = ("home_state", "home_control")
COMMAND = "mcp.tools.call.v1"
DEEP = "[" * 10_000 + "]" * 10_000
DEEP_OBJECT = '{"a":' * 10_000 + "1" + "}" * 10_000


def invocation(**payload: Json) -> Invocation:
    """Return an invocation with these fields."""
    found = Invocation.from_payload({"id": "x", "command": COMMAND, **payload})
    assert found
    return found


def code_of(**payload: Json) -> str:
    """Return the code with which an invocation is refused."""
    with pytest.raises(NodeCallError) as error:
        invocation(**payload).read_call(NAMES)
    assert error.value.message.endswith(".")
    return error.value.code


@pytest.mark.parametrize("call_id", [None, "", 1, [], {}])
def test_invocation_without_an_id_cannot_be_answered(call_id: Json) -> None:
    assert Invocation.from_payload({"id": call_id, "command": COMMAND}) is None
    assert Invocation.from_payload({}) is None


@pytest.mark.parametrize(
    "params",
    [
        "",
        "{",
        "nonsense",
        "[]",
        '"text"',
        "1",
        DEEP,
        DEEP_OBJECT,
        "\ud83d",
        [],
        1,
        True,
        '{"server":"homeassistant","tool":"home_state","arguments":[]}',
    ],
    ids=lambda params: str(params)[:20].encode("ascii", "replace").decode(),
)
def test_invalid_parameters_are_refused(params: Json) -> None:
    assert code_of(paramsJSON=params) == "INVALID_PARAMS"


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (None, {}),
        ("null", {}),
        ("{}", {}),
        ("NaN", {}),
        ('{"a":1}', {"a": 1}),
        ({"a": 1}, {"a": 1}),
        ('{"a":"half \\ud83d"}', {"a": "half \ufffd"}),
        ('{"server":"other","tool":"x","arguments":{}}', None),
        ('{"server":"homeassistant","tool":1}', None),
        ('{"server":"homeassistant","tool":"home_state","more":1}', None),
    ],
)
def test_bare_arguments(params: Json, expected: Json) -> None:
    tool, arguments = invocation(paramsJSON=params).read_call(NAMES)
    assert tool is None
    assert expected is None or arguments == expected


@pytest.mark.parametrize("more", ["", ',"arguments":null', ',"arguments":{}'])
def test_form_with_mcp(more: str) -> None:
    text = f'{{"server":"homeassistant","tool":"home_state"{more}}}'
    assert invocation(paramsJSON=text).read_call(NAMES) == ("home_state", {})


def test_unknown_tool_of_the_form_with_mcp() -> None:
    text = '{"server":"homeassistant","tool":"shell","arguments":{}}'
    assert code_of(paramsJSON=text) == "UNKNOWN_TOOL"


@pytest.mark.parametrize(
    ("key", "tool"),
    [
        ("tool_search_code:call_0_0:home_state:1", "home_state"),
        ("tool_search_code:call_0_0:home_control:12", "home_control"),
        ("tool_search_code:a:b:home_state:1", "home_state"),
        (f"tool_search_code:call:{'c1' * 16}_home_state:1", "home_state"),
        ("tool_search_code:call_0_0:shell:1", None),
        ("tool_search_code:home_state:1", None),
        ("call_0_0", None),
        ("rpc-direct-1795901", None),
        ("", None),
        (None, None),
        (1, None),
    ],
)
def test_tool_from_the_key(key: Json, tool: str | None) -> None:
    assert invocation(idempotencyKey=key).read_call(NAMES) == (tool, {})


@pytest.mark.parametrize("command", [None, 1, "", "system.run", "MCP.TOOLS.CALL.V1"])
def test_unknown_command(command: Json) -> None:
    assert code_of(command=command) == "UNKNOWN_COMMAND"


def test_notification_names_no_tool() -> None:
    params = '{"title":"Dinner","body":"is ready"}'
    notification = invocation(command="system.notify", paramsJSON=params)
    assert notification.read_call(("home_state",)) == (
        None,
        {"title": "Dinner", "body": "is ready"},
    )
    assert code_of(command="system.notify", paramsJSON="[]") == "INVALID_PARAMS"


@pytest.mark.parametrize(
    ("milliseconds", "seconds"),
    [
        (30_000, 29),
        (29_989, 28.989),
        (120_000, 119),
        (1_500, 0.75),
        (1, 0.0005),
        (1e12, 599),
        (float("inf"), 599),
        (0, 29),
        (-1, 29),
        (float("nan"), 29),
        (None, 29),
        ("30000", 29),
        (True, 29),
    ],
)
def test_timeout_leaves_a_margin(milliseconds: Json, seconds: float) -> None:
    assert invocation(timeoutMs=milliseconds).timeout == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("key", "expected"), [("agent:main:x", "agent:main:x"), ("", None), (1, None)]
)
def test_session_key(key: Json, expected: str | None) -> None:
    assert invocation(sessionKey=key).session_key == expected


def test_representation_has_no_secrets() -> None:
    text = repr(invocation(paramsJSON='{"name":"attic"}', sessionKey="agent:x"))
    assert "attic" not in text
    assert "agent:x" not in text


@pytest.mark.parametrize("protocol", [4])
async def test_refusals_are_sent(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        node_id = home.client.device_id
        unknown = await gateway.nodes.invoke(node_id, "system.run", {})
        session = gateway.nodes.sessions[node_id]
        send_event(session.connection, "node.invoke.request", {"command": COMMAND})
        await until(lambda: home.host.statistics.issued == 2)
    assert unknown["error"]["code"] == "UNKNOWN_COMMAND"
    assert home.calls == []
    assert home.outcomes == {"issued": 2, "refused": 2}


@pytest.mark.parametrize("protocol", [4])
async def test_notification_is_answered_without_content(
    gateway: GatewaySimulator,
) -> None:
    async with published(gateway) as home:
        node_id = home.client.device_id
        params = {"title": "Dinner", "body": "is ready"}
        result = await gateway.nodes.invoke(node_id, "system.notify", params)
    assert (result["ok"], result["payload"]) == (True, {"ok": True})
    (call,) = home.calls
    assert call.is_notification
    assert (call.tool, call.arguments, call.session_key) == (None, params, None)
