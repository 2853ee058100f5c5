"""Names of invalid types."""

import pytest

from custom_components.clawd.gateway.commands.agents import AgentList
from custom_components.clawd.gateway.commands.models import read_models

NO_NAMES = [None, True, 0, 7, 1.5, "", " \n", "\u200b", [], ["Chef"], {"a": "Chef"}]


def agent_name(**payload: object) -> str:
    agents = AgentList.from_payload(
        {"defaultId": "main", "agents": [{"id": "main", **payload}]}
    )
    return agents.agents[0].name


@pytest.mark.parametrize("name", NO_NAMES)
def test_an_agent_without_a_name_has_its_id(name: object) -> None:
    assert agent_name(name=name) == "main"
    assert agent_name(name=name, identity={"name": name}) == "main"
    assert agent_name(name=name, identity={"name": "Chef"}) == "Chef"


@pytest.mark.parametrize("identity", NO_NAMES)
def test_the_identity_of_an_agent_may_be_anything(identity: object) -> None:
    assert agent_name(identity=identity) == "main"


def test_a_name_is_one_line() -> None:
    assert agent_name(name=" Chef\n de  cuisine\t") == "Chef de cuisine"


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_model_and_a_level_without_a_name_have_their_id(name: object) -> None:
    levels = [{"id": "low", "label": name}]
    entry = {"id": "m", "provider": "p", "name": name, "thinkingLevels": levels}
    [model] = read_models({"models": [entry]})
    assert model.name == "p/m"
    assert [level.label for level in model.thinking_levels] == ["low"]
