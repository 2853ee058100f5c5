"""Check of the media cache."""

from typing import TYPE_CHECKING, Final

from ...assist.media_cache import FILE_MODE, FOLDER_MODE, MAX_CACHE_SIZE, MEDIA_CACHE
from ..model import CheckResult, Component, check, expect_none

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...assist.media_cache import CachedFile, MediaCache
    from ..model import CheckContext

# File names are secret and agent names personal: report kinds only.
OPEN_FOLDER: Final = "folder that others can open"
OPEN_FILE: Final = "file that others can read"
STRAY_FILE: Final = "file without a link"
LOST_FILE: Final = "link without its file"
REMOVED_ENTRY: Final = "file of a removed Gateway"
TOO_LARGE: Final = "more than 64 MB"


@check(component=Component.SECURITY)
async def check_media_cache(context: CheckContext) -> CheckResult:
    """Media cache: pictures and files of agents.

    They may be personal: they stay private, bounded, and are gone with their Gateway.
    """
    hass = context.hass
    cache = hass.data[MEDIA_CACHE]
    mode, files = await cache.async_scan()
    entries = {entry.entry_id for entry in hass.config_entries.async_entries()}
    faults = [*_faults_of_files(cache, mode, files), *_faults_of_links(cache, entries)]
    return expect_none(
        len(faults),
        "faults",
        count=len(files),
        faults=", ".join(dict.fromkeys(faults)),
        details=tuple(faults),
    )


def _faults_of_files(
    cache: MediaCache, mode: int, files: Mapping[str, CachedFile]
) -> Iterator[str]:
    if mode & ~FOLDER_MODE:
        yield OPEN_FOLDER
    for name, file in files.items():
        if file.mode & ~FILE_MODE:
            yield OPEN_FILE
        if name not in cache.known:
            yield STRAY_FILE
    for media in cache.known.values():
        if media.id not in files or files[media.id].size != media.size:
            yield LOST_FILE
    if sum(file.size for file in files.values()) > MAX_CACHE_SIZE:
        yield TOO_LARGE


def _faults_of_links(cache: MediaCache, entries: set[str]) -> Iterator[str]:
    for media in cache.known.values():
        if media.entry_id not in entries:
            yield REMOVED_ENTRY
