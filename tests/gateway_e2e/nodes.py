"""Nodes of a home at each Gateway."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from custom_components.clawd.gateway import (
    NODE_PROFILE,
    ClientInfo,
    ConnectionState,
    ConnectProfile,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    NodeCall,
    NodeHost,
    NodeTool,
    approve_node,
)

from .clients import TIMING, new_credentials, running
from .gateway_harness import GatewayHarness

ADMIN = ConnectProfile(
    client_id="gateway-client",
    mode="ui",
    role="operator",
    scopes=("operator.admin", "operator.read", "operator.write"),
)
SCHEMA = {
    "type": "object",
    "properties": {"action": {"type": "string"}},
    "required": ["action"],
}
STATE = NodeTool("home_state", "States of the home.", SCHEMA)
CONTROL = NodeTool("home_control", "Controls the home.", SCHEMA)
POLL_INTERVAL = 0.02
NAMES = {"home_state", "home_control"}


@dataclass
class Home:
    """Node with a handler that keeps its calls; `hold` delays their results."""

    client: GatewayClient
    hold: asyncio.Event | None = None
    calls: list[NodeCall] = field(default_factory=list)
    cancelled: int = 0

    def __post_init__(self) -> None:
        """Make the host, and listen to it."""
        self.host = NodeHost(self.client, self._handle)
        self._changed = asyncio.Event()
        self.host.subscribe(self._changed.set)
        self.client.subscribe_state(lambda _: self._changed.set())

    async def wait_published(self, names: set[str] = NAMES) -> None:
        """Wait until the Gateway has confirmed exactly these names."""
        await self._wait(lambda: set(self.host.published) == names)

    async def wait_calls(self, count: int = 1) -> None:
        """Wait for calls."""
        await self._wait(lambda: len(self.calls) >= count)

    async def wait_idle(self) -> None:
        """Wait until no call is open."""
        await self._wait(lambda: not self.host.open_calls)

    async def wait_connected(self) -> None:
        """Wait for a connection, also while the client is paused."""
        await self._wait(lambda: self.client.state is ConnectionState.CONNECTED)

    async def _wait(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition on the node holds."""
        while not condition():
            self._changed.clear()
            with suppress(TimeoutError):
                # No event tells that the Gateway has taken a result.
                async with asyncio.timeout(POLL_INTERVAL):
                    await self._changed.wait()

    async def _handle(self, call: NodeCall) -> str:
        self.calls.append(call)
        try:
            if self.hold:
                await self.hold.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return f"marmalade {call.arguments.get('action')}"


def new_home(  # noqa: PLR0913 - most have a default
    harness: GatewayHarness,
    name: str = "Home",
    *,
    port: int | None = None,
    identity: DeviceIdentity | None = None,
    headers: dict[str, str] | None = None,
    bootstrap_token: str | None = None,
) -> Home:
    """Return a node with a new key, or with a given one."""
    credentials = Credentials(
        identity or DeviceIdentity.generate(),
        ClientInfo("0.1.0", name),
        None if bootstrap_token else harness.token,
        bootstrap_token=bootstrap_token,
    )
    endpoint = Endpoint("127.0.0.1", port or harness.port, headers=headers or {})
    client = GatewayClient(endpoint, credentials, profile=NODE_PROFILE, timing=TIMING)
    return Home(client)


@asynccontextmanager
async def started(home: Home) -> AsyncGenerator[Home]:
    """Run a node with both tools."""
    stop = home.host.start()
    home.host.set_tools((STATE, CONTROL))
    async with running(home.client):
        yield home
    stop()
    assert home.host.open_calls == ()


async def approve(harness: GatewayHarness, home: Home) -> bool:
    """Approve a node by the short connection."""
    endpoint = Endpoint("127.0.0.1", harness.port)
    credentials = new_credentials(harness.token)
    return await approve_node(endpoint, credentials, home.client.device_id)


@asynccontextmanager
async def published(
    harness: GatewayHarness, name: str = "Home", *, port: int | None = None
) -> AsyncGenerator[Home]:
    """Run an approved node with published tools."""
    async with started(new_home(harness, name, port=port)) as home:
        assert await approve(harness, home)
        await home.wait_published()
        yield home


@asynccontextmanager
async def admin(harness: GatewayHarness) -> AsyncGenerator[GatewayClient]:
    """Run a connection with the rights of the dashboard."""
    endpoint = Endpoint("127.0.0.1", harness.port)
    client = GatewayClient(endpoint, new_credentials(harness.token), profile=ADMIN)
    async with running(client):
        yield client


async def print_node_link(harness: GatewayHarness, port: int | None = None) -> str:
    """Return a node link of the Gateway, as its dashboard shows it.

    `port` is the one of a proxy.
    """
    url = f"ws://127.0.0.1:{port or harness.port}"
    params = {"bootstrapProfile": "node", "publicUrl": url, "includeQr": False}
    async with admin(harness) as client:
        answer = await client.request("device.pair.setupCode", params)
    return f"oc-pair://{answer['setupCode']}"
