"""What a first look at a Gateway tells."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .catalogue import AgentCatalogue
from .connection import Connection
from .exceptions import CannotConnectError, InvalidFrameError, NotConnectedError
from .models import INSTALLATION, MIN_PROTOCOL, Timing
from .statistics import Statistics
from .upgrade import Peer, open_socket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .endpoint import Endpoint
    from .frames import Json, Payload
    from .models import Hello

IDENTITY: Final = "gateway.identity.get"


@dataclass(frozen=True, slots=True)
class Survey:
    """What a Gateway is and offers; `gateway_id` is its own, wherever it listens."""

    hello: Hello
    gateway_id: str
    agents: AgentCatalogue
    peer: Peer

    def is_known_as(self, gateway_id: str) -> bool:
        """Return whether an id is this Gateway's, or was before its update to v4."""
        updated = self.hello.protocol > MIN_PROTOCOL
        return gateway_id == self.gateway_id or (
            updated and gateway_id.startswith(INSTALLATION)
        )


async def look(endpoint: Endpoint, timing: Timing | None = None) -> Peer:
    """Return who listens at an endpoint, without telling them anything.

    Raises:
        GatewayError: as `open_socket`, or it is no Gateway.

    """
    timing = timing or Timing()
    try:
        async with asyncio.timeout(timing.connect):
            socket = await open_socket(endpoint, timing)
            connection = Connection(
                socket, timing, Statistics(), lambda *_: None, lambda _: False
            )
            try:
                await connection.read_challenge()
                return connection.peer
            finally:
                await connection.close(NotConnectedError("closed", code="STOPPED"))
    except TimeoutError:
        raise CannotConnectError("no answer in time", code="TIMEOUT") from None


async def survey(connection: Connection) -> Survey:
    """Ask a Gateway that has just said hello what it is and offers.

    Raises:
        GatewayError: what the Gateway answered.

    """
    hello = connection.hello
    try:
        async with asyncio.timeout(connection.timing.request):
            gateway_id = await identify(hello, connection.ask)
            agents = await connection.ask("agents.list", {})
    except TimeoutError:
        raise CannotConnectError("no answer in time", code="TIMEOUT") from None
    catalogue = AgentCatalogue.from_payload(agents)
    return Survey(hello, gateway_id, catalogue, connection.peer)


async def identify(hello: Hello, ask: Callable[[str, Payload], Awaitable[Json]]) -> str:
    """Return what tells a Gateway from all others: v4's device id, v3's folder.

    Raises:
        GatewayError: what the Gateway answered.

    """
    if IDENTITY not in hello.methods:
        return hello.installation
    match await ask(IDENTITY, {}):
        case {"deviceId": str(device_id)}:
            return device_id
    raise InvalidFrameError("the response to gateway.identity.get has no id")
