"""The agents of a Gateway, and the models that think for them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from .exceptions import InvalidFrameError

if TYPE_CHECKING:
    from .frames import Json, Payload


@dataclass(frozen=True, slots=True)
class ThinkingLevel:
    """How hard a model may think."""

    id: str
    label: str


# v3 does not list them; its agents refuse any other.
V3_LEVELS: Final = tuple(
    ThinkingLevel(level, level) for level in ("off", "minimal", "low", "medium", "high")
)


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent; `model` is `provider/id`, where the Gateway tells it (v4)."""

    id: str
    name: str
    model: str | None
    thinking_levels: tuple[ThinkingLevel, ...]

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Read one agent of the list."""
        identity, model = payload.get("identity"), payload.get("model")
        given = identity.get("name") if isinstance(identity, dict) else None
        primary = model.get("primary") if isinstance(model, dict) else model
        return cls(
            payload["id"],
            str(payload.get("name") or given or payload["id"]),
            primary if isinstance(primary, str) else None,
            _thinking_levels(payload, V3_LEVELS),
        )


@dataclass(frozen=True, slots=True)
class AgentCatalogue:
    """The agents of a Gateway, and the id of the default one."""

    default: str
    agents: tuple[Agent, ...]

    def get(self, agent_id: str) -> Agent | None:
        """Return an agent, if it is there."""
        return next((agent for agent in self.agents if agent.id == agent_id), None)

    @classmethod
    def from_payload(cls, payload: Json) -> Self:
        """Read the answer to `agents.list`.

        Raises:
            InvalidFrameError: it is none.

        """
        match payload:
            case {"defaultId": str(default), "agents": list(entries)}:
                agents = map(Agent.from_payload, _entries(entries, "id"))
                return cls(default, tuple(agents))
        raise InvalidFrameError("the response to agents.list has no agents")


@dataclass(frozen=True, slots=True)
class Model:
    """A model; `ref` is `provider/id`, `available` means that it can be used."""

    ref: str
    name: str
    thinking_levels: tuple[ThinkingLevel, ...]
    available: bool

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Read one model of the list."""
        ref = f"{payload['provider']}/{payload['id']}"
        return cls(
            ref,
            str(payload.get("name") or ref),
            _thinking_levels(payload, V3_LEVELS if payload.get("reasoning") else ()),
            payload.get("available") is not False,
        )


def read_models(payload: Json) -> tuple[Model, ...]:
    """Read the answer to `models.list`.

    Raises:
        InvalidFrameError: it is none.

    """
    match payload:
        case {"models": list(entries)}:
            return tuple(map(Model.from_payload, _entries(entries, "id", "provider")))
    raise InvalidFrameError("the response to models.list has no models")


def _thinking_levels(
    payload: Payload, default: tuple[ThinkingLevel, ...]
) -> tuple[ThinkingLevel, ...]:
    levels = payload.get("thinkingLevels")
    if not isinstance(levels, list):
        return default
    return tuple(
        ThinkingLevel(level["id"], str(level.get("label") or level["id"]))
        for level in _entries(levels, "id")
    )


def _entries(entries: list[Json], *names: str) -> list[Payload]:
    """Return the entries that have a text under each of some names."""
    return [
        entry
        for entry in entries
        if isinstance(entry, dict)
        and all(isinstance(entry.get(name), str) for name in names)
    ]
