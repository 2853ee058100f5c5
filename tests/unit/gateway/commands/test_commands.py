"""Agents and models of a Gateway."""

import pytest

from custom_components.clawd.gateway import (
    Agent,
    AgentList,
    InvalidFrameError,
    Model,
    ThinkingLevel,
)
from custom_components.clawd.gateway.commands.models import read_models
from custom_components.clawd.gateway.models import Json, Payload
from tests.simulator import GatewaySimulator
from tests.unit.clients import connected

V3_LEVELS = ("off", "minimal", "low", "medium", "high")


def ids(levels: tuple[ThinkingLevel, ...]) -> tuple[str, ...]:
    """Return the ids of thinking levels."""
    return tuple(level.id for level in levels)


def agent_of(**entry: Json) -> Agent:
    """Return the one agent of a list."""
    payload = {"defaultId": "main", "agents": [{"id": "main", **entry}]}
    return AgentList.from_payload(payload).agents[0]


async def test_list_agents(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        agent_list = await client.agents.list()
    assert agent_list.default == "main"
    assert [agent.name for agent in agent_list.agents] == ["main", "Chef"]
    assert agent_list.get("kitchen") == agent_list.agents[1]
    assert agent_list.get("unknown") is None


async def test_agent_model_requires_protocol_4(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        chef = (await client.agents.list()).agents[1]
    settings = chef.model, ids(chef.thinking_levels)
    if gateway.protocol == 4:
        assert settings == ("mock/thinker", ("off", "low", "high"))
    else:
        assert settings == (None, V3_LEVELS)


async def test_list_models(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        mock, thinker = await client.models.list()
    assert (mock.ref, mock.name, mock.available) == ("mock/mock", "Mock", True)
    if gateway.protocol == 4:
        assert ids(mock.thinking_levels) == ("off",)
        assert ids(thinker.thinking_levels) == ("off", "low", "high")
    else:
        assert ids(mock.thinking_levels) == ()
        assert ids(thinker.thinking_levels) == V3_LEVELS


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ({}, "main"),
        ({"identity": {"name": "Ada"}}, "Ada"),
        ({"identity": {"name": "Ada"}, "name": "Boss"}, "Boss"),
    ],
)
def test_agent_name_priority(entry: Payload, name: str) -> None:
    assert agent_of(**entry).name == name


def test_invalid_agents_and_levels_are_skipped() -> None:
    payload = {"defaultId": "a", "agents": [{}, None, {"id": 1}, {"id": "a"}]}
    assert [agent.id for agent in AgentList.from_payload(payload).agents] == ["a"]
    levels = [{"id": "low", "label": "Low"}, {}, "high", {"id": "off"}]
    read_levels = agent_of(thinkingLevels=levels).thinking_levels
    assert read_levels == (ThinkingLevel("low", "Low"), ThinkingLevel("off", "off"))


def test_unavailable_model() -> None:
    entry = {"provider": "p", "id": "m", "available": False}
    assert read_models({"models": [entry]}) == (Model("p/m", "p/m", (), False),)  # noqa: FBT003 - as the field


@pytest.mark.parametrize("payload", [None, [], {}, {"agents": []}, {"models": 1}])
def test_invalid_list_is_rejected(payload: Json) -> None:
    with pytest.raises(InvalidFrameError):
        AgentList.from_payload(payload)
    with pytest.raises(InvalidFrameError):
        read_models(payload)
