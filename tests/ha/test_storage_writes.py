"""Self-test of unwritten stores."""

from collections.abc import Callable, Iterator
import errno
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util.file import WriteError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.gateway import DeviceToken
from custom_components.clawd.storage import (
    DeviceTokenStore,
    async_get_identity,
    async_remove_entry_data,
    unwritten_stores,
)
from tests.simulator import GatewaySimulator

from .fault_harness import FaultHarness
from .self_test import problems, run_self_test, statuses

TOKEN = DeviceToken("a-device-token", ("operator.read",))


@pytest.fixture
def disk(hass: HomeAssistant) -> Iterator[pytest.MonkeyPatch]:
    """Return a function to restore the disk."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch
    assert hass


@pytest.fixture
def broken(disk: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function to break the disk."""

    async def fail_to_write(*_: object) -> None:
        raise WriteError

    async def fail_to_delete(*_: object) -> None:
        raise OSError(errno.EROFS, "injected")

    def break_it() -> None:
        disk.setattr(Store, "_async_write_data", fail_to_write)
        disk.setattr(Store, "async_remove", fail_to_delete)

    return break_it


async def test_an_identity_that_is_not_stored_stays_the_same(
    hass: HomeAssistant, broken: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    broken()

    first = await async_get_identity(hass)
    second = await async_get_identity(hass)

    assert first.device_id == second.device_id
    assert "The store clawd.identity cannot be used: StoreWriteError" in caplog.text
    assert first.secret not in caplog.text


async def test_the_data_of_an_entry_are_forgotten_though_they_cannot_be_deleted(
    hass: HomeAssistant, broken: Callable[[], None]
) -> None:
    await DeviceTokenStore(hass, "entry", "origin").async_save(TOKEN)
    broken()

    await async_remove_entry_data(hass, "entry")

    assert await DeviceTokenStore(hass, "entry", "origin").async_load() is None


async def test_a_new_token_survives_a_reload_on_a_disk_that_is_full(
    harness: FaultHarness, broken: Callable[[], None]
) -> None:
    broken()
    harness.gateway.edit(
        "hello-ok", lambda hello: hello["auth"].update(deviceToken="a-new-token-here")
    )
    await harness.reconnect()
    assert await harness.hass.config_entries.async_reload(harness.entry.entry_id)

    token = harness.runtime.credentials.device_token

    assert token
    assert token.token == "a-new-token-here"
    assert harness.entry.state is ConfigEntryState.LOADED


async def test_a_self_test_works_on_a_disk_that_is_full_and_names_it(
    hass: HomeAssistant, entry: MockConfigEntry, broken: Callable[[], None]
) -> None:
    broken()

    first = await run_self_test(hass)
    second = await run_self_test(hass)

    assert problems(first) == {}
    assert problems(second) == {"storage_writes": "fail"}
    [check] = [c for c in second["checks"] if c["id"] == "storage_writes"]
    assert (check["origin"], check["details"]) == (
        "home_assistant",
        ["clawd.self_tests: not written"],
    )
    assert second["liveness"] == "pass"
    assert entry.runtime_data.reports.data == second


async def test_what_could_not_be_written_is_written_by_the_next_self_test(
    harness: FaultHarness, disk: pytest.MonkeyPatch, broken: Callable[[], None]
) -> None:
    broken()
    await run_self_test(harness.hass)
    disk.undo()

    passive = await run_self_test(
        harness.hass, mode="passive", checks=["storage_writes"]
    )
    assert statuses(passive) == {"storage_writes": "fail"}
    active = await run_self_test(harness.hass, checks=["storage_writes"])

    assert statuses(active) == {"storage_writes": "warn"}
    assert "everything is stored by now" in active["checks"][0]["message"]
    assert unwritten_stores(harness.hass) == ()


async def test_an_error_that_is_over_is_a_warning(harness: FaultHarness) -> None:
    async def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "injected")

    harness.monkeypatch.setattr(harness.runtime.credentials, "save", fail)
    harness.gateway.edit(
        "hello-ok", lambda hello: hello["auth"].update(deviceToken="a-new-token-here")
    )
    await harness.reconnect()

    report = await run_self_test(harness.hass)

    assert problems(report) == {"storage_writes": "warn"}
    assert report["liveness"] == "pass"
    assert harness.runtime.credentials.device_token


async def test_stored_reports_that_were_edited_are_left_out(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    gateway: GatewaySimulator,
) -> None:
    good = {
        "status": "pass",
        "liveness": "pass",
        "readiness": "pass",
        "mode": "active",
        "started_at": "2026-01-01",
        "summary": {},
        "checks": [{"id": "a", "status": "pass", "observed_value": None}],
    }
    reports = [
        None,
        7,
        {},
        {**good, "status": "unknown"},
        {**good, "checks": [{"id": "a"}]},
        good,
    ]
    key = f"clawd.self_tests.{new_entry.entry_id}"
    hass_storage[key] = {"version": 1, "key": key, "data": {"reports": reports}}

    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()

    assert new_entry.runtime_data.reports.reports == (good,)
    assert gateway.open_connections
