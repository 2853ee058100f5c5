"""Setting up, unloading and removing an entry."""

import asyncio
from datetime import timedelta
from typing import Any

from homeassistant.config_entries import SOURCE_IGNORE, SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util.dt import utcnow
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.gateway import (
    DeviceIdentity,
    GatewayAuthenticationError,
    InvalidTokenError,
    PairingRequiredError,
)
from custom_components.clawd.storage import STORAGE_KEY
from tests.simulator import GatewaySimulator, Refusal

from .devices import gateway_device
from .self_test import run_self_test
from .states import CONNECTIVITY, wait_for_state


async def _set_up(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigEntryState:
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry.state


@pytest.mark.parametrize("protocol", [3, 4])
async def test_an_entry_loads_and_unloads(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    assert len(gateway.connections) == 1

    assert await hass.config_entries.async_unload(entry.entry_id)

    assert entry.state is ConfigEntryState.NOT_LOADED
    await gateway.wait_until(lambda: not gateway.open_connections)


async def test_the_device_shows_what_the_gateway_is(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    device = gateway_device(hass, entry)

    assert device.sw_version == "2026.9.6"
    assert device.manufacturer == "OpenClaw"
    assert device.configuration_url == f"http://127.0.0.1:{gateway.port}"


@pytest.mark.parametrize("protocol", [3])
async def test_the_device_follows_an_update_of_the_gateway(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    def update(hello: dict[str, Any]) -> None:
        hello["protocol"] = 4
        hello["server"].update(version="2026.10.1")

    gateway.edit("hello-ok", update)
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await wait_for_state(hass, CONNECTIVITY, "on")

    device = gateway_device(hass, entry)
    assert (device.model, device.sw_version) == ("OpenClaw Gateway", "2026.10.1")


@pytest.mark.parametrize(
    ("refusal", "state", "key"),
    [
        (Refusal.STARTING_HTTP, ConfigEntryState.SETUP_RETRY, "cannot_connect"),
        (Refusal.STARTING_CLOSE, ConfigEntryState.SETUP_RETRY, "cannot_connect"),
        (Refusal.STARTING, ConfigEntryState.SETUP_RETRY, "cannot_connect"),
        (Refusal.PROXY, ConfigEntryState.SETUP_RETRY, "proxy_not_trusted"),
        (Refusal.SIGN_IN, ConfigEntryState.SETUP_RETRY, "sign_in_required"),
        (Refusal.NOT_A_GATEWAY, ConfigEntryState.SETUP_RETRY, "not_a_gateway"),
        (Refusal.DROP_BEFORE_HELLO, ConfigEntryState.SETUP_RETRY, "connection_lost"),
        (Refusal.RATE_LIMITED, ConfigEntryState.SETUP_RETRY, "rate_limited"),
        (Refusal.PROTOCOL, ConfigEntryState.SETUP_RETRY, "unsupported_protocol"),
        (Refusal.TOKEN_MISMATCH, ConfigEntryState.SETUP_ERROR, "invalid_token"),
        (Refusal.PAIRING, ConfigEntryState.SETUP_RETRY, "pairing_required"),
        (Refusal.SIGNATURE, ConfigEntryState.SETUP_RETRY, "device_refused"),
    ],
)
async def test_a_refusal_ends_the_set_up_for_its_reason(  # noqa: PLR0913, PLR0917 - the row of the table
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    refusal: Refusal,
    state: ConfigEntryState,
    key: str,
) -> None:
    gateway.refuse(refusal)

    assert await _set_up(hass, new_entry) is state

    assert new_entry.error_reason_translation_key == key
    await gateway.wait_until(lambda: not gateway.open_connections)


@pytest.mark.parametrize("refusal", [Refusal.TOKEN_MISMATCH, Refusal.SIGNATURE])
async def test_a_refused_device_asks_for_access_again(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    refusal: Refusal,
) -> None:
    gateway.refuse(refusal)

    await _set_up(hass, new_entry)

    [flow] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH


@pytest.mark.parametrize("refusal", [Refusal.SIGNATURE, Refusal.PROTOCOL])
async def test_what_mends_itself_after_a_start_needs_nobody(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    refusal: Refusal,
) -> None:
    """Retry after temporary problems of the start."""
    gateway.refuse(refusal)
    await _set_up(hass, new_entry)
    loaded = asyncio.Event()

    @callback
    def note() -> None:
        if new_entry.state is ConfigEntryState.LOADED:
            loaded.set()

    unsubscribe = new_entry.async_on_state_change(note)
    gateway.refuse(None)
    async_fire_time_changed(hass, utcnow() + timedelta(minutes=1))
    await loaded.wait()

    unsubscribe()
    assert not hass.config_entries.flow.async_progress()


async def test_a_token_that_stops_working_asks_for_another(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.token = "changed"
    gateway.devices.tokens.clear()

    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    with pytest.raises(InvalidTokenError):
        await entry.runtime_data.client.wait_connected()
    await hass.async_block_till_done()

    [flow] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert entry.state is ConfigEntryState.LOADED


async def test_access_that_comes_back_is_not_asked_for_any_more(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    other = MockConfigEntry(domain=DOMAIN, data=entry.data)
    other.add_to_hass(hass)
    client = entry.runtime_data.client
    gateway.refuse(Refusal.SIGNATURE)
    await other.start_reauth_flow(hass)
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    with pytest.raises(GatewayAuthenticationError):
        await client.wait_connected()
    await hass.async_block_till_done()
    assert len(hass.config_entries.flow.async_progress()) == 2

    gateway.refuse(None)
    client.resume()
    await wait_for_state(hass, CONNECTIVITY, "on")

    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["entry_id"] == other.entry_id


async def test_a_client_that_waits_for_approval_goes_on_when_it_comes(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = entry.runtime_data.client
    gateway.refuse(Refusal.PAIRING)
    gateway.devices.approved.clear()
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    for _ in range(2):
        with pytest.raises(PairingRequiredError):
            await client.wait_connected()
        client.resume()
        await gateway.wait_until(lambda: not gateway.open_connections)
    assert caplog.text.count("The Gateway refuses the connection") == 1

    [request_id] = gateway.devices.pending
    gateway.approve(request_id)
    client.resume()
    await wait_for_state(hass, CONNECTIVITY, "on")


async def test_the_device_keeps_its_identity_over_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    assert await hass.config_entries.async_reload(entry.entry_id)

    first, second = (r.params["device"]["id"] for r in gateway.received("connect"))
    assert first == second


async def test_entries_that_are_set_up_at_once_make_one_identity(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load = Store.async_load

    async def load_from_disk(store: Store[Any]) -> object:
        stored = await load(store)
        await asyncio.sleep(0)
        return stored

    monkeypatch.setattr(Store, "async_load", load_from_disk)
    second = MockConfigEntry(domain=DOMAIN, data=new_entry.data, minor_version=7)
    second.add_to_hass(hass)

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    assert second.state is ConfigEntryState.LOADED
    stored = DeviceIdentity.from_secret(hass_storage[STORAGE_KEY]["data"]["secret"])
    used = [r.params["device"]["id"] for r in gateway.received("connect")]
    assert used == [stored.device_id] * 2


@pytest.mark.parametrize("protocol", [3, 4])
async def test_the_devices_own_token_opens_where_the_gateways_has_changed(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.token = "changed"

    assert await hass.config_entries.async_reload(entry.entry_id)

    assert entry.state is ConfigEntryState.LOADED


async def test_a_device_token_is_only_shown_where_it_came_from(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    async with GatewaySimulator(token="other") as other:
        data = {**entry.data, CONF_PORT: other.port}
        hass.config_entries.async_update_entry(entry, data=data)
        await hass.config_entries.async_reload(entry.entry_id)
        assert entry.state is ConfigEntryState.SETUP_ERROR
        tokens = [r.params["auth"]["token"] for r in other.received("connect")]
    assert set(tokens) == {entry.data[CONF_TOKEN]}


async def test_what_was_stored_goes_with_the_last_entry(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    await run_self_test(hass, mode="passive")
    own = {
        STORAGE_KEY,
        f"clawd.device_token.{entry.entry_id}",
        f"clawd.self_tests.{entry.entry_id}",
    }
    assert own <= hass_storage.keys()

    assert await hass.config_entries.async_remove(entry.entry_id)

    assert not own & hass_storage.keys()


@pytest.mark.parametrize("stored", [{}, {"origin": "x"}, [], {"token": 7}])
async def test_an_unreadable_device_token_is_got_anew(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    stored: object,
) -> None:
    key = f"clawd.device_token.{new_entry.entry_id}"
    kept = {"version": 1, "minor_version": 1, "key": key, "data": stored}
    hass_storage[key] = kept

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    assert hass_storage[key]["data"].keys() == {"origin", "token", "scopes"}


async def test_a_gateway_that_was_ignored_keeps_no_identity(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE).add_to_hass(hass)

    assert await hass.config_entries.async_remove(entry.entry_id)

    assert STORAGE_KEY not in hass_storage


async def test_the_identity_stays_for_another_entry(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    MockConfigEntry(domain=DOMAIN, data=entry.data).add_to_hass(hass)

    assert await hass.config_entries.async_remove(entry.entry_id)

    assert STORAGE_KEY in hass_storage


@pytest.mark.parametrize("stored", [{}, {"secret": "short"}, {"secret": None}, []])
async def test_an_unreadable_identity_is_not_replaced(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    stored: object,
) -> None:
    kept = {"version": 1, "minor_version": 1, "key": STORAGE_KEY, "data": stored}
    hass_storage[STORAGE_KEY] = kept

    assert await _set_up(hass, new_entry) is ConfigEntryState.SETUP_ERROR

    assert new_entry.error_reason_translation_key == "identity_unreadable"
    assert hass_storage[STORAGE_KEY]["data"] == stored
