"""Single-line texts."""

import json
from typing import Final
import unicodedata

from homeassistant.helpers.json import json_dumps

# Categories of characters that end a line, or are not seen: controls, formats such as
# the marks of direction, halves of pairs, separators of lines and paragraphs.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def one_line(text: str, limit: int) -> str:
    """Limit a text to one clean line."""
    # Cut first: a text may be of any length.
    seen = "".join(
        " " if unicodedata.category(character) in _UNSEEN else character
        for character in text[: limit * 4]
    )
    line = " ".join(seen.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def is_one_line(text: str) -> bool:
    """Return whether a text is one line.

    Without control characters.
    """
    return all(unicodedata.category(character) not in _UNSEEN for character in text)


def plain(text: str) -> str:
    """Remove unseen characters, but keep the lines."""
    return "\n".join(
        line if is_one_line(line) else one_line(line, len(line))
        for line in text.split("\n")
    )


def canonical(value: object) -> str:
    """Return a value as canonical JSON."""
    return json.dumps(json.loads(json_dumps(value)), sort_keys=True)
