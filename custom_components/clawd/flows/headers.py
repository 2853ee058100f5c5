"""Additional headers in forms.

One a line: `Name: value`.
"""

from typing import TYPE_CHECKING, Final

from homeassistant.helpers.selector import TextSelector, TextSelectorConfig
import voluptuous as vol

from ..const import CONF_HEADERS
from ..gateway import MAX_HEADERS, is_header, is_reserved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Shown for a stored value, and kept if it is submitted again.
HIDDEN: Final = "********"
HEADERS_FIELD: Final = {
    vol.Optional(CONF_HEADERS): TextSelector(TextSelectorConfig(multiple=True))
}
HEADERS_SCHEMA: Final = vol.Schema(HEADERS_FIELD)


class InvalidHeaderError(ValueError):
    """Invalid header in a form.

    Attributes:
        key: of its text.
        line: from 1.

    """

    def __init__(self, key: str, line: int) -> None:
        """Initialize the error."""
        super().__init__(key)
        self.key = key
        self.line = line


def shown_headers(headers: Mapping[str, str]) -> dict[str, list[str]]:
    """Return stored headers with values hidden."""
    lines = [f"{name}: {HIDDEN}" for name in headers]
    return {CONF_HEADERS: lines} if lines else {}


def read_headers(lines: Sequence[str], stored: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of submitted lines.

    Raises:
        InvalidHeaderError: a line is no header, or none that may be sent.

    """
    values = {name.lower(): value for name, value in stored.items()}
    headers: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name, _, value = (part.strip(" \t") for part in line.partition(":"))
        if value == HIDDEN:
            value = values.get(name.lower(), "")
        if is_reserved(name):
            raise InvalidHeaderError("reserved_header", number)
        if not is_header(name, value) or number > MAX_HEADERS:
            raise InvalidHeaderError("invalid_header", number)
        if name.lower() in {known.lower() for known in headers}:
            raise InvalidHeaderError("duplicate_header", number)
        headers[name] = value
    return headers
