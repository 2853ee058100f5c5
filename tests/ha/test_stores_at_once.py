"""Concurrent use of stores."""

import asyncio
from collections.abc import Iterator
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util.file import WriteError
import pytest

from custom_components.clawd.gateway import DeviceToken
from custom_components.clawd.storage import (
    DeviceTokenStore,
    async_write_again,
    unwritten_stores,
)

OLD = DeviceToken("an-old-device-token", ("operator.read",))
NEW = DeviceToken("a-new-device-token", ("operator.read",))


class SlowDisk:
    """Disk whose writes wait; the next ones may fail."""

    def __init__(self) -> None:
        """Initialize a disk that writes at once."""
        self.ready = asyncio.Event()
        self.ready.set()
        self.writing = asyncio.Event()
        self.broken = False
        self._write = vars(Store)["_async_write_data"]

    async def write(self, store: Store[Any], *args: Any) -> None:  # noqa: ANN401
        """Write in place of a store."""
        self.writing.set()
        await self.ready.wait()
        if self.broken:
            raise WriteError
        await self._write(store, *args)


@pytest.fixture
def disk(hass: HomeAssistant, hass_storage: dict[str, Any]) -> Iterator[SlowDisk]:
    """Return the disk of all stores."""
    slow = SlowDisk()

    async def write(store: Store[Any], *args: Any) -> None:  # noqa: ANN401
        await slow.write(store, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "_async_write_data", write)
        yield slow
    assert hass is not None
    assert hass_storage is not None


def token_store(hass: HomeAssistant, errors: list[Exception]) -> DeviceTokenStore:
    return DeviceTokenStore(hass, "entry", "origin", errors.append)


async def test_a_write_in_progress_is_no_store_that_cannot_be_written(
    hass: HomeAssistant, disk: SlowDisk
) -> None:
    errors: list[Exception] = []
    disk.ready.clear()
    first = asyncio.create_task(token_store(hass, errors).async_try_to_save(OLD))
    await disk.writing.wait()

    # The self-test of another Gateway looks at the stores of all.
    assert unwritten_stores(hass) == ()
    again = asyncio.create_task(async_write_again(hass))
    second = asyncio.create_task(token_store(hass, errors).async_try_to_save(NEW))
    await asyncio.sleep(0)
    disk.ready.set()
    await asyncio.gather(first, again, second)

    assert errors == []
    assert unwritten_stores(hass) == ()
    assert await token_store(hass, errors).async_load() == NEW


async def test_what_is_written_again_does_not_replace_what_is_newer(
    hass: HomeAssistant, disk: SlowDisk
) -> None:
    errors: list[Exception] = []
    disk.broken = True
    await DeviceTokenStore(hass, "other", "origin").async_try_to_save(OLD)
    await token_store(hass, errors).async_try_to_save(OLD)
    disk.broken = False
    disk.ready.clear()
    disk.writing.clear()

    again = asyncio.create_task(async_write_again(hass))
    await disk.writing.wait()
    newer = asyncio.create_task(token_store(hass, errors).async_try_to_save(NEW))
    await asyncio.sleep(0)
    disk.ready.set()
    await asyncio.gather(newer, again)

    assert len(errors) == 1
    assert await token_store(hass, errors).async_load() == NEW


async def test_a_write_that_is_cancelled_is_made_up_for(
    hass: HomeAssistant, disk: SlowDisk
) -> None:
    disk.ready.clear()
    write = asyncio.create_task(token_store(hass, []).async_try_to_save(NEW))
    await disk.writing.wait()
    write.cancel()
    await asyncio.gather(write, return_exceptions=True)

    assert unwritten_stores(hass) == ("clawd.device_token",)
    assert await token_store(hass, []).async_load() == NEW
    disk.ready.set()
    await async_write_again(hass)
    assert unwritten_stores(hass) == ()
