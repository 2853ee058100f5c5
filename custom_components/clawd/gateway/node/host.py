"""Host of the node's tools."""

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from ..events import EventListeners
from ..state import ConnectionState
from .calls import NodeCalls
from .publisher import ToolPublisher, takes_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..client import GatewayClient
    from ..protocol.frames import Event
    from ..state import Transition
    from .models import CallHandler, NodeStatistics, NodeTool, OpenCall

CHANGED: Final = "published"
# Seconds until a reconnect after another connection took over the key: long, or two
# homes with one key would displace each other all the time.
DISPLACED_DELAY: Final = 300.0

_LOGGER = logging.getLogger(__name__)


class NodeHost:
    """Tools of a node connection.

    Attributes:
        method_missing: the Gateway cannot publish tools of nodes.

    """

    def __init__(
        self, client: GatewayClient, handler: CallHandler, *, prefix: str = ""
    ) -> None:
        """Initialize with the handler of calls.

        `prefix` precedes the published names.
        """
        self._client = client
        self._calls = NodeCalls(client, handler, self._names, self._set_displaced)
        self._publisher = ToolPublisher(
            client, prefix, self._notify, self._set_displaced
        )
        self._listeners: EventListeners[None] = EventListeners(
            client.statistics, client.spawn
        )
        self._take_back: asyncio.Task[None] | None = None
        self.method_missing = False

    @property
    def displaced(self) -> bool:
        """Return whether another connection replaced this one."""
        return self._take_back is not None

    @property
    def ready(self) -> bool:
        """Return whether the handler is ready.

        If not, the Gateway asks again.
        """
        return self._calls.ready

    @ready.setter
    def ready(self, ready: bool) -> None:
        self._calls.ready = ready

    @property
    def wanted(self) -> tuple[NodeTool, ...]:
        """Return the tools to publish, without prefix."""
        return self._publisher.wanted

    @property
    def published(self) -> tuple[str, ...]:
        """Return the published names, without prefix.

        Empty while the node is not connected or not approved.
        """
        return self._publisher.published

    @property
    def publish_error(self) -> str:
        """Return the error code of publishing, if any."""
        return self._publisher.error

    @property
    def statistics(self) -> NodeStatistics:
        """Return the counters of calls."""
        return self._calls.statistics

    @property
    def open_calls(self) -> tuple[OpenCall, ...]:
        """Return the calls being served, oldest first."""
        return self._calls.snapshot()

    def start(self) -> Callable[[], None]:
        """Start publishing and serving; return the stop."""
        client = self._client
        unsubscribes = (
            client.subscribe("node.invoke.request", self._calls.receive),
            client.subscribe("node.invoke.cancel", self._calls.cancel),
            client.subscribe("node.pair.resolved", self._pairing_resolved),
            client.subscribe_state(self._state_changed),
        )
        if client.state is ConnectionState.CONNECTED:
            self._connected()

        def stop() -> None:
            for unsubscribe in unsubscribes:
                unsubscribe()
            self._disconnected()

        return stop

    def set_tools(self, tools: Sequence[NodeTool]) -> None:
        """Publish these tools from now on."""
        self._publisher.want(tuple(tools))

    def subscribe(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Subscribe to `published`; return the unsubscribe."""
        return self._listeners.subscribe(CHANGED, lambda _: listener())

    def _names(self) -> tuple[str, ...]:
        return tuple(tool.name for tool in self.wanted)

    def _notify(self) -> None:
        self._listeners.dispatch(CHANGED, None)

    def _state_changed(self, transition: Transition) -> None:
        connected = ConnectionState.CONNECTED
        if transition.state is connected is not transition.previous:
            self._connected()
        elif transition.previous is connected is not transition.state:
            self._disconnected()

    def _connected(self) -> None:
        self.method_missing = not takes_tools(self._client.hello)
        if self.method_missing:
            _LOGGER.debug("The Gateway cannot publish tools of nodes")
        else:
            self._publisher.connected()

    def _disconnected(self) -> None:
        if self._take_back:
            self._take_back.cancel()
            self._take_back = None
        self._publisher.disconnected()
        self._calls.cancel_all()

    def _pairing_resolved(self, event: Event) -> None:
        if event.payload.get("nodeId") == self._client.device_id:
            self._publisher.repeat()

    def _set_displaced(self) -> None:
        """Schedule a reconnect after being displaced.

        The other connection may be gone by then.
        """
        if self._take_back is None:
            _LOGGER.debug("Another connection uses the key of this node")
            self._take_back = self._client.spawn(self._reopen_later(), "take back")
            self._publisher.disconnected()
            # Notify even if nothing was published.
            self._notify()

    async def _reopen_later(self) -> None:
        await asyncio.sleep(DISPLACED_DELAY)
        await self._client.reopen("another connection had the key of this node")
