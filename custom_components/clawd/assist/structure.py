"""Structured data in replies."""

from typing import TYPE_CHECKING, Final

from homeassistant.const import CONF_DESCRIPTION, CONF_SELECTOR
from homeassistant.helpers import config_validation as cv, selector
from homeassistant.helpers.json import json_dumps
import voluptuous as vol

from .json_reply import find_json
from .selector_schema import json_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homeassistant.util.json import JsonValueType

    from .selector_schema import JsonSchema

# Characters of a reply to parse.
MAX_REPLY: Final = 1_000_000
# Characters of a wrong reply to show to the model.
MAX_SHOWN: Final = 20_000

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
    """Validate and return a structure.

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
    """Reply does not match the structure.

    The text is for the model.

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
    """Structure of data."""

    def __init__(self, schema: vol.Schema) -> None:
        """Convert the schema."""
        self._validate = schema
        self._schema = json_schema(schema)

    @property
    def request(self) -> str:
        """Return the instructions for the model."""
        return (
            "Reply with one JSON value that matches the following JSON schema, and "
            f"with nothing else:\n{json_dumps(self._schema)}"
        )

    def repair_request(self, reply: str, error: StructureError) -> str:
        """Return the request to repair a reply."""
        return (
            f"Your last reply was:\n{reply[:MAX_SHOWN]}\n\n"
            f"It cannot be used: {error}. {self.request}"
        )

    def read(self, reply: str) -> JsonValueType:
        """Return the data in a reply.

        Raises:
            StructureError: there is none, or it differs from the structure.

        """
        try:
            values = find_json(reply)
        except ValueError as err:
            raise StructureError(f"it is no JSON ({err})", is_json=False) from err
        valid: list[JsonValueType] = []
        wrong: StructureError | None = None
        for value in values:
            try:
                self._check(value)
            except StructureError as err:
                wrong = err
            else:
                valid.append(value)
        if not valid and wrong:
            raise wrong
        # A draft, an example or a correction: only the model knows.
        if any(value != valid[0] for value in valid):
            raise StructureError("it holds several values")
        return valid[0]

    def _check(self, data: JsonValueType) -> None:
        """Normalize data, and check them against the structure.

        Raises:
            StructureError: the data differ from it.

        """
        # Before the selectors, which take "false" for true.
        _normalize(data, self._schema, "")
        try:
            self._validate(data)
        except vol.Invalid as err:
            # Only known names: those of additional fields are content of the model.
            properties = self._schema.get("properties", {})
            known = err.path and str(err.path[0]) in properties
            path = ".".join(map(str, err.path)) if known else ""
            raise StructureError(str(err), path=path) from err
        except Exception as err:
            # Selectors do not expect all that a model writes: a duration of 1e12 days.
            text = f"a value is not valid ({type(err).__name__})"
            raise StructureError(text) from err


def _normalize(data: object, schema: JsonSchema, path: str) -> None:
    """Remove optional fields that are null, and check the JSON types.

    Many models fill in each field.
    """
    if data is None and schema.get("nullable"):
        return
    name = schema.get("type")
    types = _TYPES.get(name, ()) if isinstance(name, str) else ()
    wrong_bool = isinstance(data, bool) and bool not in types
    if types and (wrong_bool or not isinstance(data, types)):
        where = f" at {path}" if path else ""
        raise StructureError(f"expected {name}{where}", path=path)
    match data, schema:
        case dict(), {"properties": dict(properties)}:
            optional = properties.keys() - set(schema.get("required", ()))
            for key in data.keys() & properties.keys():
                inner = properties[key]
                needed = "type" not in inner or inner.get("nullable")
                if data[key] is None and key in optional and not needed:
                    del data[key]
                else:
                    _normalize(data[key], inner, f"{path}.{key}".lstrip("."))
        case list(), {"items": dict(items)}:
            for number, item in enumerate(data):
                _normalize(item, items, f"{path}[{number}]")
