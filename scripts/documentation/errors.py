"""Tables of errors and remedies."""

from collections.abc import Iterator, Mapping
from pathlib import Path
import re
from typing import Final

from homeassistant.util.yaml import load_yaml_dict

from scripts.translations import Texts

from .blocks import Blocks, DocumentationError, table

COLUMNS: Final = ("text", "what to do")
REMEDIES: Final = Path(__file__).with_name("remedies.yaml")

# Patterns of the translation keys, in the order of the rows.
TABLES: Final = {
    "setup": (r"(config|options)\.error\.\w+", r"(config|options)\.abort\.\w+"),
    "agent": (
        r"config_subentries\.\w+\.error\.\w+",
        r"config_subentries\.\w+\.abort\.\w+",
    ),
    "suspects": (r"exceptions\.suspect_\w+\.message",),
    "actions": (r"exceptions\.(?!check_|suspect_)\w+\.message",),
    "repairs": (r"issues\.\w+\.title",),
}

_PLACEHOLDER: Final = re.compile(r"\{\w+\}")
_SENTENCE_END: Final = re.compile(r"(?<=\.) ")


def troubleshooting_page(texts: Texts) -> Blocks:
    """Return the blocks of docs/troubleshooting.md."""
    remedies = {str(k): str(v) for k, v in load_yaml_dict(str(REMEDIES)).items()}
    return error_tables(texts, remedies)


def error_tables(texts: Texts, remedies: Mapping[str, str]) -> Blocks:
    """Return the tables.

    The remedy of a text is that of its key or, without one, the text after its
    first sentence.

    Raises:
        DocumentationError: a text has no remedy, or a remedy no text.

    """
    keys = {name: list(_keys(texts, name)) for name in TABLES}
    known = [key for group in keys.values() for key in group]
    sentences = {key: _split(texts[key]) for key in known}
    rows = {
        key: (text, remedies.get(key, rest)) for key, (text, rest) in sentences.items()
    }
    problems = [
        f"{key} has no remedy" for key, (_, remedy) in rows.items() if not remedy
    ]
    problems += [f"{key} is no error text" for key in remedies if key not in rows]
    if problems:
        raise DocumentationError(f"{REMEDIES.name}: {'; '.join(problems)}")
    # Forms of several kinds share texts.
    return {
        name: table(COLUMNS, dict.fromkeys(rows[key] for key in group))
        for name, group in keys.items()
    }


def _keys(texts: Texts, name: str) -> Iterator[str]:
    """Yield the translation keys of a table."""
    for pattern in TABLES[name]:
        yield from (
            key
            for key in texts
            if re.fullmatch(pattern, key) and not key.endswith("_successful")
        )


def _split(text: str) -> tuple[str, str]:
    """Return the first sentence of a text, and the rest."""
    first, *rest = _SENTENCE_END.split(_PLACEHOLDER.sub("…", text), maxsplit=1)
    return first, " ".join(rest)
