"""JSON schemas of selectors, as a model is shown them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import MAJOR_VERSION, MINOR_VERSION
from homeassistant.helpers import llm, selector

if TYPE_CHECKING:
    from collections.abc import Mapping

    type JsonSchema = Mapping[str, Any]

# The converter of the version; the second is of the versions without the first.
CONVERTER: Final = (
    ("probatio", "to_openapi")
    if (MAJOR_VERSION, MINOR_VERSION) >= (2026, 10)
    else ("voluptuous_openapi", "convert")
)


def json_schema(schema: object) -> JsonSchema:
    """Return the JSON schema of a schema of Home Assistant."""
    module, function = CONVERTER
    convert = getattr(import_module(module), function)
    converted: JsonSchema = convert(schema, custom_serializer=_serialize)
    return converted


def _serialize(schema: Any) -> Any:  # noqa: ANN401 - any validator, or a mark
    """Return the JSON schema of a selector.

    Home Assistant takes those that it does not know for texts, which they refuse.
    """
    kind = getattr(schema, "selector_type", None)
    if kind in {"action", "trigger"}:
        return {"type": "array", "items": {"type": "object"}}
    if kind == "numeric_threshold":
        return {"type": "object", "additionalProperties": True}
    if kind == "choose":
        choices = schema.config["choices"].values()
        return {"anyOf": [_of_field(choice) for choice in choices]}
    converted = llm.selector_serializer(schema)
    if kind == "object" and (fields := schema.config.get("fields")):
        return _with_fields(converted, fields)
    if kind == "select" and schema.config.get("custom_value"):
        return _with_own_values(converted)
    return converted


def _with_fields(schema: dict[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of an object with the fields as above."""
    inner = schema.get("items", schema)
    inner["properties"] = {name: _of_field(field) for name, field in fields.items()}
    return schema


def _of_field(field: Mapping[str, Any]) -> JsonSchema:
    return json_schema(selector.selector(field["selector"]))


def _with_own_values(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of options of which others are valid, too."""
    inner = schema.get("items", schema)
    inner["examples"] = inner.pop("enum")
    return schema
