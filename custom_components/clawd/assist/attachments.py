"""Attachments for an agent."""

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field
from io import BytesIO
from math import sqrt
import re
from typing import TYPE_CHECKING, Any, Final, cast

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components import media_source
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from PIL import Image, ImageOps

from ..const import DOMAIN, LOGGER
from ..gateway import Attachment
from ..home.snapshots import async_take_picture
from .errors import translated_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from homeassistant.core import Context, HomeAssistant

    from ..gateway import Hello
    from ..home.snapshots import Picture

# Pixels used by models; more only costs.
MAX_PIXELS: Final = 1_500_000
# Bytes of all files that are read at all; a photo of a good camera has 40 MB.
MAX_FILE_SIZE: Final = 100_000_000
# Pixels of a picture that is decoded, twelve bytes each at most; PIL warns of more.
MAX_DECODED_PIXELS: Final = 89_000_000
# Pixels of a side; a JPEG has at most 65,500.
MAX_SIDE: Final = 16_000
# Of pictures that are read. Others are rare, or run programs, as EPS does. MPO comes
# with JPEG.
FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
# Seconds for a media source to find a file; one of another machine may never answer.
RESOLVE_TIMEOUT: Final = 30.0
# Share of `maxPayload` for attachments: the rest is for the message around them. A
# larger frame would end the connection.
PAYLOAD_SHARE: Final = 0.7
# Bytes of base64 for three bytes.
BASE64_GROUP: Final = 4

