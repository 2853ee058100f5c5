"""Structured data in difficult replies."""

import threading
from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.json import json_loads
import pytest

from custom_components.clawd.assist import generation, json_reply
from custom_components.clawd.flows.ai_task import new_ai_task
from tests.simulator import GatewaySimulator, Reply

from .ai_tasks import RIGHT, STRUCTURE, generate

TEMPLATE = {"text": {"required": True, "selector": {"template": {}}}}


@pytest.fixture
def more_subentries() -> list[ConfigSubentryData]:
    """Add an AI task."""
    return [new_ai_task("main", "main")]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("opening", "filler"),
    [("```", " "), ("```json", " "), ("```json5\t", "\t"), ("```\n", "```\n")],
    ids=["bare", "named", "tabs", "many"],
)
async def test_a_fence_without_an_end_is_read_at_once(
    hass: HomeAssistant, gateway: GatewaySimulator, opening: str, filler: str
) -> None:
    # The square of the length would take many times as long as a test may.
    wrong = f"{opening}{filler * 200_000}x"
    gateway.script_once(Reply(chunks=(wrong,)))
    gateway.script_once(Reply(RIGHT))
    assert (await generate(hass, structure=STRUCTURE))["people"] == 2


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("name", ["", "json", "JSON", "json5", "jsonc \t", " json "])
async def test_fences_are_named_in_many_ways(
    hass: HomeAssistant, gateway: GatewaySimulator, name: str
) -> None:
    gateway.script(Reply(f"Here:\n```{name}\n{RIGHT}\n```"))
    assert (await generate(hass, structure=STRUCTURE))["people"] == 2


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("is_long", [False, True])
async def test_long_data_are_read_outside_of_the_event_loop(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_long: bool,
) -> None:
    threads: list[int] = []

    def record(text: str) -> Any:  # noqa: ANN401 - any JSON
        threads.append(threading.get_ident())
        return json_loads(text)

    monkeypatch.setattr(f"{json_reply.__name__}.json_loads", record)
    monkeypatch.setattr(generation, "MAX_READ_AT_ONCE", 60)
    # Needs Home Assistant, which validators find only in the event loop by themselves.
    text = "{{ 1 }}" + " " * 100 * is_long
    gateway.script_once(Reply('{"text": 1}' + " " * 100 * is_long))
    gateway.script_once(Reply(f'{{"text": "{text}"}}'))
    assert await generate(hass, structure=TEMPLATE) == {"text": text}
    in_loop = [thread == threading.get_ident() for thread in threads]
    # Each is read twice, with the spaces around it and without.
    assert in_loop == [not is_long, True, not is_long, not is_long]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("selector", "wrong", "right"),
    [
        ({"duration": {}}, '{"days": 1e12}', '{"days": 1}'),
        ({"duration": {}}, '{"hours": 1e308}', '{"hours": 1}'),
        ({"template": {}}, f'"{{{{ {"(" * 9000}"', '"{{ 1 }}"'),
    ],
    ids=["large", "largest", "deep"],
)
async def test_a_value_that_a_selector_cannot_take_is_asked_for_again(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    selector: dict[str, Any],
    wrong: str,
    right: str,
) -> None:
    wanted = {"d": {"required": True, "selector": selector}}
    gateway.script_once(Reply(f'{{"d": {wrong}}}'))
    gateway.script_once(Reply(f'{{"d": {right}}}'))
    assert await generate(hass, structure=wanted)
    repair = gateway.received("agent")[-1].params["message"]
    assert "a value is not valid" in repair

    gateway.script(Reply(f'{{"d": {wrong}}}'))
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass, structure=wanted)
    assert error.value.translation_key == "answer_not_valid"
