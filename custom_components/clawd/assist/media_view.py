"""HTTP view for media."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from aiohttp import hdrs, web
from homeassistant.components.http import KEY_AUTHENTICATED, KEY_HASS, HomeAssistantView
from homeassistant.components.http.const import KEY_HASS_USER

from ..const import DOMAIN
from ..sentences import async_get_text
from .media_cache import MEDIA_CACHE

if TYPE_CHECKING:
    from homeassistant.auth.models import User
    from homeassistant.core import HomeAssistant

    from .media_cache import CachedMedia

URL_PREFIX: Final = f"/api/{DOMAIN}/media/"
# Pictures that hold no scripts, unlike SVG.
PICTURE_TYPES: Final = {
    # Some image models name a JPEG `jpg`.
    f"image/{kind}"
    for kind in ("avif", "bmp", "gif", "jpeg", "jpg", "png", "webp")
}
# Types for a browser to show or play instead of downloading.
SHOWN_TYPES: Final = {
    *PICTURE_TYPES,
    *(f"audio/{kind}" for kind in ("aac", "flac", "mp4", "mpeg", "ogg", "wav", "webm")),
    *(f"video/{kind}" for kind in ("mp4", "ogg", "webm")),
}
# Known types of downloads; others are sent as binary.
SAVED_TYPES: Final = {
    *(f"application/{kind}" for kind in ("json", "pdf", "zip")),
    *(f"text/{kind}" for kind in ("csv", "markdown", "plain")),
}
BINARY: Final = "application/octet-stream"
# Files of agents never run in Home Assistant's origin.
HEADERS: Final = {
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; "
        "style-src 'unsafe-inline'"
    ),
    "X-Content-Type-Options": "nosniff",
    hdrs.CACHE_CONTROL: "private, max-age=3600",
}


def media_path(media: CachedMedia) -> str:
    """Return the path of media before signing."""
    return f"{URL_PREFIX}{media.id}"


class MediaView(HomeAssistantView):
    """View for media of agents.

    For the asking user and administrators.
    """

    url = f"{URL_PREFIX}{{media_id}}"
    name = f"api:{DOMAIN}:media"
    # An expired link in an open chat is no attempt to log in, which Home Assistant
    # would count against its user: `get` checks who asks.
    requires_auth = False

    async def get(self, request: web.Request, media_id: str) -> web.StreamResponse:
        """Return the content."""
        hass = request.app[KEY_HASS]
        if not request[KEY_AUTHENTICATED]:
            if hdrs.AUTHORIZATION in request.headers:
                raise web.HTTPUnauthorized
            return await _async_refuse(hass, HTTPStatus.FORBIDDEN, "media_gone")
        cache = hass.data[MEDIA_CACHE]
        media = cache.known.get(media_id)
        if media is None:
            return await _async_refuse(hass, HTTPStatus.NOT_FOUND, "media_gone")
        if not _may_open(request[KEY_HASS_USER], media):
            return await _async_refuse(hass, HTTPStatus.FORBIDDEN, "media_of_another")
        shown = media.mime_type in SHOWN_TYPES
        known = shown or media.mime_type in SAVED_TYPES
        disposition = "inline" if shown else "attachment"
        headers = {
            hdrs.CONTENT_TYPE: media.mime_type if known else BINARY,
            hdrs.CONTENT_DISPOSITION: (
                f"{disposition}; filename*=UTF-8''{quote(media.name, safe='')}"
            ),
            **HEADERS,
        }
        return web.FileResponse(cache.use(media), headers=headers)


def _may_open(user: User, media: CachedMedia) -> bool:
    """Return whether a user may open media.

    Home Assistant's own user signs links for whom no browser is logged in, as for
    an automation: such a link is as good as the media. A phone's app opens it with
    the login of its user: media without an owner are open to each user with the link.
    """
    owned = media.user_id in {None, user.id}
    return user.is_admin or user.system_generated or owned


async def _async_refuse(
    hass: HomeAssistant, status: HTTPStatus, key: str
) -> web.Response:
    text = await async_get_text(hass, hass.config.language, key)
    return web.Response(status=status, text=text, headers=HEADERS)
