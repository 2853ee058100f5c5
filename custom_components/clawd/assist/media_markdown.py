"""Pictures and files of a reply, and their Markdown."""

from dataclasses import dataclass, field
from pathlib import PurePath
import re
from typing import Final

from yarl import URL

from .media_view import PICTURE_TYPES

# Characters of a file's name that are shown.
MAX_NAME: Final = 80
# Characters of its type, such as .pdf, which a long name keeps.
MAX_TYPE: Final = 10

_MARKS: Final = re.compile(r"([\\`*_\[\]<>&~|])")


@dataclass(frozen=True, slots=True)
class MediaItem:
    """Picture or file of a reply: its address, or why there is none.

    Attributes:
        mime_type: None of a file elsewhere, which was not fetched.
        url: signed path at Home Assistant, or an address elsewhere.
        problem: sentence that says why it cannot be had.

    """

    name: str = field(repr=False)
    mime_type: str | None = None
    url: str | None = field(default=None, repr=False)
    problem: str | None = field(default=None, repr=False)

    @property
    def markdown(self) -> str:
        """Return the picture, the link, or the problem."""
        if self.problem:
            return f"*{plain(self.problem)}*"
        name = plain(self.name)
        if self.mime_type is None:
            # Not as a picture: its host would learn that it was seen, and by whom.
            return f"[{name}](<{self.url}>)"
        if self.mime_type in PICTURE_TYPES:
            return f"![{name}]({self.url})"
        # The frontend would follow a link of Markdown to one of its own pages.
        return f'<a href="{self.url}" target="_blank">{name}</a>'


def find_elsewhere(reference: str) -> MediaItem | None:
    """Return a file elsewhere; None if its URL is broken."""
    try:
        url = URL(reference)
    except ValueError:
        return None
    if not url.host or url.user or url.password:
        return None
    path = url.path.strip("/")
    name = f"{url.host}/{file_name(path)}" if path else url.host
    return MediaItem(name, url=str(url))


def file_name(reference: str) -> str:
    """Return the name in a path."""
    name = re.split(r"[/\\]", reference.rstrip("/\\"))[-1]
    printable = "".join(char if char.isprintable() else " " for char in name)
    return _shorten(printable.strip()) or "?"


def plain(text: str) -> str:
    """Escape a text for Markdown."""
    return _MARKS.sub(r"\\\1", text)


def _shorten(name: str) -> str:
    """Shorten a long name, but not its type."""
    if len(name) <= MAX_NAME:
        return name
    kind = PurePath(name).suffix
    if len(kind) > MAX_TYPE:
        kind = ""
    return f"{name[: MAX_NAME - len(kind) - 1].rstrip()}…{kind}"
