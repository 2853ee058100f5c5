"""Cache of media for browsers."""

import asyncio
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
import os
from pathlib import Path
from secrets import token_urlsafe
import shutil
from stat import S_IMODE
from typing import TYPE_CHECKING, Final

from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from homeassistant.core import HomeAssistant

    from ..gateway import Media

# Bytes of all files together; a small machine has some GB on its card.
MAX_CACHE_SIZE: Final = 64 * 2**20
# Bytes of one file: three of the largest fit.
MAX_FILE_SIZE: Final = 20 * 2**20
# Bytes of the files of one reply: they must not displace each other, nor all others.
MAX_REPLY_SIZE: Final = 2 * MAX_FILE_SIZE
# Bytes that the smallest file takes on a disk: empty ones are bounded, too.
BLOCK_SIZE: Final = 4096
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class CachedMedia:
    """Picture or file in the cache.

    Attributes:
        id: name of the file; it cannot be guessed.
        user_id: of the asking user, if any.
        name: as the agent called it.
        size: in bytes.

    """

    id: str
    entry_id: str
    user_id: str | None
    mime_type: str
    name: str = field(repr=False)
    size: int

    @property
    def space(self) -> int:
        """Return the minimum disk space in bytes."""
        return space_of(self.size)


def space_of(size: int) -> int:
    """Return the minimum disk space of a file."""
    return max(size, BLOCK_SIZE)


@dataclass(frozen=True, slots=True)
class CachedFile:
    """Permissions and size of a cached file."""

    mode: int
    size: int


class MediaNotKeptError(Exception):
    """Media cannot be kept."""


class MediaCache:
    """Media cache of all entries.

    The least recently used files are dropped. Signed links end with Home Assistant's
    process, and so do the files. Backups do not include them.

    Attributes:
        outcomes: results of downloads, by entry.

    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize an empty cache; `async_clear` comes next."""
        self._hass = hass
        self.folder = Path(hass.config.cache_path(DOMAIN, "media"))
        self.outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._known: dict[str, CachedMedia] = {}
        self._lock = asyncio.Lock()

    @property
    def known(self) -> Mapping[str, CachedMedia]:
        """Return the media by id.

        Least recently used first.
        """
        return self._known

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(media.size for media in self._known.values())

    def of_entry(self, entry_id: str) -> list[CachedMedia]:
        """Return the media of an entry."""
        return [media for media in self._known.values() if media.entry_id == entry_id]

    def use(self, media: CachedMedia) -> Path:
        """Return a file and mark it as used."""
        self._known[media.id] = self._known.pop(media.id)
        return self.path(media)

    def path(self, media: CachedMedia) -> Path:
        """Return the file of media."""
        return self.folder / media.id

    async def async_add(
        self, entry_id: str, user_id: str | None, name: str, media: Media
    ) -> CachedMedia:
        """Keep media; older ones make room.

        Raises:
            MediaNotKeptError: the file cannot be written, or the entry was removed.

        """
        content = media.content
        added = CachedMedia(
            token_urlsafe(), entry_id, user_id, media.mime_type, name, len(content)
        )
        # A task of its own: a caller that is cancelled must leave no stray file.
        keeping = self._hass.async_create_task(self._async_keep(added, content))
        if not await asyncio.shield(keeping):
            raise MediaNotKeptError
        return added

    async def async_remove_entry(self, entry_id: str) -> None:
        """Delete everything of an entry."""
        self.outcomes.pop(entry_id, None)
        async with self._lock:
            await self._async_drop(self.of_entry(entry_id))

    async def async_clear(self) -> None:
        """Delete all files, including stale ones."""
        async with self._lock:
            self._known.clear()
            await self._hass.async_add_executor_job(_clear, self.folder)

    async def async_scan(self) -> tuple[int, dict[str, CachedFile]]:
        """Return folder permissions and files."""
        async with self._lock:
            return await self._hass.async_add_executor_job(_scan, self.folder)

    async def _async_keep(self, added: CachedMedia, content: bytes) -> bool:
        async with self._lock:
            if self._hass.config_entries.async_get_entry(added.entry_id) is None:
                return False
            await self._async_drop(self._oldest(MAX_CACHE_SIZE - added.space))
            path = self.path(added)
            try:
                await self._hass.async_add_executor_job(_write, path, content)
            except OSError as err:
                LOGGER.debug("Media not kept: %s", type(err).__name__)
                return False
            self._known[added.id] = added
            return True

    def _oldest(self, room: int) -> list[CachedMedia]:
        """Return the media to drop.

        At most `room` bytes are left.
        """
        dropped: list[CachedMedia] = []
        space = sum(media.space for media in self._known.values())
        for media in self._known.values():
            if space <= room:
                break
            dropped.append(media)
            space -= media.space
        return dropped

    async def _async_drop(self, media: Iterable[CachedMedia]) -> None:
        paths = [self.path(dropped) for dropped in media]
        for path in paths:
            self._known.pop(path.name, None)
        if paths:
            await self._hass.async_add_executor_job(_delete, paths)


MEDIA_CACHE: Final[HassKey[MediaCache]] = HassKey(f"{DOMAIN}_media_cache")


async def async_setup_media_cache(hass: HomeAssistant) -> None:
    """Set up an empty cache."""
    cache = hass.data[MEDIA_CACHE] = MediaCache(hass)
    await cache.async_clear()


async def async_remove_media(hass: HomeAssistant, entry_id: str) -> None:
    """Delete everything of an entry."""
    if cache := hass.data.get(MEDIA_CACHE):
        await cache.async_remove_entry(entry_id)
    else:
        # Of a disabled entry, the component is not set up.
        await MediaCache(hass).async_clear()


def _write(path: Path, content: bytes) -> None:
    """Write a private file."""
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(path, flags, FILE_MODE), "wb") as file:
            file.write(content)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _delete(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _scan(folder: Path) -> tuple[int, dict[str, CachedFile]]:
    if not folder.is_dir():
        return FOLDER_MODE, {}
    files: dict[str, CachedFile] = {}
    for path in folder.iterdir():
        # Others may delete files, or put links there.
        with suppress(FileNotFoundError):
            stat = path.lstat()
            files[path.name] = CachedFile(S_IMODE(stat.st_mode), stat.st_size)
    return S_IMODE(folder.stat().st_mode), files
