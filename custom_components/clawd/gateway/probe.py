"""First contact with a Gateway."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .commands import AgentCommands, AgentList, SystemCommands
from .exceptions import CannotConnectError, NotConnectedError
from .models import INSTALLATION, Timing
from .protocol.connection import Connection
from .protocol.transport import Peer, open_socket
from .statistics import Statistics

if TYPE_CHECKING:
    from .endpoint import Endpoint
    from .models import Hello


@dataclass(frozen=True, slots=True)
class GatewayInfo:
    """Identity and agents of a Gateway.

    Attributes:
        gateway_id: the same at every address of the Gateway.

    """

    hello: Hello
    gateway_id: str
    agents: AgentList
    peer: Peer

    def matches_id(self, gateway_id: str) -> bool:
        """Return whether an id belongs to this Gateway.

        Includes its id before an update.
        """
        # A v3 Gateway has only an id that we derive; after the update to v4 it has
        # its own.
        return gateway_id == self.gateway_id or (
            self.hello.has_own_id and gateway_id.startswith(INSTALLATION)
        )


async def probe_endpoint(endpoint: Endpoint, timing: Timing | None = None) -> Peer:
    """Probe an endpoint without sending credentials.

    Raises:
        GatewayError: as `open_socket`, or the peer is no Gateway.

    """
    timing = timing or Timing()
    try:
        async with asyncio.timeout(timing.connect_timeout):
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


async def fetch_gateway_info(connection: Connection) -> GatewayInfo:
    """Return identity and agents after the handshake.

    Raises:
        GatewayError: the Gateway did not answer, or with an error.

    """
    request = connection.request_before_serving
    hello = connection.hello
    try:
        async with asyncio.timeout(connection.timing.request_timeout):
            gateway_id = await fetch_gateway_id(hello, SystemCommands(request))
            agents = await AgentCommands(request).list()
    except TimeoutError:
        raise CannotConnectError("no answer in time", code="TIMEOUT") from None
    return GatewayInfo(hello, gateway_id, agents, connection.peer)


async def fetch_gateway_id(hello: Hello, system: SystemCommands) -> str:
    """Return the persistent id of a Gateway.

    The device id on v4, derived from the state folder on v3.

    Raises:
        GatewayError: the Gateway did not answer, or with an error.

    """
    if SystemCommands.IDENTITY.name not in hello.methods:
        return hello.installation
    return await system.device_id()
