"""Adding a Gateway by hand."""

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

from .flows import go_on, loaded, secrets_told, setup_link, shown, start, text_of


@pytest.fixture(autouse=True)
async def _core(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "homeassistant", {})


@pytest.fixture
def answers(gateway: GatewaySimulator) -> dict[str, Any]:
    """Return what a user types who gets everything right."""
    return {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}


@pytest.mark.parametrize("protocol", [3, 4])
async def test_right_answers_make_an_entry(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    result = await start(hass, answers)

    assert result["title"] == "OpenClaw Gateway"
    assert await loaded(hass, result) == {
        CONF_HOST: gateway.host,
        CONF_PORT: gateway.port,
        CONF_SSL: False,
        CONF_PATH: "",
        CONF_TOKEN: gateway.token,
    }
    assert result["options"] == {}


async def test_an_entry_is_known_by_the_gateway_and_has_its_first_agent(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    result = await start(hass, answers)

    assert result["result"].unique_id == gateway.device_id
    [subentry] = result["result"].subentries.values()
    assert (subentry.subentry_type, subentry.title) == ("conversation", "main")
    assert subentry.data["agent"] == "main"
    await loaded(hass, result)


@pytest.mark.parametrize(
    "address",
    ["{host}:{port}", " ws://{host}:{port} \n", "http://{host}:{port}/chat", "{host}"],
)
async def test_an_address_may_be_written_in_many_ways(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("custom_components.clawd.address.DEFAULT_PORT", gateway.port)
    address = address.format(host=gateway.host, port=gateway.port)

    result = await start(hass, {**answers, CONF_ADDRESS: address})

    data = await loaded(hass, result)
    assert (data[CONF_HOST], data[CONF_PORT]) == (gateway.host, gateway.port)
    assert data[CONF_SSL] is False


async def test_a_dashboard_link_is_all_that_is_needed(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    link = f"http://{gateway.host}:{gateway.port}/#token={gateway.token}"

    result = await start(hass, {CONF_ADDRESS: link})

    assert (await loaded(hass, result))[CONF_TOKEN] == answers[CONF_TOKEN]


async def test_a_token_may_have_spaces_and_line_ends_around_it(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    result = await start(hass, {**answers, CONF_TOKEN: f" {gateway.token}\r\n"})

    assert (await loaded(hass, result))[CONF_TOKEN] == gateway.token


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_password_is_as_good_where_the_gateway_wants_one(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    protocol: int,
) -> None:
    gateway.mode = "password"

    data = await loaded(hass, await start(hass, answers))

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
async def test_a_wrong_or_missing_secret_is_named(  # noqa: PLR0913, PLR0917 - the row of the table
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    mode: str,
    entered: str | None,
    key: str,
) -> None:
    gateway.mode = mode
    given = {CONF_ADDRESS: gateway.url} | ({CONF_TOKEN: entered} if entered else {})

    form = await start(hass, given)

    assert form["errors"] == {CONF_TOKEN: key}
    assert shown(form) == given
    await loaded(hass, await go_on(hass, form, answers))


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
async def test_a_refusal_says_why_and_loses_nothing(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    refusal: Refusal,
    key: str,
) -> None:
    gateway.refuse(refusal)

    form = await start(hass, answers)

    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == {"base": key}
    assert shown(form) == answers

    gateway.refuse(None)
    await loaded(hass, await go_on(hass, form, answers))


@pytest.mark.parametrize("version", [2, 99])
async def test_a_gateway_of_another_protocol_is_named(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    version: int,
) -> None:
    gateway.edit("hello-ok", lambda hello: hello.update(protocol=version))

    form = await start(hass, answers)

    assert form["errors"] == {"base": "unsupported_protocol"}


@pytest.mark.parametrize("scheme", ["ws://", ""])
async def test_a_closed_port_cannot_be_connected_to(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    scheme: str,
) -> None:
    await gateway.suspend()

    place = f"{scheme}{gateway.host}:{gateway.port}"
    form = await start(hass, {**answers, CONF_ADDRESS: place})

    assert form["errors"] == {"base": "cannot_connect"}


@pytest.mark.parametrize("address", ["ftp://127.0.0.1", "two words", "", "host:port"])
async def test_an_address_that_is_none_is_named(
    hass: HomeAssistant, answers: dict[str, Any], address: str
) -> None:
    given = {**answers, CONF_ADDRESS: address}
    form = await start(hass, given)

    assert form["errors"] == {CONF_ADDRESS: "invalid_address"}
    assert shown(form) == given


async def test_a_host_that_nobody_knows_is_named(
    hass: HomeAssistant, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody_knows(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody_knows)

    form = await start(hass, {**answers, CONF_ADDRESS: "gateway.example"})

    assert form["errors"] == {CONF_ADDRESS: "unknown_host"}


async def test_tls_to_a_plain_gateway_says_so(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    place = f"wss://{gateway.host}:{gateway.port}"
    form = await start(hass, {**answers, CONF_ADDRESS: place})

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
    form = await start(hass, {**answers, CONF_ADDRESS: entered})

    assert form["step_id"] == "insecure"
    assert text_of(form, "address") == address


async def test_consent_to_a_connection_without_tls_becomes_an_option(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endpoints, "address_class", lambda _: AddressClass.PUBLIC)
    form = await start(hass, answers)
    assert form["step_id"] == "insecure"
    assert secrets_told(gateway) == []

    result = await go_on(hass, form, {})

    assert result["options"] == {CONF_ALLOW_INSECURE: True}
    await loaded(hass, result)


async def test_nothing_secret_is_told_to_another_server(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    gateway.edit("connect.challenge", dict.clear)

    form = await start(hass, answers)

    assert form["errors"] == {"base": "not_a_gateway"}
    assert gateway.requests == []


async def test_a_gateway_is_added_once(
    hass: HomeAssistant, entry: MockConfigEntry, answers: dict[str, Any]
) -> None:
    assert entry.state is ConfigEntryState.LOADED

    result = await start(hass, answers)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_a_gateway_is_known_at_another_address_and_not_moved_there(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    elsewhere = {**new_entry.data, CONF_PORT: 1}
    hass.config_entries.async_update_entry(
        new_entry, unique_id=gateway.device_id, data=elsewhere
    )

    result = await start(hass, {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token})

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert new_entry.data == elsewhere


async def test_a_setup_link_lets_in_for_good(
    hass: HomeAssistant, gateway: GatewaySimulator, hass_storage: dict[str, Any]
) -> None:
    gateway.devices.bootstraps.add("bootstrap")

    result = await start(hass, {CONF_ADDRESS: setup_link(gateway)})
    data = await loaded(hass, result)

    assert not {CONF_TOKEN, CONF_PASSWORD} & set(data)
    [stored] = [key for key in hass_storage if "device_token" in key]
    assert stored.endswith(result["result"].entry_id)
    assert await hass.config_entries.async_setup(result["result"].entry_id)
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_setup_link_that_was_used_is_named(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    form = await start(hass, {CONF_ADDRESS: setup_link(gateway)})

    assert form["errors"] == {CONF_ADDRESS: "setup_link_used"}


async def test_an_unreadable_identity_ends_the_flow(
    hass: HomeAssistant, answers: dict[str, Any], hass_storage: dict[str, Any]
) -> None:
    hass_storage[STORAGE_KEY] = {"version": 1, "key": STORAGE_KEY, "data": {}}

    result = await start(hass, answers)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "identity_unreadable"
