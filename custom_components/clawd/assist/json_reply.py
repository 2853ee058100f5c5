"""JSON in the reply of a model: alone, in a fence, or between words."""

from itertools import islice
import re
from typing import TYPE_CHECKING, Final

from homeassistant.util.json import json_loads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from homeassistant.util.json import JsonValueType

# Objects and lists of a reply that are read; more are no answer.
MAX_VALUES: Final = 20
# A byte order mark and what else some models write, which no parser takes for a space.
INVISIBLE: Final = "\ufeff\u200b\u2060"

# Each character is read once, also in a string that does not end.
_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[{}\[\]]', re.DOTALL)
_START: Final = re.compile(r"[{\[]")


def strip(reply: str) -> str:
    """Return a reply without invisible text around it."""
    return reply.strip().strip(INVISIBLE).strip()


def is_json(reply: str) -> bool:
    """Return whether a reply is an object of JSON, and nothing else."""
    text = strip(reply)
    if not text.startswith("{"):
        return False
    try:
        json_loads(text)
    except ValueError:
        return False
    return True


def find_json(reply: str) -> list[JsonValueType]:
    """Return the objects and lists of a reply, without those within others.

    The whole reply is one if it is JSON.

    Raises:
        ValueError: there is none.

    """
    try:
        return [json_loads(strip(reply))]
    except ValueError as err:
        error = err
    values: list[JsonValueType] = []
    for text in islice(_bracketed(reply), MAX_VALUES):
        try:
            values.append(json_loads(text))
        except ValueError as err:
            error = err
    if not values:
        raise error
    return values


def _bracketed(text: str) -> Iterator[str]:
    """Yield the texts in brackets; one without an end reaches to that of the reply."""
    start = _START.search(text)
    while start:
        depth, end = 0, len(text)
        for token in _TOKEN.finditer(text, start.start()):
            depth += (token[0] in "{[") - (token[0] in "}]")
            if not depth:
                end = token.end()
                break
        yield text[start.start() : end]
        start = _START.search(text, end)
