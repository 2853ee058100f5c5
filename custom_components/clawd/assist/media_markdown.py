"""Markdown of pictures, and of links to files."""

import re
from typing import Final

from yarl import URL

# Characters of a file's name that are shown.
MAX_NAME: Final = 80

_MARKS: Final = re.compile(r"([\\`*_\[\]<>&~|])")


def picture(name: str, path: str) -> str:
    """Return a picture by its path."""
    return f"![{plain(name)}]({path})"


def link(name: str, path: str) -> str:
    """Return a link to a file of Home Assistant."""
    # The frontend would follow a link of Markdown to one of its own pages.
    return f'<a href="{path}" target="_blank">{plain(name)}</a>'


def external_link(reference: str) -> str | None:
    """Return a link to a file elsewhere; None if the URL is broken.

    It is not shown as a picture: its host would learn that it was seen, and by whom.
    """
    try:
        url = URL(reference)
    except ValueError:
        return None
    if not url.host or url.user or url.password:
        return None
    return f"[{plain(f'{url.host}/{file_name(url.path)}')}](<{url}>)"


def file_name(reference: str) -> str:
    """Return the name of a file, from a path of any system."""
    name = re.split(r"[/\\]", reference.rstrip("/\\"))[-1]
    printable = "".join(char if char.isprintable() else " " for char in name)
    return printable.strip()[:MAX_NAME] or "?"


def plain(text: str) -> str:
    """Return a text that Markdown takes literally."""
    return _MARKS.sub(r"\\\1", text)
