"""Read-only storage folder."""

from collections.abc import Iterator
import os
from pathlib import Path
from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.storage import async_write_again, unwritten_stores
from tests.simulator import GatewaySimulator

from .repair import open_issues
from .self_test import problems, run_self_test

# As they are before the harness replaces them.
METHODS: Final = {
    name: getattr(Store, name)
    for name in ("_async_load", "_async_write_data", "async_remove")
}


@pytest.fixture
def storage(
    hass: HomeAssistant, new_entry: MockConfigEntry, tmp_path: Path
) -> Iterator[Path]:
    """Store in a folder of the kernel, where even root cannot make files."""
    assert new_entry.state is ConfigEntryState.NOT_LOADED
    before, hass.config.config_dir = hass.config.config_dir, str(tmp_path)
    path = tmp_path / ".storage"
    path.symlink_to("/proc", target_is_directory=True)
    with pytest.MonkeyPatch.context() as patch:
        for name, method in METHODS.items():
            patch.setattr(Store, name, method)
        yield path
    hass.config.config_dir = before


async def test_the_connection_lives_and_the_folder_is_named(
    hass: HomeAssistant,
    storage: Path,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()

    assert gateway.connections
    assert unwritten_stores(hass) == ("clawd.identity", "clawd.device_token")
    assert set(open_issues(hass)) == {"store_not_written"}
    assert problems(await run_self_test(hass))["storage_writes"] == "fail"
    assert await hass.config_entries.async_reload(new_entry.entry_id)
    assert new_entry.state is ConfigEntryState.LOADED
    identity = new_entry.runtime_data.credentials.identity
    assert len(gateway.devices.tokens) == 1

    await hass.async_add_executor_job(storage.unlink)
    await async_write_again(hass)

    assert unwritten_stores(hass) == ()
    assert open_issues(hass) == {}
    names = await hass.async_add_executor_job(os.listdir, storage)
    assert len([name for name in names if name.startswith("clawd.")]) == 3
    assert identity.secret not in caplog.text
