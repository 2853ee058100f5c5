"""Agents and models of a Gateway."""

from dataclasses import dataclass

from .recordings import V3, Frame, payload


@dataclass(frozen=True, slots=True)
class Agent:
    """Agent of the Gateway; the name is optional."""

    id: str
    name: str | None = None
    model: str = "mock/mock"
    levels: tuple[str, ...] = ("off",)
    permission_mode: str = "full"


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the Gateway."""

    id: str
    name: str
    levels: tuple[str, ...] = ("off",)
    inputs: tuple[str, ...] = ("text", "image")


AGENTS = (
    Agent("main"),
    Agent("kitchen", "Chef", "mock/thinker", ("off", "low", "high")),
)
MODELS = (
    Model("mock", "Mock"),
    Model("thinker", "Thinker", ("off", "low", "high"), ("text",)),
)


def agents_payload(protocol: int, agents: tuple[Agent, ...]) -> Frame:
    """Return the payload of ``agents.list``.

    Protocol 3 has only ids and names.
    """
    result: Frame = payload(protocol, "rpc_survey", "agents.list")
    template = result["agents"][0]
    result["agents"] = [_agent_entry(protocol, template, agent) for agent in agents]
    return result | {"defaultId": agents[0].id}


def models_payload(protocol: int, *, details: bool = False) -> Frame:
    """Return the payload of ``models.list``.

    Protocol 3 has no thinking levels.
    """
    result: Frame = payload(protocol, "rpc_survey", "models.list")
    template = result["models"][0]
    result["models"] = [
        template
        | {"id": model.id, "name": model.name, "provider": "mock"}
        | {"reasoning": len(model.levels) > 1}
        | ({} if protocol == V3 else _thinking_levels(model.levels))
        | ({"input": list(model.inputs)} if details else {})
        for model in MODELS
    ]
    return result


def _agent_entry(protocol: int, template: Frame, agent: Agent) -> Frame:
    """Return one entry of ``agents.list``."""
    name = {"name": agent.name} if agent.name else {}
    if protocol == V3:
        return {"id": agent.id, **name}
    return (
        template
        | {"id": agent.id, **name, "model": {"primary": agent.model}}
        | {"defaultPermissionMode": agent.permission_mode}
        | _thinking_levels(agent.levels)
    )


def _thinking_levels(levels: tuple[str, ...]) -> Frame:
    """Return thinking levels in protocol 4 format."""
    return {
        "thinkingLevels": [{"id": level, "label": level} for level in levels],
        "thinkingDefault": levels[0],
    }
