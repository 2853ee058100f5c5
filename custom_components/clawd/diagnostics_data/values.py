"""Values that every reader of the diagnostics takes."""

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Final

from ..util.glossary import meaning

if TYPE_CHECKING:
    from homeassistant.util.json import JsonValueType

    from ..gateway import AddressInfo, GatewayError

# Names from the Gateway may be of any length.
MAX_NAME_LENGTH: Final = 64
MAX_NAMES: Final = 32
# Levels of what is shown; data that were edited by hand may be nested deeply.
MAX_DEPTH: Final = 12


def to_json(value: object, depth: int = 0) -> JsonValueType:
    """Convert a value to plain JSON."""
    match value:
        case Mapping() | list() | tuple() if depth > MAX_DEPTH:
            return type_name(value)
        case Mapping():
            return {
                _well_formed(str(key)): to_json(inner, depth + 1)
                for key, inner in value.items()
            }
        case list() | tuple():
            return [to_json(inner, depth + 1) for inner in value]
        case str():
            return _well_formed(value)
        case float() if not isfinite(value):
            value = str(value)
        case None | bool() | int() | float():
            pass
        case _:
            value = type_name(value)
    return value


def _well_formed(text: str) -> str:
    """Replace lone surrogates."""
    return text.encode(errors="replace").decode()


def describe_address(info: AddressInfo) -> object:
    """Return family and class of an address."""
    return {"family": info.family, "class": info.address_class}


def describe_error(err: GatewayError | None) -> object:
    """Return type and code of an error."""
    if err is None:
        return None
    return {
        "type": type(err).__name__,
        "code": shorten(err.code),
        "meaning": meaning(err.code),
    }


def type_name(value: object) -> str:
    """Return the type of a value, in its place."""
    return f"({type(value).__name__})"


def shorten(name: str) -> str:
    """Return a name in bounded length."""
    return name[:MAX_NAME_LENGTH]


def limit(value: object) -> JsonValueType:
    """Limit a value of a hello."""
    if isinstance(value, list):
        return [limit(entry) for entry in value[:MAX_NAMES]]
    return shorten(value) if isinstance(value, str) else to_json(value)