JPEG: Final = "image/jpeg"
# Pixels and quality of the attempts to make a picture small enough.
_ATTEMPTS: Final = (
    (MAX_PIXELS, 85),
    (MAX_PIXELS, 60),
    (500_000, 60),
    (200_000, 50),
    (80_000, 40),
)
# camera.door, media-source://camera/camera.door
_ENTITY: Final = re.compile(
    r"(?:media-source://(?:camera|image)/)?(?P<entity_id>(?:camera|image)\.\w+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class File:
    """Picture or file to attach."""

    mime_type: str
    name: str = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def is_image(self) -> bool:
        """Return whether it is an image."""
        return self.mime_type.startswith("image/")


class _TooManyPixelsError(Exception):
    """Image has too many pixels."""


_TOO_MANY_PIXELS: Final = (
    _TooManyPixelsError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


async def async_read_files(
    hass: HomeAssistant, paths: Iterable[tuple[Path, str]]
) -> tuple[File, ...]:
    """Read files with their MIME types.

    Raises:
        HomeAssistantError: a file cannot be read, or is too large.

    """
    files: list[File] = []
    left = MAX_FILE_SIZE
    for number, (path, mime_type) in enumerate(paths, 1):
        files.append(await _async_read_file(hass, path, mime_type, number, left))
        left -= len(files[-1].content)
    return tuple(files)


def picture_file(picture: Picture, name: str) -> File:
    """Return a picture of an entity as file.

    It is a picture whatever type its integration names, `application/pdf` for
    instance: other files go to the agent with its tools.
    """
    return File(_picture_type(picture.content_type), name, picture.content)


def attachment_type(media_content_id: str, mime_type: str) -> str:
    """Return the MIME type of an attachment that Home Assistant has resolved.

    That of an entity is a picture, as above.
    """
    is_entity = _ENTITY.fullmatch(media_content_id)
    return _picture_type(mime_type) if is_entity else mime_type


async def async_resolve_files(
    hass: HomeAssistant, items: Iterable[str | dict[str, Any]], context: Context
) -> tuple[File, ...]:
    """Resolve entities and media sources to files.

    Raises:
        Unauthorized: the user may not see the entity.
        HomeAssistantError: there is no picture or file.

    """
    files: list[File] = []
    left = MAX_FILE_SIZE
    for number, item in enumerate(items, 1):
        media = {"media_content_id": item} if isinstance(item, str) else item
        try:
            file = await _async_resolve(hass, media, number, context, left)
        except Unauthorized:
            raise
        except Exception as err:
            if isinstance(err, HomeAssistantError) and err.translation_domain == DOMAIN:
                raise
            # Other integrations raise anything; messages may hold addresses.
            LOGGER.debug("No attachment: %s", type(err).__name__)
            raise _error("attachment_missing", number) from None
        if (left := left - len(file.content)) < 0:
            raise _too_large(number)
        files.append(file)
    return tuple(files)


async def async_encode(
    hass: HomeAssistant, files: Sequence[File], hello: Hello
) -> tuple[Attachment, ...]:
    """Encode files for the Gateway.

    Images are scaled.

    Raises:
        HomeAssistantError: a file is no picture, or of no use to the Gateway, or
            all of them are too large.

    """
    if not hello.accepts_files:
        # The Gateway would drop them silently.
        for number, file in enumerate(files, 1):
            if not file.is_image:
                raise _error("files_unsupported", number, type=file.mime_type)
    # Rounded up to whole groups, each of them.
    limit = int(hello.policy.max_payload * PAYLOAD_SHARE) // BASE64_GROUP * 3
    others = sum(len(file.content) + 2 for file in files if not file.is_image)
    pictures = sum(file.is_image for file in files)
    largest = hello.policy.max_attachment
    image_limit = min(hello.policy.max_image, largest)
    share = min(image_limit, (limit - others) // max(pictures, 1) - 2)
    if share < 0:
        raise _all_too_large(limit)
    attachments = []
    for number, file in enumerate(files, 1):
        if not file.content:
            # The Gateway would refuse the question, without a reason.
            raise _error("attachment_empty", number)
        if file.is_image:
            scaled = await hass.async_add_executor_job(_scale, file, number, share)
            if scaled is None:
                raise _all_too_large(limit if share < image_limit else image_limit)
            attachments.append(scaled)
        elif len(file.content) > largest:
            raise _all_too_large(largest)
        else:
            attachments.append(await hass.async_add_executor_job(_encode, file))
    return tuple(attachments)


async def _async_resolve(
    hass: HomeAssistant,
    media: dict[str, Any],
    number: int,
    context: Context,
    left: int,
) -> File:
    media_id = str(media["media_content_id"])
    if entity := _ENTITY.fullmatch(media_id):
        entity_id = entity["entity_id"].lower()
        await _async_require_permission(hass, entity_id, context)
        if hass.states.get(entity_id) is None:
            raise _error("attachment_missing", number)
        return picture_file(await async_take_picture(hass, entity_id), entity_id)
    async with asyncio.timeout(RESOLVE_TIMEOUT):
        found = await media_source.async_resolve_media(hass, media_id, None)
    if found.path is None:
        raise _error("attachment_missing", number)
    mime_type = media.get("media_content_type") or found.mime_type
    return await _async_read_file(hass, found.path, mime_type, number, left)


async def _async_read_file(
    hass: HomeAssistant, path: Path, mime_type: str, number: int, left: int
) -> File:
    """Read a file, up to `left` bytes."""
    try:
        content = await hass.async_add_executor_job(_read, path, left)
    except OSError:
        raise _error("attachment_missing", number) from None
    if content is None:
        raise _too_large(number)
    return File(_bare_type(mime_type), path.name, content)


async def _async_require_permission(
    hass: HomeAssistant, entity_id: str, context: Context
) -> None:
    if context.user_id is None:
        return
    user = await hass.auth.async_get_user(context.user_id)
    if user is None or not user.permissions.check_entity(entity_id, POLICY_READ):
        raise Unauthorized(context=context, entity_id=entity_id, permission=POLICY_READ)


def _read(path: Path, left: int) -> bytes | None:
    return path.read_bytes() if path.stat().st_size <= left else None


def _scale(file: File, number: int, limit: int) -> Attachment | None:
    """Scale an image to a JPEG.

    Of at most `limit` bytes, without metadata.
    """
    try:
        content = _scale_picture(file.content, limit)
    except _TOO_MANY_PIXELS:
        megapixels = str(MAX_DECODED_PIXELS // 1_000_000)
        raise _error("picture_too_large", number, limit=megapixels) from None
    except Exception as err:  # noqa: BLE001 - as broken pictures and decoders raise it
        LOGGER.debug("Picture not read: %s", type(err).__name__)
        raise _error("attachment_unreadable", number) from None
    if content is None:
        return None
    return Attachment(JPEG, f"picture-{number}.jpg", b64encode(content).decode())


def _scale_picture(content: bytes, limit: int) -> bytes | None:
    opened = Image.open(BytesIO(content), formats=FORMATS)
    if opened.width * opened.height > MAX_DECODED_PIXELS:
        raise _TooManyPixelsError
    # Decodes a JPEG at a fraction of its size.
    opened.draft("RGB", _size(opened, MAX_PIXELS))
    ImageOps.exif_transpose(opened, in_place=True)
    picture = _opaque(opened)
    for pixels, quality in _ATTEMPTS:
        stream = BytesIO()
        picture.resize(_size(picture, pixels)).save(stream, "JPEG", quality=quality)
        if stream.tell() <= limit:
            return stream.getvalue()
    return None


def _opaque(picture: Image.Image) -> Image.Image:
    """Return a picture in RGB as it is seen.

    PIL alone would drop transparency, and cut each level to eight bits.
    """
    if picture.mode[0] in "IF":
        # Of 16 bits and more, as of thermal cameras: from the darkest to the brightest.
        levels = picture.convert("F")
        low, high = cast("tuple[float, float]", levels.getextrema())
        scale = 255 / ((high - low) or 1)
        return levels.point(lambda level: level * scale - low * scale).convert("RGB")
    if picture.has_transparency_data:
        shown = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        # Before it is copied again.
        shown = shown.resize(_size(shown, MAX_PIXELS))
        paper = Image.new("RGBA", shown.size, "white")
        paper.alpha_composite(shown)
        return paper.convert("RGB")
    return picture.convert("RGB")


def _size(picture: Image.Image, pixels: int) -> tuple[int, int]:
    """Return the scaled size of an image.

    It has at most so many pixels, and side length.
    """
    by_side = MAX_SIDE / max(picture.size)
    factor = min(1.0, by_side, sqrt(pixels / (picture.width * picture.height)))
    return max(1, int(picture.width * factor)), max(1, int(picture.height * factor))


def _encode(file: File) -> Attachment:
    return Attachment(file.mime_type, file.name, b64encode(file.content).decode())


def _picture_type(mime_type: str) -> str:
    bare = _bare_type(mime_type)
    return bare if bare.startswith("image/") else JPEG


def _bare_type(mime_type: str) -> str:
    """Return a MIME type without parameters."""
    return mime_type.partition(";")[0].strip().lower()


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f}"


def _all_too_large(limit: int) -> HomeAssistantError:
    return translated_error("attachments_too_large", limit=_megabytes(limit))


def _too_large(number: int) -> HomeAssistantError:
    return _error("attachment_too_large", number, limit=_megabytes(MAX_FILE_SIZE))


def _error(key: str, number: int, **placeholders: str) -> HomeAssistantError:
    return translated_error(key, number=str(number), **placeholders)
