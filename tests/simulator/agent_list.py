"""The agents and the models of a Gateway."""

from dataclasses import dataclass

from .recordings import V3, Frame, payload


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent of the Gateway; without a name, it is called by its id."""

    id: str
    name: str | None = None
    model: str = "mock/mock"
    levels: tuple[str, ...] = ("off",)


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the Gateway."""

    id: str
    name: str
    levels: tuple[str, ...] = ("off",)


AGENTS = (
    Agent("main"),
    Agent("kitchen", "Chef", "mock/thinker", ("off", "low", "high")),
)
MODELS = (Model("mock", "Mock"), Model("thinker", "Thinker", ("off", "low", "high")))


def agents(protocol: int, listed: tuple[Agent, ...]) -> Frame:
    """Return what ``agents.list`` answers; protocol 3 knows ids and names only."""
    answer: Frame = payload(protocol, "rpc_survey", "agents.list")
    template = answer["agents"][0]
    answer["agents"] = [_agent(protocol, template, agent) for agent in listed]
    return answer | {"defaultId": listed[0].id}


def models(protocol: int) -> Frame:
    """Return what ``models.list`` answers; protocol 3 tells no thinking levels."""
    answer: Frame = payload(protocol, "rpc_survey", "models.list")
    template = answer["models"][0]
    answer["models"] = [
        template
        | {"id": model.id, "name": model.name, "provider": "mock"}
        | {"reasoning": len(model.levels) > 1}
        | ({} if protocol == V3 else _thinking(model.levels))
        for model in MODELS
    ]
    return answer


def _agent(protocol: int, template: Frame, agent: Agent) -> Frame:
    """Return one agent of the list."""
    name = {"name": agent.name} if agent.name else {}
    if protocol == V3:
        return {"id": agent.id, **name}
    return (
        template
        | {"id": agent.id, **name, "model": {"primary": agent.model}}
        | _thinking(agent.levels)
    )


def _thinking(levels: tuple[str, ...]) -> Frame:
    """Return the thinking levels as protocol 4 tells them."""
    return {
        "thinkingLevels": [{"id": level, "label": level} for level in levels],
        "thinkingDefault": levels[0],
    }
