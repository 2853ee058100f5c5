"""Check of a media cache that others have changed."""

from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.media_cache import MEDIA_CACHE, MediaCache
from custom_components.clawd.gateway import Media
from custom_components.clawd.selftest.checks.media import (
    LOST_FILE,
    OPEN_FILE,
    STRAY_FILE,
)

from .self_test import run_self_test


@pytest.fixture
async def cache(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> MediaCache:
    """Return a cache with a picture."""
    monkeypatch.setattr(hass.config, "cache_path", lambda *_: str(tmp_path / "media"))
    cache = hass.data[MEDIA_CACHE] = MediaCache(hass)
    await cache.async_add(entry.entry_id, None, "a.png", Media("image/png", b"png"))
    return cache


async def check(hass: HomeAssistant) -> dict[str, Any]:
    """Run the check; return its result."""
    [result] = (await run_self_test(hass, checks=["media_cache"]))["checks"]
    return dict(result)


async def test_a_link_to_nowhere_is_a_stray_file(
    hass: HomeAssistant, cache: MediaCache
) -> None:
    (cache.folder / "stray").symlink_to(cache.folder / "gone")
    result = await check(hass)
    assert result["status"] == "fail"
    assert f"{OPEN_FILE}, {STRAY_FILE}" in result["message"]


async def test_a_link_in_place_of_a_file_is_found(
    hass: HomeAssistant, cache: MediaCache
) -> None:
    [picture] = map(cache.path, cache.known.values())
    # As private and as long as the file.
    other = picture.rename(cache.folder.parent / "other")
    picture.symlink_to(other)
    result = await check(hass)
    assert result["status"] == "fail"
    assert LOST_FILE in result["message"]


async def test_a_file_that_goes_meanwhile_breaks_no_check(
    hass: HomeAssistant, cache: MediaCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [*map(cache.path, cache.known.values()), cache.folder / "gone"]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", lambda _: iter(paths))
        result = await check(hass)
    assert result["status"] == "pass"
