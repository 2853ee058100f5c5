"""Tests of the reauth and reconfigure flows."""

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

from custom_components.clawd.const import (
    CONF_ALLOW_INSECURE,
    CONF_CA_CERTIFICATE,
    CONF_FINGERPRINT,
    CONF_KEEP_RUN,
    DOMAIN,
)
from custom_components.clawd.flows import setup
from custom_components.clawd.flows.address_form import SECTION_SECURITY
from custom_components.clawd.gateway import AddressClass, endpoint as endpoints
from tests.simulator import GatewaySimulator
from tests.simulator.tls import (
    certificate,
    certificate_pem,
    fingerprint,
    server_context,
)

from .flows import (
    ignore_failed_handshakes,
    placeholder,
    setup_link,
    submit,
    suggested_values,
)


async def _assert_updated(
    hass: HomeAssistant, entry: MockConfigEntry, result: ConfigFlowResult, reason: str
) -> None:
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == reason
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_reauth_with_a_new_token(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.token = "new"
    flow = await entry.start_reauth_flow(hass)
    assert flow["step_id"] == "reauth_confirm"
    assert flow["errors"] == {CONF_TOKEN: "invalid_token"}
    attempts = gateway.attempts
    flow = await submit(hass, flow)
    assert flow["errors"] == {CONF_TOKEN: "invalid_token"}
    assert gateway.attempts == attempts

    flow = await submit(hass, flow, {CONF_TOKEN: "wrong"})
    assert flow["errors"] == {CONF_TOKEN: "invalid_token"}

    result = await submit(hass, flow, {CONF_TOKEN: " new\n"})

    await _assert_updated(hass, entry, result, "reauth_successful")
    assert entry.data[CONF_TOKEN] == "new"
    # The counters outlive the reload.
    assert entry.runtime_data.client.statistics.connects == 2


@pytest.mark.parametrize("protocol", [3])
async def test_reauth_switches_between_token_and_password(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.mode, gateway.token = "password", "word"
    flow = await entry.start_reauth_flow(hass)

    result = await submit(hass, flow, {CONF_TOKEN: "word"})

    await _assert_updated(hass, entry, result, "reauth_successful")
    assert entry.data[CONF_PASSWORD] == "word"
    assert CONF_TOKEN not in entry.data

    gateway.mode, gateway.token = "token", "token"
    flow = await entry.start_reauth_flow(hass)
    await submit(hass, flow, {CONF_TOKEN: "token"})
    await hass.async_block_till_done()
    assert entry.data[CONF_TOKEN] == "token"
    assert CONF_PASSWORD not in entry.data


async def test_reauth_needs_no_form_where_access_is_back(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    result = await entry.start_reauth_flow(hass)

    await _assert_updated(hass, entry, result, "reauth_successful")
    assert gateway.connections


async def test_reauth_shows_that_the_gateway_is_unreachable(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()

    flow = await entry.start_reauth_flow(hass)

    assert flow["errors"] == {"base": "cannot_connect"}


async def test_reauth_with_an_approval(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(setup, "APPROVAL_POLL_INTERVAL", 0.0)
    gateway.pairing = True
    gateway.devices.approved.clear()
    flow = await entry.start_reauth_flow(hass)
    assert flow["type"] is FlowResultType.SHOW_PROGRESS

    gateway.approve(placeholder(flow, "request_id"))
    while flow["type"] is FlowResultType.SHOW_PROGRESS:
        await asyncio.sleep(0)
        flow = await submit(hass, flow)

    await _assert_updated(hass, entry, flow, "reauth_successful")


async def test_reconfigure_shows_the_address_but_not_the_token(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    form = await entry.start_reconfigure_flow(hass)

    assert form["step_id"] == "reconfigure"
    assert {key: value for key, value in suggested_values(form).items() if value} == {
        CONF_ADDRESS: gateway.url
    }


async def test_reconfigure_with_an_empty_token_keeps_the_stored_one(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    before = dict(entry.data)
    form = await entry.start_reconfigure_flow(hass)

    result = await submit(hass, form, {CONF_ADDRESS: gateway.url})

    await _assert_updated(hass, entry, result, "reconfigure_successful")
    assert entry.data.items() >= before.items()
    assert entry.unique_id == gateway.device_id


async def test_reconfigure_to_another_address(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    gateway.port = 0
    await gateway.resume()
    form = await entry.start_reconfigure_flow(hass)

    answers = {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}
    result = await submit(hass, form, answers)

    await _assert_updated(hass, entry, result, "reconfigure_successful")
    assert entry.data[CONF_PORT] == gateway.port


async def test_reconfigure_with_a_setup_link_replaces_the_token(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.token = "changed"
    gateway.devices.bootstrap_tokens.add("bootstrap")
    form = await entry.start_reconfigure_flow(hass)

    result = await submit(hass, form, {CONF_ADDRESS: setup_link(gateway)})

    await _assert_updated(hass, entry, result, "reconfigure_successful")
    assert CONF_TOKEN not in entry.data

    result = await entry.start_reauth_flow(hass)
    await _assert_updated(hass, entry, result, "reauth_successful")


async def test_reconfigure_shows_an_error_that_can_be_corrected(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    form = await entry.start_reconfigure_flow(hass)

    form = await submit(hass, form, {CONF_ADDRESS: gateway.url, CONF_TOKEN: "wrong"})
    assert form["step_id"] == "reconfigure"
    assert form["errors"] == {CONF_TOKEN: "invalid_token"}

    result = await submit(hass, form, {CONF_ADDRESS: gateway.url})
    await _assert_updated(hass, entry, result, "reconfigure_successful")
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
        result = await submit(hass, form, {CONF_ADDRESS: gateway.url})

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_gateway"
    assert dict(entry.data) == before


async def test_a_gateway_that_was_updated_to_protocol_4_stays_the_same(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    old_id = f"installation:{'ab' * 32}"
    hass.config_entries.async_update_entry(entry, unique_id=old_id)

    result = await entry.start_reauth_flow(hass)

    await _assert_updated(hass, entry, result, "reauth_successful")
    assert entry.unique_id == gateway.device_id


async def test_setup_updates_the_unique_id_of_a_gateway_updated_to_protocol_4(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    old_id = f"installation:{'ab' * 32}"
    hass.config_entries.async_update_entry(new_entry, unique_id=old_id)

    assert await hass.config_entries.async_setup(new_entry.entry_id)

    assert new_entry.unique_id == gateway.device_id


async def test_a_second_entry_of_a_gateway_does_not_get_its_unique_id(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    second = MockConfigEntry(domain=DOMAIN, data=entry.data, minor_version=7)
    second.add_to_hass(hass)
    form = await second.start_reconfigure_flow(hass)

    result = await submit(hass, form, {CONF_ADDRESS: gateway.url})

    await _assert_updated(hass, second, result, "reconfigure_successful")
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
    form = await submit(hass, form, {CONF_ADDRESS: gateway.url})
    assert form["step_id"] == "insecure"

    result = await submit(hass, form, {})

    await _assert_updated(hass, entry, result, "reconfigure_successful")
    assert entry.options == {CONF_KEEP_RUN: 60, CONF_ALLOW_INSECURE: True}


async def _switch_to_tls(
    gateway: GatewaySimulator, folder: Path, *, age: timedelta = timedelta(days=1)
) -> Path:
    """Restart a Gateway with a new certificate."""
    ignore_failed_handshakes(asyncio.get_running_loop())
    path = certificate(folder, age=age)
    await gateway.suspend()
    gateway.ssl = server_context(path)
    await gateway.resume()
    return path


async def _reconfigure_and_confirm(
    hass: HomeAssistant, entry: MockConfigEntry, answers: dict[str, Any], error: str
) -> str:
    """Reconfigure with a certificate to confirm; return the stored fingerprint."""
    form = await entry.start_reconfigure_flow(hass)
    form = await submit(hass, form, answers)
    assert form["step_id"] == "certificate"
    assert form["errors"] == {"base": error}
    result = await submit(hass, form, {})
    await _assert_updated(hass, entry, result, "reconfigure_successful")
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

    pin = await _reconfigure_and_confirm(hass, entry, answers, "certificate_unknown")
    assert pin == fingerprint(path)
    assert entry.data[CONF_SSL] is True

    await _switch_to_tls(gateway, tmp_path)
    pin = await _reconfigure_and_confirm(hass, entry, answers, "certificate_changed")
    assert pin == fingerprint(path)

    await gateway.suspend()
    gateway.ssl = None
    await gateway.resume()
    form = await entry.start_reconfigure_flow(hass)
    result = await submit(hass, form, {CONF_ADDRESS: plain})
    await _assert_updated(hass, entry, result, "reconfigure_successful")
    assert CONF_FINGERPRINT not in entry.data


async def test_a_new_ca_replaces_a_pinned_certificate(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    tmp_path: Path,
) -> None:
    path = await _switch_to_tls(gateway, tmp_path)
    answers = {CONF_ADDRESS: gateway.url}
    await _reconfigure_and_confirm(hass, entry, answers, "certificate_unknown")

    form = await entry.start_reconfigure_flow(hass)
    wrong = {SECTION_SECURITY: {CONF_CA_CERTIFICATE: "no certificate"}}
    form = await submit(hass, form, {**answers, **wrong})
    assert form["errors"] == {"base": "invalid_ca_certificate"}

    own = {SECTION_SECURITY: {CONF_CA_CERTIFICATE: path.read_text()}}
    result = await submit(hass, form, {**answers, **own})
    await _assert_updated(hass, entry, result, "reconfigure_successful")
    assert entry.data[CONF_CA_CERTIFICATE] == certificate_pem(path)
    assert CONF_FINGERPRINT not in entry.data

    form = await entry.start_reconfigure_flow(hass)
    assert suggested_values(form)[CONF_CA_CERTIFICATE] == certificate_pem(path)


async def test_a_certificate_confirmed_beside_a_ca_stays_pinned(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    tmp_path: Path,
) -> None:
    path = await _switch_to_tls(gateway, tmp_path, age=timedelta(days=9))
    own = {SECTION_SECURITY: {CONF_CA_CERTIFICATE: path.read_text()}}
    answers = {CONF_ADDRESS: gateway.url, **own}
    await _reconfigure_and_confirm(hass, entry, answers, "certificate_expired")

    form = await entry.start_reconfigure_flow(hass)
    result = await submit(hass, form, answers)

    await _assert_updated(hass, entry, result, "reconfigure_successful")
    assert entry.data[CONF_FINGERPRINT] == fingerprint(path)
