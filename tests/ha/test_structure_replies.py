"""Data in replies of all kinds, and what a model is told of selectors."""

import json
from typing import Any

from homeassistant.components.ai_task import async_generate_data
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import SELECTORS
import pytest
import voluptuous as vol

from custom_components.clawd.assist.selector_schema import CONVERTER
from custom_components.clawd.flows.ai_task import new_ai_task
from tests.simulator import GatewaySimulator, Reply

from .ai_tasks import TASK, generate

STRUCTURE: dict[str, Any] = {
    "n": {"required": True, "selector": {"number": {}}},
    "t": {"selector": {"text": {"multiline": True}}},
    "part": {
        "selector": {
            "object": {
                "fields": {
                    "a": {"required": True, "selector": {"number": {}}},
                    "b": {"selector": {"text": {}}},
                }
            }
        }
    },
}
CODE = "Run:\n```bash\nls {a}\n```\nDone."
CHOICES: dict[str, Any] = {
    "a": {"selector": {"number": {}}},
    "b": {"selector": {"boolean": {}}},
}

pytestmark = pytest.mark.usefixtures("entry")


@pytest.fixture
def more_subentries() -> list[ConfigSubentryData]:
    """Add an AI task."""
    return [new_ai_task("main", "main")]


def chunks(text: str) -> Reply:
    """Return a reply that comes at once, as it is."""
    return Reply(chunks=(text,))


