"""Error messages of model providers."""

import re
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from ..models import Json

MAX_LENGTH: Final = 300

# {"is_error": true, "result": "…"}; {"error": {"message": "…"}}; {"detail": "…"}
_KEYS: Final = ("result", "error", "message", "detail", "error_description", "summary")
_PREFIX: Final = re.compile(r"\W*(?:error\b\W*)*", re.IGNORECASE)


def provider_message(text: str) -> str:
    """Return the readable sentence of an error.

    Empty if there is none.
    """
    before, brace, _ = text.partition("{")
    sentence = _sentence_of(text) if brace else text
    words = " ".join((sentence or before).split())
    words = words[_prefix_length(words) :]
    return words if len(words) <= MAX_LENGTH else f"{words[: MAX_LENGTH - 1]}…"


def _prefix_length(words: str) -> int:
    match = _PREFIX.match(words)
    return match.end() if match else 0


def _sentence_of(text: str) -> str:
    """Return the message of an embedded JSON object."""
    try:
        value = orjson.loads(text[text.index("{") : text.rindex("}") + 1])
    except ValueError:
        return ""
    return _message_in(value)


def _message_in(value: Json) -> str:
    match value:
        case str():
            return _sentence_of(value) or value if "{" in value else value
        case dict():
            found = (_message_in(value[key]) for key in _KEYS if key in value)
            return next(filter(None, found), "")
    return ""
