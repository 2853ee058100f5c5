"""Data of a given structure in the reply of a model."""

from importlib import import_module
import re
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import (
    CONF_DESCRIPTION,
    CONF_SELECTOR,
    MAJOR_VERSION,
    MINOR_VERSION,
)
from homeassistant.helpers import config_validation as cv, llm, selector
from homeassistant.helpers.json import json_dumps
from homeassistant.util.json import json_loads
import voluptuous as vol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homeassistant.util.json import JsonValueType

    type JsonSchema = Mapping[str, Any]

# The converter of the version; the second is of the versions without the first.
CONVERTER: Final = (
    ("probatio", "to_openapi")
    if (MAJOR_VERSION, MINOR_VERSION) >= (2026, 10)
    else ("voluptuous_openapi", "convert")
)
# Characters of a reply that is read.
MAX_REPLY: Final = 1_000_000
# Characters of a wrong reply that the model is shown.
MAX_SHOWN: Final = 20_000

# Each space is read in one way only: many of them behind a fence cost little.
_FENCE: Final = re.compile(r"```[ \t]*(?:(?i:json)[c5]?[ \t]*)?\n(.*?)```", re.DOTALL)
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


_FIELD: Final = vol.Schema(
    {
        vol.Optional(CONF_DESCRIPTION): cv.string,
        vol.Optional("required", default=False): cv.boolean,
        vol.Required(CONF_SELECTOR): selector.validate_selector,
    }
)


def structure_schema(value: object) -> vol.Schema:
    """Return the schema of a structure, as in `ai_task.generate_data`.

    Raises:
        vol.Invalid: it is none.

    """
    fields: dict[vol.Marker, object] = {}
    for name, given in vol.Schema({cv.string: _FIELD})(value).items():
        marker = vol.Required if given["required"] else vol.Optional
        key = marker(name, description=given.get(CONF_DESCRIPTION))
        fields[key] = selector.selector(given[CONF_SELECTOR])
    return vol.Schema(fields)


class StructureError(Exception):
    """Reply without data of the structure; its text is for the model.

    Attributes:
        is_json: whether there was data at all.
        path: where it differs from the structure.

    """

    def __init__(self, text: str, *, is_json: bool = True, path: str = "") -> None:
        """Initialize the error."""
        super().__init__(text)
        self.is_json = is_json
        self.path = path


class Structure:
    """Structure that data must have, by a schema of Home Assistant."""

    def __init__(self, schema: vol.Schema) -> None:
        """Convert the schema."""
        module, function = CONVERTER
        convert = getattr(import_module(module), function)
        self._validate = schema
        self._schema: JsonSchema = convert(
            schema, custom_serializer=llm.selector_serializer
        )

    @property
    def request(self) -> str:
        """Return what the model is told."""
        return (
            "Reply with one JSON value that matches the following JSON schema, and "
            f"with nothing else:\n{json_dumps(self._schema)}"
        )

    def repair_request(self, reply: str, error: StructureError) -> str:
        """Return what the model is told of a wrong reply."""
        return (
            f"Your last reply was:\n{reply[:MAX_SHOWN]}\n\n"
            f"It cannot be used: {error}. {self.request}"
        )

    def read(self, reply: str) -> JsonValueType:
        """Return the data in a reply.

        Raises:
            StructureError: there is none, or it differs from the structure.

        """
        data = _find_json(reply)
        # Before the selectors, which take "false" for true.
        _check_types(data, self._schema, "")
        try:
            self._validate(data)
        except vol.Invalid as err:
            # A field that nobody asked for is the model's word.
            known = str(err.path[0]) in self._schema["properties"] if err.path else 0
            path = ".".join(map(str, err.path)) if known else ""
            raise StructureError(str(err), path=path) from err
        except Exception as err:
            # Selectors do not expect all that a model writes: a duration of 1e12 days.
            text = f"a value is not valid ({type(err).__name__})"
            raise StructureError(text) from err
        return data


def _find_json(reply: str) -> JsonValueType:
    text = reply.strip()
    if fenced := _FENCE.search(text):
        text = fenced[1]
    elif not text.startswith(("{", "[", '"')) and "{" in text:
        # "Here it is: {…} Anything else?"
        text = text[text.index("{") : text.rfind("}") + 1 or None]
    try:
        return json_loads(text)
    except ValueError as err:
        raise StructureError(f"it is no JSON ({err})", is_json=False) from err


def _check_types(data: object, schema: JsonSchema, path: str) -> None:
    """Raise if a value has another JSON type than its schema says."""
    name = schema.get("type")
    types = _TYPES.get(name, ()) if isinstance(name, str) else ()
    wrong_bool = isinstance(data, bool) and bool not in types
    if types and (wrong_bool or not isinstance(data, types)):
        where = f" at {path}" if path else ""
        raise StructureError(f"expected {name}{where}", path=path)
    match data, schema:
        case dict(), {"properties": dict(properties)}:
            for key in data.keys() & properties.keys():
                _check_types(data[key], properties[key], f"{path}.{key}".lstrip("."))
        case list(), {"items": dict(items)}:
            for number, item in enumerate(data):
                _check_types(item, items, f"{path}[{number}]")