@pytest.mark.parametrize(
    ("reply", "data"),
    [
        (f"```json\n{json.dumps({'n': 1, 't': CODE})}\n```", {"n": 1, "t": CODE}),
        ('Read:\n```yaml\na: 1\n```\nSo:\n```json\n{"n": 2}\n```', {"n": 2}),
        ('```bash\nls\n```\n\n```json\n{"n": 2}\n```', {"n": 2}),
        ('Schema: {"type": "object"}\n{"n": 2}', {"n": 2}),
        ('{"n": 2}\n\nAsk if {more} is needed.', {"n": 2}),
        ('As in [1], for {room}: {"n": 2} :}', {"n": 2}),
        ('```json\n{"n": 2}\n```\nThat is {"n": 2}.', {"n": 2}),
        ('\ufeff\n{"n": 2}', {"n": 2}),
        ('\u200b{"n": 2, "t": "}"}\u200b', {"n": 2, "t": "}"}),
        ('Here: {"n": 2, "t": "\\"}{"}.', {"n": 2, "t": '"}{'}),
    ],
)
async def test_data_is_found_between_other_things(
    hass: HomeAssistant, gateway: GatewaySimulator, reply: str, data: dict[str, Any]
) -> None:
    gateway.script(chunks(reply))
    assert await generate(hass, structure=STRUCTURE) == data
    assert len(gateway.received("agent")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "<think>x</think>y",
        "Use <think> tags",
        "[[reply_to_current]] Hi",
        '<tool_call>{"a": 1}</tool_call>',
        "MEDIA:/a.png",
        "NO_REPLY",
    ],
)
async def test_a_value_is_kept_whatever_it_looks_like(
    hass: HomeAssistant, gateway: GatewaySimulator, text: str
) -> None:
    data = {"n": 1, "t": text}
    gateway.script(chunks(json.dumps(data)))
    assert await generate(hass, structure=STRUCTURE) == data


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ('{"n": 1}\n{"n": 2}', "several values"),
        ('```json\n{"n": 1}\n```\nNo:\n```json\n{"n": 2}\n```', "several values"),
        ('{"n": 1, "part": {"a": 2}, "t": ', "no JSON"),
        ('[{"n": 1}]', "expected object"),
        ('Here: [{"n": 1}]', "expected object"),
        ("[" * 5000, "no JSON"),
        ('{"n": 1e400}', "no JSON"),
        ('{"n": NaN}', "no JSON"),
        ('{"n": null}', "expected number at n"),
        ('{"n": 1, "part": {"a": null}}', "expected number at part.a"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_is_not_clear_is_asked_for_again(
    hass: HomeAssistant, gateway: GatewaySimulator, reply: str, problem: str
) -> None:
    gateway.script_once(chunks(reply))
    gateway.script_once(Reply('{"n": 3}'))
    assert await generate(hass, structure=STRUCTURE) == {"n": 3}
    repair = gateway.received("agent")[-1].params["message"]
    assert problem in repair.partition("It cannot be used: ")[2]


async def test_null_stands_for_a_field_that_is_left_out(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    reply = {"n": 1, "t": None, "part": {"a": 2, "b": None}}
    gateway.script(Reply(json.dumps(reply)))
    assert await generate(hass, structure=STRUCTURE) == {"n": 1, "part": {"a": 2}}
    assert len(gateway.received("agent")) == 1


@pytest.mark.parametrize("unit", ['\\"', '"', "{", "{}", "[", '{"a":', "{'", "{}]"])
async def test_a_long_reply_is_read_at_once(
    hass: HomeAssistant, gateway: GatewaySimulator, unit: str
) -> None:
    # The square of the length would take many times as long as a test may.
    gateway.script_once(chunks(f"Here: {{{unit * (100_000 // len(unit))}"))
    gateway.script_once(Reply('{"n": 3}'))
    assert await generate(hass, structure=STRUCTURE) == {"n": 3}


@pytest.mark.parametrize(
    ("selector", "value", "told"),
    [
        ({"trigger": {}}, [{"trigger": "state", "entity_id": "light.x"}], '"object"'),
        ({"action": {}}, [{"action": "light.turn_on"}], '"object"'),
        ({"choose": {"choices": CHOICES}}, 5, '"number"'),
        ({"choose": {"choices": CHOICES}}, True, '"boolean"'),
        ({"select": {"options": ["a"], "custom_value": True}}, "b", '"examples":["a"]'),
        (
            {"select": {"options": ["a"], "custom_value": True, "multiple": True}},
            ["b"],
            '"examples":["a"]',
        ),
        ({"select": {"options": ["a"]}}, "a", '"enum":["a"]'),
        pytest.param(
            {"numeric_threshold": {"mode": "is"}},
            {"type": "above", "value": {"number": 5}},
            '"object"',
            marks=pytest.mark.skipif(
                "numeric_threshold" not in SELECTORS, reason="no such selector yet"
            ),
        ),
    ],
    ids=lambda value: str(value)[:30],
)
@pytest.mark.parametrize("multiple", [None, False, True])
async def test_the_model_is_told_what_a_selector_takes(  # noqa: PLR0913
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    selector: dict[str, Any],
    value: Any,  # noqa: ANN401 - any data
    told: str,
    *,
    multiple: bool | None,
) -> None:
    data = value
    if multiple is not None:
        fields = {"x": {"selector": selector}}
        selector = {"object": {"fields": fields, "multiple": multiple}}
        data = [{"x": value}] if multiple else {"x": value}
    gateway.script(Reply(json.dumps({"f": data})))
    wanted = {"f": {"required": True, "selector": selector}}
    assert await generate(hass, structure=wanted) == {"f": data}
    [request] = gateway.received("agent")
    assert told in request.params["message"].partition("JSON schema")[2]


@pytest.mark.parametrize(
    ("schema", "wrong", "right"),
    [
        ({str: int}, '{"a": "b"}', '{"a": 1}'),
        ([str], "[1]", '["a"]'),
        ([{vol.Required("a"): int}], '[{"a": "b"}]', 'Here: [{"a": 1}, {"a": 2}]'),
        ({vol.Required("a"): vol.Maybe(str)}, '{"a": 1}', '{"a": null}'),
        ({vol.Optional("a"): vol.Maybe(str)}, '{"a": 1}', '{"a": null}'),
        pytest.param(
            {vol.Optional("a"): object},
            '{"b": 1}',
            '{"a": null}',
            marks=pytest.mark.skipif(
                "voluptuous_openapi" in CONVERTER, reason="any value is an object"
            ),
        ),
    ],
    ids=str,
)
async def test_other_integrations_have_schemas_of_any_kind(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    schema: object,
    wrong: str,
    right: str,
) -> None:
    gateway.script_once(chunks(wrong))
    gateway.script_once(chunks(right))
    result = await async_generate_data(
        hass,
        task_name="test",
        entity_id=TASK,
        instructions="Count.",
        structure=vol.Schema(schema),
    )
    assert result.data == json.loads(right.removeprefix("Here: "))
    assert len(gateway.received("agent")) == 2
