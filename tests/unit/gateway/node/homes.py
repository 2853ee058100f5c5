"""Nodes with a controllable handler."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from custom_components.clawd.gateway import (
    NODE_PROFILE,
    ClientInfo,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    NodeCall,
    NodeHost,
    NodeTool,
    Timing,
)
from tests.simulator import GatewaySimulator
from tests.simulator.raw_client import TOKEN
from tests.unit.clients import TIMING, running

STATE = NodeTool("home_state", "States of the home.", {"type": "object"})
CONTROL = NodeTool("home_control", "Controls the home.", {"type": "object"})
TOOLS = (STATE, CONTROL)
COMMANDS = list(NODE_PROFILE.commands)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that no event tells of."""
    while not condition():  # noqa: ASYNC110 - see above
        await asyncio.sleep(0)


@dataclass
class Home:
    """Node with a controllable handler.

    ``hold``: calls wait until it is set; ``error`` is raised by the handler.
    """

    client: GatewayClient
    host: NodeHost = field(init=False)
    prefix: str = ""
    reply: str = "done"
    error: Exception | None = None
    hold: asyncio.Event | None = None
    calls: list[NodeCall] = field(default_factory=list)
    cancelled: int = 0
    changes: list[tuple[str, ...]] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Make the host, and listen to it."""
        self.host = NodeHost(self.client, self.handle, prefix=self.prefix)
        self.host.subscribe(self.note)

    @property
    def outcomes(self) -> dict[str, int]:
        """Return the counters of calls that are not zero."""
        statistics = self.host.statistics
        names = statistics.__dataclass_fields__
        counts = {name: getattr(statistics, name) for name in names}
        return {name: count for name, count in counts.items() if count}

    def note(self) -> None:
        """Keep the published names."""
        self.changes.append(self.host.published)
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_published(self, names: Sequence[str] = ("home_state",)) -> None:
        """Wait until the Gateway has confirmed these names."""
        while not set(names) <= set(self.host.published):
            await self._changed.wait()

    async def wait_unpublished(self) -> None:
        """Wait until nothing is published."""
        while self.host.published:
            await self._changed.wait()

    async def handle(self, call: NodeCall) -> str:
        """Serve a call."""
        self.calls.append(call)
        if self.hold:
            try:
                await self.hold.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        if self.error:
            raise self.error
        return self.reply


def home_of(  # noqa: PLR0913 - each has a default
    gateway: GatewaySimulator,
    *,
    timing: Timing = TIMING,
    identity: DeviceIdentity | None = None,
    approved: bool = True,
    prefix: str = "",
    token: str | None = TOKEN,
    bootstrap_token: str | None = None,
) -> Home:
    """Return a node of a Gateway, not running; by default approved there."""
    identity = identity or DeviceIdentity.generate()
    if approved:
        gateway.nodes.approved[identity.device_id] = COMMANDS
    info = ClientInfo("0.1.0", "Home")
    credentials = Credentials(identity, info, token, bootstrap_token=bootstrap_token)
    client = GatewayClient(
        Endpoint("127.0.0.1", gateway.port),
        credentials,
        profile=NODE_PROFILE,
        timing=timing,
    )
    return Home(client, prefix=prefix)


@asynccontextmanager
async def started(home: Home, *tools: NodeTool) -> AsyncGenerator[Home]:
    """Run a node with tools until the context exits."""
    stop = home.host.start()
    home.host.set_tools(tools or TOOLS)
    async with running(home.client):
        yield home
    stop()
    assert home.host.open_calls == ()
    assert home.host.published == ()
    counts = home.host.statistics
    ended = counts.answered + counts.failed + counts.refused + counts.cancelled
    assert counts.issued == ended + counts.expired + counts.not_ready


@asynccontextmanager
async def published(
    gateway: GatewaySimulator, *tools: NodeTool, timing: Timing = TIMING
) -> AsyncGenerator[Home]:
    """Run an approved node with published tools."""
    async with started(home_of(gateway, timing=timing), *tools) as home:
        await home.wait_published([tool.name for tool in tools or TOOLS])
        yield home
