"""Config flow with several addresses."""

import errno
from ipaddress import ip_address
from typing import Any

from aiohappyeyeballs import start_connection
from homeassistant.config_entries import SOURCE_ZEROCONF
from homeassistant.const import CONF_ADDRESS, CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.gateway.protocol import transport
from tests.simulator import GatewaySimulator
from tests.unit.raw_server import raw_server

from .flows import (
    created_entry_data,
    placeholder,
    sent_credentials,
    setup_link,
    start_user_flow,
    submit,
    suggested_values,
)

NOBODY, NOBODY_TOO = "127.0.0.2", "127.0.0.3"


@pytest.fixture(autouse=True)
async def _core(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing answer at two addresses, which the harness does not let through."""
    assert await async_setup_component(hass, "homeassistant", {})

    async def start(found: Any, **settings: Any) -> Any:  # noqa: ANN401 - its own
        if found[0][4][0] in {NOBODY, NOBODY_TOO}:
            raise OSError(errno.EHOSTUNREACH, "injected")
        return await start_connection(found, **settings)

    monkeypatch.setattr(transport, "start_connection", start)


def _link(gateway: GatewaySimulator, *hosts: str) -> str:
    urls = [f"ws://{host}:{gateway.port}" for host in hosts]
    gateway.devices.bootstrap_tokens.add("bootstrap")
    return setup_link(gateway, urls[0], urls=urls)


async def test_every_address_of_a_setup_code_is_tried(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    link = _link(gateway, NOBODY, NOBODY_TOO, gateway.host)

    result = await start_user_flow(hass, {CONF_ADDRESS: link})

    assert (await created_entry_data(hass, result))[CONF_HOST] == gateway.host


async def test_the_address_of_a_setup_code_can_be_replaced_and_the_code_is_kept(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    form = await start_user_flow(hass, {CONF_ADDRESS: _link(gateway, NOBODY)})

    assert form["step_id"] == "link_address"
    assert form["errors"] == {"base": "cannot_connect"}
    in_code = f"ws://{NOBODY}:{gateway.port}"
    assert placeholder(form, "address") == in_code
    assert suggested_values(form) == {CONF_ADDRESS: in_code}

    form = await submit(hass, form, {CONF_ADDRESS: "no where"})
    assert form["errors"] == {CONF_ADDRESS: "invalid_address"}
    form = await submit(hass, form, {CONF_ADDRESS: f"{NOBODY_TOO}:{gateway.port}"})
    assert form["step_id"] == "link_address"
    assert placeholder(form, "address") == in_code
    result = await submit(hass, form, {CONF_ADDRESS: gateway.url})

    data = await created_entry_data(hass, result)
    assert (data[CONF_HOST], data[CONF_PORT]) == (gateway.host, gateway.port)
    assert CONF_TOKEN not in data
    [auth, *_] = sent_credentials(gateway)
    assert auth == {"bootstrapToken": "bootstrap"}


async def test_another_setup_code_can_take_the_place_of_the_first(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    form = await start_user_flow(hass, {CONF_ADDRESS: _link(gateway, NOBODY)})

    form = await submit(hass, form, {CONF_ADDRESS: _link(gateway, NOBODY_TOO)})
    assert placeholder(form, "address") == f"ws://{NOBODY_TOO}:{gateway.port}"
    result = await submit(hass, form, {CONF_ADDRESS: _link(gateway, gateway.host)})

    assert (await created_entry_data(hass, result))[CONF_HOST] == gateway.host


def _discovery(gateway: GatewaySimulator, *hosts: str) -> ZeroconfServiceInfo:
    addresses = [ip_address(host) for host in hosts]
    return ZeroconfServiceInfo(
        ip_address=addresses[0],
        ip_addresses=addresses,
        port=gateway.port,
        hostname="study.local.",
        type="_openclaw-gw._tcp.local.",
        name="study._openclaw-gw._tcp.local.",
        properties={"displayName": "Study"},
    )


async def _discover(hass: HomeAssistant, gateway: GatewaySimulator, *hosts: str) -> Any:  # noqa: ANN401 - a flow result
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_ZEROCONF},
        data=_discovery(gateway, *hosts),
    )


async def test_every_address_of_a_discovered_gateway_is_tried(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    form = await _discover(hass, gateway, NOBODY, gateway.host)
    assert placeholder(form, "address") == (
        f"ws://{NOBODY}:{gateway.port}, ws://{gateway.host}:{gateway.port}"
    )
    assert gateway.attempts == 0

    result = await submit(hass, form, {CONF_TOKEN: gateway.token})

    assert (await created_entry_data(hass, result))[CONF_HOST] == gateway.host


async def test_the_addresses_of_a_discovered_gateway_are_named_with_the_error(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    form = await _discover(hass, gateway, NOBODY, NOBODY_TOO)

    form = await submit(hass, form, {CONF_TOKEN: gateway.token})

    assert form["step_id"] == "zeroconf_confirm"
    assert form["errors"] == {"base": "cannot_connect"}
    assert NOBODY in placeholder(form, "address")
    assert NOBODY_TOO in placeholder(form, "address")


async def test_an_address_that_hangs_up_does_not_hide_the_one_that_answers(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    async with raw_server(b"") as port:
        urls = [f"ws://127.0.0.1:{port}", gateway.url]
        gateway.devices.bootstrap_tokens.add("bootstrap")
        link = setup_link(gateway, urls[0], urls=urls)
        result = await start_user_flow(hass, {CONF_ADDRESS: link})

    assert (await created_entry_data(hass, result))[CONF_PORT] == gateway.port


@pytest.mark.parametrize(
    "token",
    ["__OPENCLAW_REDACTED__", "undefined", '"null"', '""', "two\nlines", "#token="],
)
async def test_a_pasted_placeholder_is_refused_before_anything_is_sent(
    hass: HomeAssistant, gateway: GatewaySimulator, token: str
) -> None:
    answers = {CONF_ADDRESS: gateway.url, CONF_TOKEN: token}

    form = await start_user_flow(hass, answers)

    assert form["errors"] == {CONF_TOKEN: "invalid_secret"}
    assert gateway.attempts == 0
    form = await submit(hass, form, {**answers, CONF_TOKEN: f'"{gateway.token}"'})
    assert (await created_entry_data(hass, form))[CONF_TOKEN] == gateway.token


async def test_a_placeholder_in_a_link_is_refused_before_anything_is_sent(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    link = f"http://{gateway.host}:{gateway.port}/#token=undefined"

    form = await start_user_flow(hass, {CONF_ADDRESS: link})

    assert form["errors"] == {CONF_ADDRESS: "invalid_secret"}
    assert gateway.attempts == 0


async def test_a_placeholder_is_refused_where_only_the_token_is_asked_for(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    form = await _discover(hass, gateway, gateway.host)

    form = await submit(hass, form, {CONF_TOKEN: "undefined"})

    assert form["errors"] == {CONF_TOKEN: "invalid_secret"}
    assert gateway.attempts == 0


async def test_the_plus_of_a_token_is_kept(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.token = "ab+c/d="
    link = f"http://{gateway.host}:{gateway.port}/#token=ab+c/d="

    data = await created_entry_data(
        hass, await start_user_flow(hass, {CONF_ADDRESS: link})
    )

    assert data[CONF_TOKEN] == "ab+c/d="


async def test_an_entry_takes_the_address_in_the_place_of_that_of_a_code(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    form = await new_entry.start_reconfigure_flow(hass)
    form = await submit(hass, form, {CONF_ADDRESS: _link(gateway, NOBODY)})
    assert form["step_id"] == "link_address"

    result = await submit(hass, form, {CONF_ADDRESS: gateway.url})

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
