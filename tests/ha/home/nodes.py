"""Nodes that the simulated Gateway knows."""

from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.runtime.node import NodeRuntime
from tests.simulator import GatewaySimulator

COMMANDS = ["mcp.tools.call.v1", "system.notify"]
ACCESS = {"home_access": "control"}


def node_of(entry: MockConfigEntry) -> NodeRuntime:
    """Return the node of a loaded entry."""
    node: NodeRuntime | None = entry.runtime_data.node
    assert node is not None
    return node


async def wait_for_node(
    gateway: GatewaySimulator, entry: MockConfigEntry
) -> dict[str, Any]:
    """Wait for the node's connection."""
    node_id = node_of(entry).client.device_id
    await gateway.wait_until(lambda: node_id in gateway.nodes.sessions)
    return dict(gateway.nodes.sessions[node_id].connection.params)


async def wait_published(gateway: GatewaySimulator, entry: MockConfigEntry) -> None:
    """Wait until the Gateway has confirmed the tools."""
    host = node_of(entry).host
    await gateway.wait_until(lambda: bool(host.published))
