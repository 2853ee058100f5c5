"""Regaining access to a Gateway, and changing how it is reached."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.const import (
    CONF_ADDRESS,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_SSL,
    CONF_TOKEN,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd import visit
from custom_components.clawd.config_flow import SECTION_SECURITY
from custom_components.clawd.const import (
    CONF_ALLOW_INSECURE,
    CONF_CA_CERTIFICATE,
    CONF_FINGERPRINT,
    CONF_KEEP_RUN,
    DOMAIN,
)
from custom_components.clawd.gateway import AddressClass, endpoint as endpoints
from tests.simulator import GatewaySimulator
from tests.simulator.tls import (
    certificate,
    certificate_alone,
    fingerprint,
    server_context,
)

from .flows import expect_broken_handshakes, go_on, setup_link, shown, text_of


async def _changed(
    hass: HomeAssistant, entry: MockConfigEntry, result: ConfigFlowResult, reason: str
) -> None:
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == reason
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_a_new_token_regains_access(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.token = "new"
    flow = await entry.start_reauth_flow(hass)
    assert flow["step_id"] == "reauth_confirm"
    assert flow["errors"] == {CONF_TOKEN: "invalid_token"}
    attempts = gateway.attempts
    flow = await go_on(hass, flow)
    assert flow["errors"] == {CONF_TOKEN: "invalid_token"}
    assert gateway.attempts == attempts

    flow = await go_on(hass, flow, {CONF_TOKEN: "wrong"})
    assert flow["errors"] == {CONF_TOKEN: "invalid_token"}

    result = await go_on(hass, flow, {CONF_TOKEN: " new\n"})

    await _changed(hass, entry, result, "reauth_successful")
    assert entry.data[CONF_TOKEN] == "new"
    assert entry.runtime_data.client.statistics.connects == 1


@pytest.mark.parametrize("protocol", [3])
async def test_a_gateway_that_wants_a_password_now_gets_one(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.mode, gateway.token = "password", "word"
    flow = await entry.start_reauth_flow(hass)

    result = await go_on(hass, flow, {CONF_TOKEN: "word"})

    await _changed(hass, entry, result, "reauth_successful")
    assert entry.data[CONF_PASSWORD] == "word"
    assert CONF_TOKEN not in entry.data

    gateway.mode, gateway.token = "token", "token"
    flow = await entry.start_reauth_flow(hass)
    await go_on(hass, flow, {CONF_TOKEN: "token"})
    await hass.async_block_till_done()
    assert entry.data[CONF_TOKEN] == "token"
    assert CONF_PASSWORD not in entry.data


async def test_access_that_came_back_by_itself_needs_no_form(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    result = await entry.start_reauth_flow(hass)

    await _changed(hass, entry, result, "reauth_successful")
    assert gateway.connections


async def test_a_gateway_that_is_away_is_named_in_the_form(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()

    flow = await entry.start_reauth_flow(hass)

    assert flow["errors"] == {"base": "cannot_connect"}


async def test_approval_regains_access(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(visit, "APPROVAL_POLL_INTERVAL", 0.0)
    gateway.pairing = True
    gateway.devices.approved.clear()
    flow = await entry.start_reauth_flow(hass)
    assert flow["type"] is FlowResultType.SHOW_PROGRESS

    gateway.approve(text_of(flow, "request_id"))
    while flow["type"] is FlowResultType.SHOW_PROGRESS:
        await asyncio.sleep(0)
        flow = await go_on(hass, flow)

    await _changed(hass, entry, flow, "reauth_successful")


async def test_the_form_shows_the_address_but_not_the_token(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    form = await entry.start_reconfigure_flow(hass)

    assert form["step_id"] == "reconfigure"
    assert {key: value for key, value in shown(form).items() if value} == {
        CONF_ADDRESS: gateway.url
    }


async def test_an_empty_token_keeps_the_stored_one(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    before = dict(entry.data)
    form = await entry.start_reconfigure_flow(hass)

    result = await go_on(hass, form, {CONF_ADDRESS: gateway.url})

    await _changed(hass, entry, result, "reconfigure_successful")
    assert entry.data.items() >= before.items()
    assert entry.unique_id == gateway.device_id


async def test_a_gateway_that_moved_is_found_again(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    gateway.port = 0
    await gateway.resume()
    form = await entry.start_reconfigure_flow(hass)

    answers = {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}
    result = await go_on(hass, form, answers)

    await _changed(hass, entry, result, "reconfigure_successful")
    assert entry.data[CONF_PORT] == gateway.port


async def test_a_setup_link_takes_the_place_of_a_token(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.token = "changed"
    gateway.devices.bootstraps.add("bootstrap")
    form = await entry.start_reconfigure_flow(hass)

    result = await go_on(hass, form, {CONF_ADDRESS: setup_link(gateway)})

    await _changed(hass, entry, result, "reconfigure_successful")
    assert CONF_TOKEN not in entry.data

    result = await entry.start_reauth_flow(hass)
    await _changed(hass, entry, result, "reauth_successful")


async def test_a_mistake_is_shown_and_can_be_mended(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    form = await entry.start_reconfigure_flow(hass)

    form = await go_on(hass, form, {CONF_ADDRESS: gateway.url, CONF_TOKEN: "wrong"})
    assert form["step_id"] == "reconfigure"
    assert form["errors"] == {CONF_TOKEN: "invalid_token"}

    result = await go_on(hass, form, {CONF_ADDRESS: gateway.url})
    await _changed(hass, entry, result, "reconfigure_successful")
    assert entry.data[CONF_TOKEN] == gateway.token


@pytest.mark.parametrize("source", ["reauth", "reconfigure"])
async def test_another_gateway_does_not_get_the_entry(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator, source: str
) -> None:
    before = dict(entry.data)
    hass.config_entries.async_update_entry(entry, unique_id=gateway.device_id)
    gateway.device_id = "ef" * 32

    if source == "reauth":
        result = await entry.start_reauth_flow(hass)
    else:
        form = await entry.start_reconfigure_flow(hass)
        result = await go_on(hass, form, {CONF_ADDRESS: gateway.url})

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_gateway"
    assert dict(entry.data) == before


async def test_a_gateway_that_was_updated_to_protocol_4_stays_the_same(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    known_as = f"installation:{'ab' * 32}"
    hass.config_entries.async_update_entry(entry, unique_id=known_as)

    result = await entry.start_reauth_flow(hass)

    await _changed(hass, entry, result, "reauth_successful")
    assert entry.unique_id == gateway.device_id


async def test_the_update_of_a_gateway_is_noticed_at_set_up_too(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    known_as = f"installation:{'ab' * 32}"
    hass.config_entries.async_update_entry(new_entry, unique_id=known_as)

    assert await hass.config_entries.async_setup(new_entry.entry_id)

    assert new_entry.unique_id == gateway.device_id


async def test_a_second_entry_of_a_gateway_does_not_take_its_identity(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    second = MockConfigEntry(domain=DOMAIN, data=entry.data, minor_version=3)
    second.add_to_hass(hass)
    form = await second.start_reconfigure_flow(hass)

    result = await go_on(hass, form, {CONF_ADDRESS: gateway.url})

    await _changed(hass, second, result, "reconfigure_successful")
    assert entry.unique_id == gateway.device_id
    assert second.unique_id is None


async def test_consent_is_added_to_the_options(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hass.config_entries.async_update_entry(entry, options={CONF_KEEP_RUN: 60})
    monkeypatch.setattr(endpoints, "address_class", lambda _: AddressClass.PUBLIC)
    form = await entry.start_reconfigure_flow(hass)
    form = await go_on(hass, form, {CONF_ADDRESS: gateway.url})
    assert form["step_id"] == "insecure"

    result = await go_on(hass, form, {})

    await _changed(hass, entry, result, "reconfigure_successful")
    assert entry.options == {CONF_KEEP_RUN: 60, CONF_ALLOW_INSECURE: True}


async def _switch_to_tls(
    gateway: GatewaySimulator, folder: Path, *, age: timedelta = timedelta(days=1)
) -> Path:
    """Let a Gateway show a new certificate, which some clients will not take."""
    expect_broken_handshakes(asyncio.get_running_loop())
    path = certificate(folder, age=age)
    await gateway.suspend()
    gateway.ssl = server_context(path)
    await gateway.resume()
    return path


async def _pinned(
    hass: HomeAssistant, entry: MockConfigEntry, answers: dict[str, Any], error: str
) -> str:
    """Reconfigure with a certificate to confirm; return the stored fingerprint."""
    form = await entry.start_reconfigure_flow(hass)
    form = await go_on(hass, form, answers)
    assert form["step_id"] == "certificate"
    assert form["errors"] == {"base": error}
    result = await go_on(hass, form, {})
    await _changed(hass, entry, result, "reconfigure_successful")
    return str(entry.data[CONF_FINGERPRINT])


async def test_a_gateway_can_switch_to_tls_to_another_certificate_and_back(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    tmp_path: Path,
) -> None:
    plain = gateway.url
    path = await _switch_to_tls(gateway, tmp_path)
    answers = {CONF_ADDRESS: gateway.url}

    pin = await _pinned(hass, entry, answers, "certificate_unknown")
    assert pin == fingerprint(path)
    assert entry.data[CONF_SSL] is True

    await _switch_to_tls(gateway, tmp_path)
    pin = await _pinned(hass, entry, answers, "certificate_changed")
    assert pin == fingerprint(path)

    await gateway.suspend()
    gateway.ssl = None
    await gateway.resume()
    form = await entry.start_reconfigure_flow(hass)
    result = await go_on(hass, form, {CONF_ADDRESS: plain})
    await _changed(hass, entry, result, "reconfigure_successful")
    assert CONF_FINGERPRINT not in entry.data


async def test_a_new_ca_takes_the_place_of_a_pinned_certificate(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    tmp_path: Path,
) -> None:
    path = await _switch_to_tls(gateway, tmp_path)
    answers = {CONF_ADDRESS: gateway.url}
    await _pinned(hass, entry, answers, "certificate_unknown")

    form = await entry.start_reconfigure_flow(hass)
    wrong = {SECTION_SECURITY: {CONF_CA_CERTIFICATE: "no certificate"}}
    form = await go_on(hass, form, {**answers, **wrong})
    assert form["errors"] == {"base": "invalid_ca_certificate"}

    own = {SECTION_SECURITY: {CONF_CA_CERTIFICATE: path.read_text()}}
    result = await go_on(hass, form, {**answers, **own})
    await _changed(hass, entry, result, "reconfigure_successful")
    assert entry.data[CONF_CA_CERTIFICATE] == certificate_alone(path)
    assert CONF_FINGERPRINT not in entry.data

    form = await entry.start_reconfigure_flow(hass)
    assert shown(form)[CONF_CA_CERTIFICATE] == certificate_alone(path)


async def test_a_certificate_that_was_confirmed_beside_a_ca_stays_so(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    tmp_path: Path,
) -> None:
    path = await _switch_to_tls(gateway, tmp_path, age=timedelta(days=9))
    own = {SECTION_SECURITY: {CONF_CA_CERTIFICATE: path.read_text()}}
    answers = {CONF_ADDRESS: gateway.url, **own}
    await _pinned(hass, entry, answers, "certificate_expired")

    form = await entry.start_reconfigure_flow(hass)
    result = await go_on(hass, form, answers)

    await _changed(hass, entry, result, "reconfigure_successful")
    assert entry.data[CONF_FINGERPRINT] == fingerprint(path)
