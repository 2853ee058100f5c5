"""Texts of entities, issues, options and system health."""

import ast
from collections.abc import Iterator

import pytest

from .sources import COMPONENT, parse, read_json

ENGLISH = read_json(COMPONENT / "translations" / "en.json")
ICONS = read_json(COMPONENT / "icons.json")
# Flows that try again; `home_refused` and `home_offered` cannot fail.
FIX_FLOWS = [
    key
    for key, texts in ENGLISH["issues"].items()
    if "error" in texts.get("fix_flow", {})
]
ENTITIES = [
    (platform, key) for platform, keys in ENGLISH["entity"].items() for key in keys
]


def _values(module: str, name: str) -> set[str]:
    """Return the strings in a definition of a module."""
    [definition] = (node for node in parse(COMPONENT / module).body if _is(node, name))
    return {
        node.value
        for node in ast.walk(definition)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.isidentifier()
    }


def _is(node: ast.stmt, name: str) -> bool:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return node.name == name
        case ast.AnnAssign(target=ast.Name(id=target)):
            return target == name
        case _:
            return False


def _keys_of(module: str) -> Iterator[str]:
    """Return the translation keys of a platform's entities."""
    for node in ast.walk(parse(COMPONENT / module)):
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base) for base in node.bases}
            if "SelfTestEntity" in bases:
                yield "self_test"
            for part in node.body:
                match part:
                    case ast.Assign([ast.Name("_attr_translation_key")], value):
                        yield str(ast.literal_eval(value))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            "Description"
        ):
            arguments = {keyword.arg: keyword.value for keyword in node.keywords}
            if key := arguments.get("translation_key"):
                yield str(ast.literal_eval(key))


@pytest.mark.parametrize(("platform", "key"), ENTITIES)
def test_an_entity_with_texts_has_a_name_and_is_there(platform: str, key: str) -> None:
    assert ENGLISH["entity"][platform][key]["name"]
    assert key in _keys_of(f"{platform}.py")


@pytest.mark.parametrize("platform", ENGLISH["entity"])
def test_every_entity_has_its_texts(platform: str) -> None:
    assert set(_keys_of(f"{platform}.py")) == set(ENGLISH["entity"][platform])


def test_every_icon_belongs_to_an_entity_or_an_action() -> None:
    icons = {
        (platform, key)
        for platform in ICONS["entity"]
        for key in ICONS["entity"][platform]
    }
    assert icons <= set(ENTITIES)
    assert set(ICONS["services"]) == set(ENGLISH["services"])


def test_every_status_has_its_text() -> None:
    statuses = _values("reports.py", "Status")
    sensor = ENGLISH["entity"]["sensor"]["self_test"]
    event = ENGLISH["entity"]["event"]["self_test"]["state_attributes"]

    assert set(sensor["state"]) == statuses
    for verdict in ("liveness", "readiness"):
        assert set(sensor["state_attributes"][verdict]["state"]) == statuses
    assert set(event["event_type"]["state"]) == _values("event.py", "EVENT_TYPES")
    assert statuses <= set(sensor["state_attributes"]) & set(event)


def test_every_event_of_an_agent_has_its_text() -> None:
    shown = ENGLISH["entity"]["event"]["activity"]["state_attributes"]
    types = _values("device_automation/events.py", "AgentEvent")
    assert set(shown["event_type"]["state"]) == types
    assert types <= set(ENGLISH["device_automation"]["trigger_type"])


def test_every_state_of_the_connection_has_its_text() -> None:
    sensor = ENGLISH["entity"]["sensor"]["connection_state"]
    assert set(sensor["state"]) == _values("gateway/state.py", "ConnectionState")


def test_every_attribute_of_the_sensor_has_a_name() -> None:
    shown = ENGLISH["entity"]["sensor"]["self_test"]["state_attributes"]
    assert _values("sensor.py", "SUMMARY_KEYS") <= set(shown)
    assert all(texts["name"] for texts in shown.values())


def test_every_issue_has_its_texts_and_no_text_is_left_over() -> None:
    assert set(ENGLISH["issues"]) == _values("issues/registry.py", "Issue")


@pytest.mark.parametrize("issue", ENGLISH["issues"])
def test_an_issue_has_a_description_or_a_fix_flow(issue: str) -> None:
    texts = ENGLISH["issues"][issue]
    assert texts["title"]
    assert ("description" in texts) is not ("fix_flow" in texts)
    for step in texts.get("fix_flow", {}).get("step", {}).values():
        assert step["title"]
        assert step["description"]


@pytest.mark.parametrize("issue", FIX_FLOWS)
def test_every_result_of_a_fix_flow_is_translated_and_none_is_left_over(
    issue: str,
) -> None:
    flow = ENGLISH["issues"][issue]["fix_flow"]
    callbacks = {
        "self_test_failed": "_async_self_test",
        "store_not_written": "_async_write_stores",
    }
    other = _values("repairs.py", callbacks.get(issue, "_async_reload"))
    if issue in {"node_not_approved", "node_link_required"}:
        other |= _values("flows/node_setup.py", "LINK_ERRORS") | {"node_link_refused"}

    assert {*flow["error"], *flow.get("abort", {})} == {"not_fixed", *other}


def test_every_option_and_choice_is_described() -> None:
    form = ENGLISH["options"]["step"]["init"]
    choices = ENGLISH["selector"]["self_test_schedule"]["options"]

    assert set(form["data"]) == set(form["data_description"])
    assert set(choices) == _values("reports.py", "Schedule")


def test_every_line_of_the_system_health_has_a_label() -> None:
    functions = ("_entry_info", "_connection_info")
    figures = {key for name in functions for key in _values("system_health.py", name)}
    assert set(ENGLISH["system_health"]["info"]) == figures
