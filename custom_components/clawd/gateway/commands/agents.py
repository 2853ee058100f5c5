"""Agents of a Gateway."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from ..exceptions import InvalidFrameError
from ..models import READ_SCOPE
from .base import Commands, Method
from .models import (
    V3_LEVELS,
    ThinkingLevel,
    entries_with,
    name_of,
    read_thinking_levels,
)

if TYPE_CHECKING:
    from ..models import Json, Payload


@dataclass(frozen=True, slots=True)
class Agent:
    """Agent of a Gateway.

    Attributes:
        model: `provider/id`; None where the Gateway does not say (v3).
        permission_mode: of its sessions without one of their own, if the Gateway says.

    """

    id: str
    name: str
    model: str | None
    thinking_levels: tuple[ThinkingLevel, ...]
    permission_mode: str | None = None

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Parse an entry of `agents.list`."""
        # v4: {"id": "main", "name": "Main", "model": {"primary": "mock/mock"}};
        # v3: {"id": "main", "identity": {"name": "Main"}}.
        identity, model = payload.get("identity"), payload.get("model")
        given = identity.get("name") if isinstance(identity, dict) else None
        primary = model.get("primary") if isinstance(model, dict) else model
        mode = payload.get("defaultPermissionMode")
        return cls(
            payload["id"],
            name_of(payload["id"], payload.get("name"), given),
            primary if isinstance(primary, str) else None,
            read_thinking_levels(payload, V3_LEVELS),
            mode if isinstance(mode, str) else None,
        )


@dataclass(frozen=True, slots=True)
class AgentList:
    """Agents of a Gateway, with its default."""

    default: str
    agents: tuple[Agent, ...]

    def get(self, agent_id: str) -> Agent | None:
        """Return an agent by id."""
        return next((agent for agent in self.agents if agent.id == agent_id), None)

    @classmethod
    def from_payload(cls, payload: Json) -> Self:
        """Read the response to `agents.list`.

        Raises:
            InvalidFrameError: the response holds no list of agents.

        """
        match payload:
            case {"defaultId": str(default), "agents": list(entries)}:
                agents = map(Agent.from_payload, entries_with(entries, "id"))
                return cls(default, tuple(agents))
        raise InvalidFrameError("the response to agents.list has no agents")


class AgentCommands(Commands):
    """Commands on agents."""

    LIST: Final = Method("agents.list", READ_SCOPE)

    async def list(self) -> AgentList:
        """Return the agents.

        Raises:
            GatewayError: the Gateway did not answer, or not with a list.

        """
        return AgentList.from_payload(await self._call(self.LIST))
