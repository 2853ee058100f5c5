"""Simulated node compared with recordings."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
import pytest

from custom_components.clawd.gateway import NodeTool
from tests.simulator import CallTool, GatewaySimulator, Reply
from tests.simulator.nodes import CALL_TOOL
from tests.simulator.raw_client import TOKEN, raw_client
from tests.simulator.recordings import V3, V4, Frame, recording
from tests.simulator.replay import Replay
from tests.unit.gateway.node.homes import home_of, started

from .fidelity import PROXY, assert_matches_recordings

TURN_ON = NodeTool("HassTurnOn", "Turns on a device.", {"type": "object"})
type Action = Callable[[GatewaySimulator, str], Awaitable[None]]


async def approved(gateway: GatewaySimulator, node_id: str) -> None:
    """Approve the node's commands before it connects."""
    gateway.nodes.approved[node_id] = [CALL_TOOL]


async def approved_device(gateway: GatewaySimulator, node_id: str) -> None:
    """Approve the node's device, and not yet its commands."""
    gateway.devices.approved[node_id] = set()


async def invited(gateway: GatewaySimulator, _: str) -> None:
    """Issue the token of a node link."""
    gateway.devices.bootstrap_tokens.add("BOOTSTRAP-TOKEN")


async def issued(gateway: GatewaySimulator, node_id: str) -> None:
    """Issue the node's own token."""
    await approved(gateway, node_id)
    await approved_device(gateway, node_id)
    gateway.devices.tokens[node_id] = "DEVICE-TOKEN"


async def operators(gateway: GatewaySimulator, node_id: str) -> None:
    """Pair the device as an operator's."""
    gateway.devices.approved[node_id] = {"operator.read"}
    gateway.devices.roles[node_id] = "operator"


async def approve(gateway: GatewaySimulator, _: str) -> None:
    """Approve the pending commands."""
    gateway.nodes.approve(next(iter(gateway.nodes.pending)))


async def expire(gateway: GatewaySimulator, _: str) -> None:
    """Let the open call time out."""
    gateway.nodes.expire()


async def tick(gateway: GatewaySimulator, _: str) -> None:
    """Send a tick."""
    gateway.broadcast("tick", {"ts": gateway.now_ms()})


def call(name: str, *, listed: bool = True) -> Action:
    """Return an action that calls a tool of the node."""

    async def action(gateway: GatewaySimulator, _: str) -> None:
        async def wait() -> None:
            await gateway.nodes.call(name, {"name": "kitchen light"}, listed=listed)

        gateway.spawn(wait())

    return action


async def invoke(gateway: GatewaySimulator, node_id: str) -> None:
    """Invoke a command that the node declares."""

    async def wait() -> None:
        await gateway.nodes.invoke(node_id, "system.run", {"command": []})

    gateway.spawn(wait())


