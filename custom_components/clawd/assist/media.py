"""Pictures and files of a reply, as Markdown for a chat."""

import asyncio
from datetime import timedelta
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from homeassistant.components.http.auth import async_sign_path
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.translation import async_get_translations
from yarl import URL

from ..const import DOMAIN, LOGGER
from ..gateway import MIN_PROTOCOL, GatewayError, MediaError
from .media_cache import MAX_FILE_SIZE, MEDIA_CACHE
from .media_view import PICTURE_TYPES, media_path

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from .media_cache import CachedMedia

# As long as Home Assistant signs the path of a picture that an AI task has made.
LINK_EXPIRATION: Final = timedelta(hours=1)
# Seconds for everything of one reply, which ends with them.
MEDIA_TIMEOUT: Final = 20.0
# Characters of a file's name that are shown.
MAX_NAME: Final = 80

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# Of the Gateway itself: media://inbound/… is a file that was sent to the agent.
_GATEWAY_SCHEMES: Final = ("file:", "media:")
_MARKS: Final = re.compile(r"([\\`*_\[\]<>&~|])")


class Asker(NamedTuple):
    """User who asked, if any, and the language of the conversation."""

    user_id: str | None
    language: str


async def async_show_media(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    session_key: str,
    asker: Asker,
    references: tuple[str, ...],
) -> str:
    """Return the media of a reply as Markdown: pictures, links, or why not.

    They are fetched now: the session of the reply may be gone later, and nobody could
    be told then why a picture is missing.
    """
    deadline = hass.loop.time() + MEDIA_TIMEOUT
    shown = []
    for reference in references:
        try:
            async with asyncio.timeout_at(deadline):
                text = await _async_show(hass, entry, session_key, reference, asker)
        except TimeoutError:
            text = await _async_explain(hass, reference, "unreachable", asker)
            _count(hass, entry, "timeout")
        shown.append(text)
    return "\n\n".join(shown)


async def _async_show(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    session_key: str,
    reference: str,
    asker: Asker,
) -> str:
    if scheme := _SCHEME.match(reference):
        if scheme[0].lower() == "https:" and (link := _external_link(reference)):
            _count(hass, entry, "link")
            return link
        if scheme[0].lower() not in _GATEWAY_SCHEMES:
            _count(hass, entry, "unsupported")
            return await _async_explain(hass, reference, "unsupported", asker)
    try:
        media = await _async_fetch(hass, entry, session_key, reference, asker.user_id)
    except MediaNotShownError as err:
        LOGGER.debug("Media of a reply not shown: %s", err.reason)
        _count(hass, entry, err.reason)
        return await _async_explain(hass, reference, err.reason, asker)
    _count(hass, entry, "ok")
    path = async_sign_path(hass, media_path(media), LINK_EXPIRATION)
    if media.mime_type in PICTURE_TYPES:
        return f"![{_plain(media.name)}]({path})"
    # The frontend would follow a link of Markdown to one of its own pages.
    return f'<a href="{path}" target="_blank">{_plain(media.name)}</a>'


class MediaNotShownError(Exception):
    """Media cannot be shown; `reason` is the end of the translation key."""

    def __init__(self, reason: str) -> None:
        """Initialize the error."""
        super().__init__(reason)
        self.reason = reason


async def _async_fetch(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    session_key: str,
    reference: str,
    user_id: str | None,
) -> CachedMedia:
    """Download media into the cache.

    Raises:
        MediaNotShownError: that is not possible.

    """
    client, session = entry.runtime_data.client, async_get_clientsession(hass)
    if client.hello and client.hello.protocol == MIN_PROTOCOL:
        raise MediaNotShownError("needs_openclaw")
    try:
        media = await client.media.fetch(session, reference, session_key, MAX_FILE_SIZE)
    except MediaError as err:
        raise MediaNotShownError(err.problem.value) from None
    except GatewayError:
        raise MediaNotShownError("unreachable") from None
    try:
        cache = hass.data[MEDIA_CACHE]
        return await cache.async_add(entry.entry_id, user_id, _name(reference), media)
    except OSError:
        raise MediaNotShownError("not_kept") from None


def _external_link(reference: str) -> str | None:
    """Return a link to a file elsewhere; None if the URL is broken.

    It is not shown as a picture: its host would learn that it was seen, and by whom.
    """
    try:
        url = URL(reference)
    except ValueError:
        return None
    if not url.host or url.user or url.password:
        return None
    return f"[{_plain(f'{url.host}/{_name(url.path)}')}](<{url}>)"


async def _async_explain(
    hass: HomeAssistant, reference: str, reason: str, asker: Asker
) -> str:
    """Return why media are not shown."""
    texts = await async_get_translations(
        hass, asker.language.partition("-")[0], "exceptions", {DOMAIN}
    )
    text = texts[f"component.{DOMAIN}.exceptions.media_{reason}.message"]
    limit = MAX_FILE_SIZE // 2**20
    return f"*{text.format(name=_plain(_name(reference)), limit=limit)}*"


def _name(reference: str) -> str:
    """Return the name of a file, from a path of any system."""
    name = re.split(r"[/\\]", reference.rstrip("/\\"))[-1]
    printable = "".join(char if char.isprintable() else " " for char in name)
    return printable.strip()[:MAX_NAME] or "?"


def _plain(text: str) -> str:
    """Return a text that Markdown takes literally."""
    return _MARKS.sub(r"\\\1", text)


def _count(hass: HomeAssistant, entry: ClawdConfigEntry, outcome: str) -> None:
    hass.data[MEDIA_CACHE].outcomes[entry.entry_id][outcome] += 1
