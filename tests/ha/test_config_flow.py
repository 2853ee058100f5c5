"""Config flow started by the user."""

import socket
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    CONF_ADDRESS,
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PATH,
    CONF_PORT,
    CONF_SSL,
    CONF_TOKEN,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import CONF_ALLOW_INSECURE
from custom_components.clawd.gateway import AddressClass, endpoint as endpoints
from custom_components.clawd.storage import STORAGE_KEY
from tests.simulator import GatewaySimulator, Refusal

from .flows import (
    created_entry_data,
    placeholder,
    sent_credentials,
    setup_link,
    start_user_flow,
    submit,
    suggested_values,
)


@pytest.fixture(autouse=True)
async def _core(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "homeassistant", {})


@pytest.fixture
def answers(gateway: GatewaySimulator) -> dict[str, Any]:
    """Return valid input of the form."""
    return {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}


@pytest.mark.parametrize("protocol", [3, 4])
async def test_the_user_flow_creates_an_entry(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    result = await start_user_flow(hass, answers)

    assert result["title"] == "OpenClaw Gateway"
    assert await created_entry_data(hass, result) == {
        CONF_HOST: gateway.host,
        CONF_PORT: gateway.port,
        CONF_SSL: False,
        CONF_PATH: "",
        CONF_TOKEN: gateway.token,
    }
    assert result["options"] == {}


async def test_a_new_entry_has_the_id_and_the_default_agent_of_its_gateway(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    result = await start_user_flow(hass, answers)

    assert result["result"].unique_id == gateway.device_id
    subentries = result["result"].subentries.values()
    assert {entry.subentry_type: entry.title for entry in subentries} == {
        "conversation": "main",
        "ai_task_data": "main AI task",
    }
    assert {entry.data["agent"] for entry in subentries} == {"main"}
    await created_entry_data(hass, result)


@pytest.mark.parametrize(
    "address",
    ["{host}:{port}", " ws://{host}:{port} \n", "http://{host}:{port}/chat", "{host}"],
)
async def test_many_formats_of_an_address_are_accepted(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "custom_components.clawd.flows.address.DEFAULT_PORT", gateway.port
    )
    address = address.format(host=gateway.host, port=gateway.port)

    result = await start_user_flow(hass, {**answers, CONF_ADDRESS: address})

    data = await created_entry_data(hass, result)
    assert (data[CONF_HOST], data[CONF_PORT]) == (gateway.host, gateway.port)
    assert data[CONF_SSL] is False


async def test_a_dashboard_link_needs_no_token(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    link = f"http://{gateway.host}:{gateway.port}/#token={gateway.token}"

    result = await start_user_flow(hass, {CONF_ADDRESS: link})

    assert (await created_entry_data(hass, result))[CONF_TOKEN] == answers[CONF_TOKEN]


async def test_whitespace_around_a_token_is_removed(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    result = await start_user_flow(
        hass, {**answers, CONF_TOKEN: f" {gateway.token}\r\n"}
    )

    assert (await created_entry_data(hass, result))[CONF_TOKEN] == gateway.token


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_password_is_accepted_where_the_gateway_uses_one(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    protocol: int,
) -> None:
    gateway.mode = "password"

    data = await created_entry_data(hass, await start_user_flow(hass, answers))

    kind = CONF_PASSWORD if protocol == 3 else CONF_TOKEN
    assert data[kind] == gateway.token
    assert len({CONF_TOKEN, CONF_PASSWORD} & set(data)) == 1


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize(
    ("mode", "entered", "key"),
    [
        ("token", "wrong", "invalid_token"),
        ("token", None, "token_missing"),
        ("password", "wrong", "invalid_password"),
        ("password", None, "password_missing"),
    ],
)
async def test_a_wrong_or_missing_secret_is_an_error_at_its_field(  # noqa: PLR0913, PLR0917 - the row of the table
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    mode: str,
    entered: str | None,
    key: str,
) -> None:
    gateway.mode = mode
    given = {CONF_ADDRESS: gateway.url} | ({CONF_TOKEN: entered} if entered else {})

    form = await start_user_flow(hass, given)

    assert form["errors"] == {CONF_TOKEN: key}
    assert suggested_values(form) == given
    await created_entry_data(hass, await submit(hass, form, answers))


@pytest.mark.parametrize(
    ("refusal", "key"),
    [
        (Refusal.PROTOCOL, "unsupported_protocol"),
        (Refusal.SIGNATURE, "device_refused"),
        (Refusal.RATE_LIMITED, "rate_limited"),
        (Refusal.STARTING_HTTP, "cannot_connect"),
        (Refusal.STARTING, "cannot_connect"),
        (Refusal.PROXY, "proxy_not_trusted"),
        (Refusal.NOT_A_GATEWAY, "not_a_gateway"),
        (Refusal.DROP_BEFORE_CHALLENGE, "cannot_connect"),
        (Refusal.DROP_BEFORE_HELLO, "connection_lost"),
    ],
)
async def test_a_refusal_shows_its_error_and_keeps_the_input(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    refusal: Refusal,
    key: str,
) -> None:
    gateway.refuse(refusal)

    form = await start_user_flow(hass, answers)

    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == {"base": key}
    assert suggested_values(form) == answers

    gateway.refuse(None)
    await created_entry_data(hass, await submit(hass, form, answers))


@pytest.mark.parametrize("version", [2, 99])
async def test_an_unsupported_protocol_is_an_error(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    version: int,
) -> None:
    gateway.edit("hello-ok", lambda hello: hello.update(protocol=version))

    form = await start_user_flow(hass, answers)

    assert form["errors"] == {"base": "unsupported_protocol"}


@pytest.mark.parametrize("scheme", ["ws://", ""])
async def test_a_closed_port_is_an_error(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    scheme: str,
) -> None:
    await gateway.suspend()

    address = f"{scheme}{gateway.host}:{gateway.port}"
    form = await start_user_flow(hass, {**answers, CONF_ADDRESS: address})

    assert form["errors"] == {"base": "cannot_connect"}


@pytest.mark.parametrize("address", ["ftp://127.0.0.1", "two words", "", "host:port"])
async def test_an_invalid_address_is_an_error(
    hass: HomeAssistant, answers: dict[str, Any], address: str
) -> None:
    given = {**answers, CONF_ADDRESS: address}
    form = await start_user_flow(hass, given)

    assert form["errors"] == {CONF_ADDRESS: "invalid_address"}
    assert suggested_values(form) == given


async def test_an_unknown_host_is_an_error(
    hass: HomeAssistant, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_to_resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail_to_resolve)

    form = await start_user_flow(hass, {**answers, CONF_ADDRESS: "gateway.example"})

    assert form["errors"] == {CONF_ADDRESS: "unknown_host"}


async def test_tls_to_a_gateway_without_it_is_an_error(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    address = f"wss://{gateway.host}:{gateway.port}"
    form = await start_user_flow(hass, {**answers, CONF_ADDRESS: address})

    assert form["errors"] == {CONF_ADDRESS: "tls_failed"}


@pytest.mark.parametrize(
    ("entered", "address"),
    [
        ("ws://8.8.8.8", "ws://8.8.8.8:18789"),
        ("ws://[2001:4860:4860::8888]:1", "ws://[2001:4860:4860::8888]:1"),
    ],
)
async def test_a_public_address_without_tls_needs_consent(
    hass: HomeAssistant, answers: dict[str, Any], entered: str, address: str
) -> None:
    form = await start_user_flow(hass, {**answers, CONF_ADDRESS: entered})

    assert form["step_id"] == "insecure"
    assert placeholder(form, "address") == address


async def test_consent_to_a_connection_without_tls_is_stored_as_an_option(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endpoints, "address_class", lambda _: AddressClass.PUBLIC)
    form = await start_user_flow(hass, answers)
    assert form["step_id"] == "insecure"
    assert sent_credentials(gateway) == []

    result = await submit(hass, form, {})

    assert result["options"] == {CONF_ALLOW_INSECURE: True}
    await created_entry_data(hass, result)


async def test_no_credentials_are_sent_to_another_server(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    gateway.edit("connect.challenge", dict.clear)

    form = await start_user_flow(hass, answers)

    assert form["errors"] == {"base": "not_a_gateway"}
    assert gateway.requests == []


async def test_a_gateway_is_added_once(
    hass: HomeAssistant, entry: MockConfigEntry, answers: dict[str, Any]
) -> None:
    assert entry.state is ConfigEntryState.LOADED

    result = await start_user_flow(hass, answers)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_a_known_gateway_at_another_address_is_not_changed(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    elsewhere = {**new_entry.data, CONF_PORT: 1}
    hass.config_entries.async_update_entry(
        new_entry, unique_id=gateway.device_id, data=elsewhere
    )

    result = await start_user_flow(
        hass, {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}
    )

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert new_entry.data == elsewhere


async def test_a_setup_link_leads_to_a_device_token(
    hass: HomeAssistant, gateway: GatewaySimulator, hass_storage: dict[str, Any]
) -> None:
    gateway.devices.bootstrap_tokens.add("bootstrap")

    result = await start_user_flow(hass, {CONF_ADDRESS: setup_link(gateway)})
    data = await created_entry_data(hass, result)

    assert not {CONF_TOKEN, CONF_PASSWORD} & set(data)
    [stored] = [key for key in hass_storage if "device_token" in key]
    assert stored.endswith(result["result"].entry_id)
    assert await hass.config_entries.async_setup(result["result"].entry_id)
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_used_setup_link_is_an_error(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    form = await start_user_flow(hass, {CONF_ADDRESS: setup_link(gateway)})

    assert form["errors"] == {CONF_ADDRESS: "setup_link_used"}


async def test_an_unreadable_identity_aborts_the_flow(
    hass: HomeAssistant, answers: dict[str, Any], hass_storage: dict[str, Any]
) -> None:
    hass_storage[STORAGE_KEY] = {"version": 1, "key": STORAGE_KEY, "data": {}}

    result = await start_user_flow(hass, answers)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "identity_unreadable"