@dataclass(frozen=True)
class Case:
    """Replay of a node's recording.

    ``prepare`` runs before the node connects, ``actions`` before the line of that
    number is awaited.
    """

    name: str
    prepare: Action = approved
    protocol: int = V4
    signed_token: str = "GATEWAY-TOKEN"
    remote: bool = False
    actions: dict[int, Action] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the test id."""
        return f"v{self.protocol}-{self.name}"


async def nothing(_: GatewaySimulator, __: str) -> None:
    """Prepare nothing."""


CASES = [
    Case("node_unapproved", nothing),
    Case("node_idle", actions={9: tick, 10: tick}),
    Case("node_reconnect_approved"),
    Case("node_pair_remote_refused", nothing, remote=True),
    Case(
        "node_pair_remote_node_view",
        approved_device,
        remote=True,
        actions={6: approve},
    ),
    Case("node_pair_same_device_role_upgrade", operators),
    Case(
        "node_setup_code_remote",
        invited,
        signed_token="BOOTSTRAP-TOKEN",
        remote=True,
    ),
    Case(
        "node_setup_code_remote_reconnect",
        issued,
        signed_token="DEVICE-TOKEN",
        remote=True,
    ),
    Case("node_call_direct_plain", actions={8: call("HassTurnOn", listed=False)}),
    Case("node_call_tool_search_plain", actions={8: call("HassTurnOn")}),
    Case("node_call_direct_mcp", actions={8: call("HassTurnOn", listed=False)}),
    Case("node_call_not_ready", actions={8: call("HassT")}),
    Case("node_call_timeout", actions={8: call("HassT"), 9: expire}),
    Case("node_tools_update_limits"),
    Case("node_run_node", nothing, V3, actions={7: invoke, 11: invoke}),
]


PLAYED = {str(case) for case in CASES} | {
    "v4-node_pair_operator_approves",
    "v4-node_tool_call_operator_view",
    "v4-node_tools_effective",
    "v4-node_tools_invoke",
}


def device_of(key: Ed25519PrivateKey) -> str:
    """Return the device id of a key."""
    return sha256(key.public_key().public_bytes_raw()).hexdigest()


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_recorded_node_gets_recorded_frames(case: Case) -> None:
    lines = recording(case.protocol, case.name)
    key = Ed25519PrivateKey.generate()
    node_id = device_of(key)
    async with (
        GatewaySimulator(protocol=case.protocol, token="GATEWAY-TOKEN") as gateway,
        raw_client(gateway.url, key, PROXY if case.remote else None) as client,
    ):
        await case.prepare(gateway, node_id)
        actions = {
            number: partial(action, gateway, node_id)
            for number, action in case.actions.items()
        }
        replay = Replay(client, case.signed_token, actions)
        await replay.play(lines, played_lines(lines))
        assert_matches_recordings(case.protocol, replay)


def played_lines(lines: tuple[Frame, ...]) -> list[int]:
    """Return the lines up to the close by the node itself."""
    numbers = range(len(lines))
    return [number for number in numbers if lines[number].get("code") != 1000]


async def test_operator_approves_as_recorded() -> None:
    lines = recording(V4, "node_pair_operator_approves")
    async with (
        GatewaySimulator(token="GATEWAY-TOKEN") as gateway,
        raw_client(gateway.url) as client,
        raw_client(gateway.url) as node,
    ):
        await Replay(node, "GATEWAY-TOKEN").play(
            recording(V4, "node_unapproved"), range(4)
        )
        (request_id,) = gateway.nodes.pending
        replay = Replay(client, "GATEWAY-TOKEN")
        replay.ids["2b6fd237-2ad5-4403-b553-140b814f70ed"] = request_id
        await replay.play(lines, played_lines(lines))
        assert_matches_recordings(V4, replay)


async def with_both_forms(stack: AsyncExitStack, gateway: GatewaySimulator) -> None:
    """Publish the recorded tools, one with `mcp`."""
    home = await stack.enter_async_context(started(home_of(gateway), TURN_ON))
    await home.wait_published(["HassTurnOn"])
    session = gateway.nodes.sessions[home.client.device_id]
    mcp = {"server": "homeassistant", "tool": "HassTurnOn"}
    session.declared += [session.declared[0] | {"name": "HassM", "mcp": mcp}]


@pytest.mark.parametrize("name", ["node_tools_invoke", "node_tools_effective"])
async def test_operator_uses_tools_as_recorded(name: str) -> None:
    lines = recording(V4, name)
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(GatewaySimulator())
        await with_both_forms(stack, gateway)
        client = await stack.enter_async_context(raw_client(gateway.url))
        await client.handshake(TOKEN)
        gateway.run("hello", session_key="agent:main:eff55e4")
        client.frames.clear()
        replay = Replay(client, TOKEN)
        await replay.play(lines, range(len(lines)))
        client.frames[:] = [f for f in client.frames if f["type"] == "res"]
        assert_matches_recordings(V4, replay)


async def test_run_with_a_tool_of_a_node_as_recorded() -> None:
    lines = recording(V4, "node_tool_call_operator_view")
    texts = lines[-1]["frame"]["payload"]["result"]["payloads"]
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(
            GatewaySimulator(token="GATEWAY-TOKEN")
        )
        gateway.nodes.requires_mcp = True
        home = home_of(gateway, token="GATEWAY-TOKEN")
        await stack.enter_async_context(started(home, TURN_ON))
        await home.wait_published(["HassTurnOn"])
        gateway.script(
            CallTool("HassTurnOn", {"name": "kitchen light"}), Reply(texts[-1]["text"])
        )
        client = await stack.enter_async_context(raw_client(gateway.url))
        replay = Replay(client, "GATEWAY-TOKEN")
        await replay.play(lines, range(len(lines)))
        assert_matches_recordings(V4, replay)
    assert [served.session_key for served in home.calls] == ["agent:main:ha-n-7fab"]
