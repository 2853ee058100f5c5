"""Parsing of pasted secrets."""

import re
from typing import Final
import unicodedata
from urllib.parse import unquote

# Formats (zero-width spaces, byte order marks) cannot be seen and are not meant.
INVISIBLE: Final = "Cf"
# Controls, line breaks, and unassigned code points.
CONTROL: Final = frozenset({"Cc", "Zl", "Zp", "Cs", "Cn"})
QUOTES: Final = ('""', "''", "``", "“”", "„“", "„”", "\u2018\u2019", "«»")

# http://gateway/#token=…, or only its end.
_TOKEN: Final = re.compile(r"[#?&]token=([^&#\s]*)")
# "token": "…", as a line of the Gateway's configuration.
_SETTING: Final = re.compile(
    r"""["']?(?:token|password)["']?\s*[:=]\s*(["'])(.*)\1,?"""
)
_PLACEHOLDER: Final = re.compile(
    # Placeholders of programs for hidden or missing secrets, and of guides and
    # configurations.
    r"undefined|null|none|nil|nan|\[object object\]|[*•●]+|<[^<>]*>|\$\{[^{}]*\}"
    r"|\[?(?:\*\*)?redacted(?:\*\*)?\]?|\S*_REDACTED_\S*",
    re.IGNORECASE,
)


class InvalidSecretError(ValueError):
    """Text is not a token or password."""


def clean(text: str) -> str:
    """Strip invisible characters, blanks and quotes."""
    text = _visible(text).strip()
    while len(text) > 1 and text[0] + text[-1] in QUOTES:
        text = text[1:-1].strip()
    return text


def read_secret(text: str) -> str:
    """Return the secret in a pasted text.

    Empty if there is none.

    Raises:
        InvalidSecretError: the text is a placeholder, or more than one line.

    """
    visible = _visible(text).strip()
    if found := _SETTING.fullmatch(visible):
        secret = clean(found[2])
    elif (token := _token_of_link(secret := clean(text))) is not None:
        secret = clean(unquote(token))
    # Quotes with nothing between them are no empty field.
    if not secret and visible:
        raise InvalidSecretError
    if _PLACEHOLDER.fullmatch(secret) or not CONTROL.isdisjoint(
        map(unicodedata.category, secret)
    ):
        raise InvalidSecretError
    return secret


def _token_of_link(text: str) -> str | None:
    tokens = [*_TOKEN.finditer(text)]
    if not tokens or len(text.split()) > 1:
        return None
    _, _, behind_scheme = text[: tokens[-1].start() + 1].partition("://")
    starts = text[0] in "#?" or not {*behind_scheme}.isdisjoint("#?")
    return tokens[-1][1] if starts else None


def _visible(text: str) -> str:
    return "".join(c for c in text if unicodedata.category(c) != INVISIBLE)
