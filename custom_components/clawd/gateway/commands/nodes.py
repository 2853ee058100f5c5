"""Nodes and their pairing requests."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from ..exceptions import InvalidFrameError
from ..models import PAIRING_SCOPE, READ_SCOPE
from .base import Commands, Method
from .models import entries_with

if TYPE_CHECKING:
    from ..models import Json, Payload


@dataclass(frozen=True, slots=True)
class Node:
    """Node of a Gateway.

    Attributes:
        id: device id of its key.
        approval: `approved`, `pending-approval`, `pending-reapproval`, `unapproved`,
            or empty where the Gateway does not say.
        tools: names that it has published; empty while it is not connected.

    """

    id: str
    connected: bool
    approval: str
    commands: tuple[str, ...]
    tools: tuple[str, ...]

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Parse an entry of `node.list`."""
        tools = entries_with(_list(payload, "nodePluginTools"), "name")
        return cls(
            payload["nodeId"],
            payload.get("connected") is True,
            str(payload.get("approvalState") or ""),
            tuple(map(str, _list(payload, "commands"))),
            tuple(tool["name"] for tool in tools),
        )

    @property
    def approved(self) -> bool:
        """Return whether its commands are approved."""
        return self.approval == "approved"


@dataclass(frozen=True, slots=True)
class PairingRequest:
    """Node with commands awaiting approval."""

    id: str
    node_id: str
    commands: tuple[str, ...]

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Parse a pending entry of `node.pair.list`."""
        commands = tuple(map(str, _list(payload, "commands")))
        return cls(payload["requestId"], payload["nodeId"], commands)


class NodeCommands(Commands):
    """Commands on nodes."""

    LIST: Final = Method("node.list", READ_SCOPE, optional=True)
    PAIR_LIST: Final = Method("node.pair.list", PAIRING_SCOPE, optional=True)
    PAIR_APPROVE: Final = Method("node.pair.approve", PAIRING_SCOPE, optional=True)

    async def list(self) -> tuple[Node, ...]:
        """Return the nodes.

        Raises:
            GatewayError: the Gateway did not answer, or not with a list.

        """
        match await self._call(self.LIST):
            case {"nodes": [*entries]}:
                return tuple(map(Node.from_payload, entries_with(entries, "nodeId")))
        raise InvalidFrameError(f"the response to {self.LIST} has no nodes")

    async def pairing_requests(self) -> tuple[PairingRequest, ...]:
        """Return the nodes awaiting approval.

        Raises:
            GatewayError: the Gateway did not answer, or not with a list.

        """
        match await self._call(self.PAIR_LIST):
            case {"pending": [*entries]}:
                found = entries_with(entries, "requestId", "nodeId")
                return tuple(map(PairingRequest.from_payload, found))
        raise InvalidFrameError(f"the response to {self.PAIR_LIST} has no requests")

    async def approve(self, request_id: str) -> None:
        """Approve the commands of a node.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        await self._call(self.PAIR_APPROVE, {"requestId": request_id})


def _list(payload: Payload, key: str) -> list[Json]:
    value = payload.get(key)
    return value if isinstance(value, list) else []
