"""Faults of the media cache."""

from pathlib import Path
import tempfile

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist import media_cache
from custom_components.clawd.assist.media_cache import MEDIA_CACHE, MediaCache
from custom_components.clawd.gateway import Media
from custom_components.clawd.selftest.checks import media

from ..fault_harness import Fault, FaultHarness, Inject
from ..report_assertions import Expected


async def _keep(harness: FaultHarness, entry_id: str = "") -> tuple[MediaCache, Path]:
    """Keep a picture in a folder of its own; return its file."""
    folder = harness.cleanup.enter_context(tempfile.TemporaryDirectory())
    config = harness.hass.config
    harness.monkeypatch.setattr(
        config, "cache_path", lambda *path: str(Path(folder).joinpath(*path))
    )
    cache = harness.hass.data[MEDIA_CACHE] = MediaCache(harness.hass)
    added = await cache.async_add(
        entry_id or harness.entry.entry_id, None, "a.png", Media("image/png", b"png")
    )
    return cache, cache.path(added)


async def readable_picture(harness: FaultHarness) -> None:
    """Let others read a picture of an agent."""
    _, path = await _keep(harness)
    path.chmod(0o644)


async def open_picture_folder(harness: FaultHarness) -> None:
    """Let others open the folder of the pictures."""
    cache, _ = await _keep(harness)
    cache.folder.chmod(0o755)


async def stray_picture(harness: FaultHarness) -> None:
    """Leave a picture behind that no link leads to."""
    cache, _ = await _keep(harness)
    (cache.folder / "stray").touch(0o600)


async def lost_picture(harness: FaultHarness) -> None:
    """Delete a picture that a link leads to."""
    _, path = await _keep(harness)
    path.unlink()


async def cut_picture(harness: FaultHarness) -> None:
    """Cut off a picture that a link leads to."""
    _, path = await _keep(harness)
    path.write_bytes(b"p")


async def picture_of_removed_entry(harness: FaultHarness) -> None:
    """Keep a picture of a Gateway that was removed."""
    other = MockConfigEntry(domain="test")
    other.add_to_hass(harness.hass)
    await _keep(harness, other.entry_id)
    await harness.hass.config_entries.async_remove(other.entry_id)


async def too_many_pictures(harness: FaultHarness) -> None:
    """Keep more pictures than the limit."""
    await _keep(harness)
    harness.monkeypatch.setattr(media_cache, "MAX_CACHE_SIZE", 2)
    harness.monkeypatch.setattr(media, "MAX_CACHE_SIZE", 2)


def _fault(inject: Inject, kind: str) -> Fault:
    expected = Expected(1, {"faults": kind}, (kind,))
    return Fault(inject, "media_cache", expected)


FAULTS = [
    _fault(readable_picture, media.OPEN_FILE),
    _fault(open_picture_folder, media.OPEN_FOLDER),
    _fault(stray_picture, media.STRAY_FILE),
    _fault(lost_picture, media.LOST_FILE),
    _fault(cut_picture, media.LOST_FILE),
    _fault(picture_of_removed_entry, media.REMOVED_ENTRY),
    _fault(too_many_pictures, media.TOO_LARGE),
]
