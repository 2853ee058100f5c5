"""Unusable stores."""

from collections.abc import Iterator
from contextlib import contextmanager
import errno
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_TOKEN
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store
from homeassistant.util.file import WriteError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.gateway import DeviceToken
from custom_components.clawd.gateway.statistics import StoreErrors
from custom_components.clawd.storage import (
    NEW_ENTRY,
    DeviceTokenStore,
    EntryStore,
    async_get_identity,
    async_load_store,
    async_remove_identity,
)
from tests.simulator import GatewaySimulator

from .self_test import run_self_test
from .states import CONNECTIVITY, state_of, wait_for_state

TOKEN = DeviceToken("the-token-of-the-device", ("operator.read",))
ORIGIN = "ws://127.0.0.1:1#"


@contextmanager
def read_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let nothing of ours be written, as on a disk that is read-only."""
    write, remove = Store._async_write_data, Store.async_remove  # noqa: SLF001 - what the harness replaces, too

    async def refuse_write(store: Store[Any], data: dict[str, Any]) -> None:
        if not store.key.startswith(DOMAIN):
            await write(store, data)
            return
        # Home Assistant catches it, and only logs it.
        raise WriteError(OSError(errno.EROFS, "Read-only file system"))

    async def refuse_remove(store: Store[Any]) -> None:
        if not store.key.startswith(DOMAIN):
            await remove(store)
            return
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "_async_write_data", refuse_write)
        patch.setattr(Store, "async_remove", refuse_remove)
        yield


def errors_of(entry: MockConfigEntry) -> StoreErrors:
    errors: StoreErrors = entry.runtime_data.client.introspection.store_errors
    return errors


async def test_a_connection_lives_where_nothing_can_be_written(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with read_only(monkeypatch):
        assert await hass.config_entries.async_setup(new_entry.entry_id)
        await hass.async_block_till_done()
        # The identity and the device token.
        assert errors_of(new_entry) == StoreErrors(2, "StoreWriteError")
        identity = new_entry.runtime_data.credentials.identity

        await run_self_test(hass)
        assert errors_of(new_entry).count == 3

        # The device token is shown where there is no other.
        hass.config_entries.async_update_entry(
            new_entry,
            data={k: v for k, v in new_entry.data.items() if k != CONF_TOKEN},
        )
        await hass.async_block_till_done()
        assert await hass.config_entries.async_reload(new_entry.entry_id)
        assert state_of(hass, CONNECTIVITY).state == "on"
        runtime = new_entry.runtime_data
        assert runtime.credentials.identity.secret == identity.secret
        assert gateway.received("connect")[-1].params["auth"] == {
            "token": gateway.devices.tokens[identity.device_id]
        }
        assert len(runtime.reports.reports) == 1
    assert runtime.client.statistics.main_loop_errors == 0
    assert identity.secret not in caplog.text
    assert new_entry.entry_id not in "".join(
        record.getMessage()
        for record in caplog.records
        if record.name == "custom_components.clawd" and record.levelno > logging.DEBUG
    )


async def test_a_refused_token_that_cannot_be_deleted_costs_nothing(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()
    gateway.token = "new"
    gateway.devices.tokens.clear()
    with read_only(monkeypatch):
        gateway.drop()
        await wait_for_state(hass, CONNECTIVITY, "off")
        client = new_entry.runtime_data.client
        with pytest.raises(Exception, match="refused the token"):
            await client.wait_connected()
        assert errors_of(new_entry) == StoreErrors(1, "OSError (EROFS)")
        # It is forgotten all the same.
        store = DeviceTokenStore(hass, new_entry.entry_id, client.endpoint.origin)
        assert await store.async_load() is None
    assert client.statistics.main_loop_errors == 0


async def test_a_token_of_the_flow_is_found_where_nothing_can_be_written(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[Exception] = []
    with read_only(monkeypatch):
        await DeviceTokenStore(hass, NEW_ENTRY, ORIGIN).async_try_to_save(TOKEN)
        store = DeviceTokenStore(hass, "entry", ORIGIN, errors.append)
        assert await store.async_load() == TOKEN
        assert len(errors) == 2
    # Later it is written.
    await store.async_save(TOKEN)
    assert await DeviceTokenStore(hass, "entry", ORIGIN).async_load() == TOKEN
    assert await DeviceTokenStore(hass, "another", ORIGIN).async_load() is None


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "x"), HomeAssistantError("x")])
async def test_a_store_that_cannot_be_read_is_an_empty_one(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def load(_: object) -> None:
        raise error

    errors: list[Exception] = []
    monkeypatch.setattr(Store, "async_load", load)
    store = DeviceTokenStore(hass, "entry", ORIGIN, errors.append)
    assert await store.async_load() is None
    assert (
        await async_load_store(hass, EntryStore.REPORTS, "entry", errors.append) is None
    )
    assert len(errors) == 3


async def test_nothing_is_looked_for_that_is_written_at_the_end(
    hass: HomeAssistant,
) -> None:
    hass.set_state(CoreState.stopping)
    errors: list[Exception] = []
    store = DeviceTokenStore(hass, "entry", ORIGIN, errors.append)
    await store.async_try_to_save(TOKEN)
    hass.set_state(CoreState.running)
    assert errors == []


async def test_an_identity_is_made_again_after_it_was_removed(
    hass: HomeAssistant,
) -> None:
    one = await async_get_identity(hass)
    assert (await async_get_identity(hass)).secret == one.secret
    await async_remove_identity(hass)
    assert (await async_get_identity(hass)).secret != one.secret


async def test_an_entry_that_is_removed_leaves_no_evidence(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    history = entry.runtime_data.client.introspection.history
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert entry.runtime_data.client.introspection.history is history
    await hass.config_entries.async_remove(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    again = MockConfigEntry(
        domain=DOMAIN, data=dict(entry.data), minor_version=7, entry_id=entry.entry_id
    )
    again.add_to_hass(hass)
    assert await hass.config_entries.async_setup(again.entry_id)
    assert again.runtime_data.client.introspection.history is not history
    assert await hass.config_entries.async_unload(again.entry_id)
