"""The present connection to a Gateway, and what it can be asked."""

from typing import TYPE_CHECKING

from .catalogue import AgentCatalogue, read_models
from .exceptions import NotConnectedError
from .survey import identify

if TYPE_CHECKING:
    from .catalogue import Model
    from .connection import Connection
    from .frames import Json, Payload
    from .models import Hello
    from .pending import PendingRequest
    from .upgrade import Peer


class GatewayLink:
    """A place for one connection after the other; requests go to the present one.

    Every request raises the same.

    Raises:
        NotConnectedError: there is no connection.
        RequestTimeoutError: no response in time.
        ConnectionLostError: the connection ended first.
        GatewayError: what the Gateway answered.

    """

    def __init__(self) -> None:
        """Start without a connection."""
        self._connection: Connection | None = None

    @property
    def hello(self) -> Hello | None:
        """Return what was agreed on the present connection."""
        return self._connection.hello if self._connection else None

    @property
    def peer(self) -> Peer | None:
        """Return who is at the other end, if connected."""
        return self._connection.peer if self._connection else None

    @property
    def silence(self) -> float | None:
        """Return the seconds since the last frame, if connected."""
        return self._connection.silence if self._connection else None

    @property
    def receive_limit(self) -> int | None:
        """Return the bytes of the largest message that is taken in, if connected."""
        return self._connection.receive_limit if self._connection else None

    @property
    def pending(self) -> tuple[PendingRequest, ...]:
        """Return the requests under way, oldest first."""
        return self._connection.pending.snapshot() if self._connection else ()

    async def interrupt(self, close_code: int | None = None) -> None:
        """End the connection, if there is one, as if it were lost."""
        await self._require_connection().interrupt(close_code)

    async def request(
        self,
        method: str,
        params: Payload | None = None,
        *,
        deadline: float | None = None,
    ) -> Json:
        """Send a request and return the payload of its response, in `deadline` s."""
        return await self._require_connection().request(method, params or {}, deadline)

    async def gateway_id(self) -> str:
        """Return what tells this Gateway from all others."""
        connection = self._require_connection()
        return await identify(connection.hello, connection.request)

    async def list_agents(self) -> AgentCatalogue:
        """Return the agents that may be asked."""
        return AgentCatalogue.from_payload(await self.request("agents.list"))

    async def list_models(self) -> tuple[Model, ...]:
        """Return the models that an agent may think with."""
        return read_models(await self.request("models.list"))

    async def set_model(self, session_key: str, ref: str | None) -> None:
        """Let a session use another model, or again its agent's own."""
        await self.request("sessions.patch", {"key": session_key, "model": ref})

    def _require_connection(self) -> Connection:
        if self._connection is None:
            raise NotConnectedError("not connected to the Gateway")
        return self._connection
