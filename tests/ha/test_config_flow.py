"""The config flow."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
import socket
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_SSL, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd import config_flow
from custom_components.clawd.config_flow import SECTION_SECURITY
from custom_components.clawd.const import (
    CONF_ALLOW_INSECURE,
    CONF_CA_CERTIFICATE,
    CONF_FINGERPRINT,
    DOMAIN,
)
from custom_components.clawd.storage import STORAGE_KEY
from tests.simulator import GatewaySimulator, Refusal
from tests.simulator.tls import certificate, fingerprint, server_context


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for approval again at once."""
    monkeypatch.setattr(config_flow, "APPROVAL_POLL_INTERVAL", 0.0)


@pytest.fixture
async def answers(hass: HomeAssistant, gateway: GatewaySimulator) -> dict[str, Any]:
    """Return what a user types who gets everything right."""
    assert await async_setup_component(hass, "homeassistant", {})
    return {
        CONF_HOST: gateway.host,
        CONF_PORT: gateway.port,
        CONF_SSL: False,
        CONF_TOKEN: gateway.token,
    }


async def _start(hass: HomeAssistant, answers: dict[str, Any]) -> ConfigFlowResult:
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "user"
    assert not form["errors"]
    return await hass.config_entries.flow.async_configure(form["flow_id"], answers)


def _suggested(schema: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what a form shows again."""
    values: dict[str, Any] = {}
    for name, field in schema.items():
        if isinstance(field, section):
            values |= _suggested(field.schema.schema)
        elif name.description:
            values[str(name)] = name.description["suggested_value"]
    return values


def _shown(form: ConfigFlowResult) -> dict[str, Any]:
    """Return what a form shows of what was entered."""
    assert form["data_schema"]
    return _suggested(form["data_schema"].schema)


async def _go_on(
    hass: HomeAssistant, flow: ConfigFlowResult, answers: dict[str, Any] | None = None
) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_configure(flow["flow_id"], answers)


@pytest.mark.parametrize("protocol", [3, 4])
async def test_right_answers_make_an_entry(
    hass: HomeAssistant, answers: dict[str, Any]
) -> None:
    result = await _start(hass, answers)
    await hass.async_block_till_done()

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "OpenClaw Gateway"
    assert result["data"] == answers
    assert result["result"].state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_host_may_have_spaces_around_it(
    hass: HomeAssistant, answers: dict[str, Any]
) -> None:
    result = await _start(hass, {**answers, CONF_HOST: " 127.0.0.1 "})

    assert result["data"][CONF_HOST] == "127.0.0.1"
    assert await hass.config_entries.async_unload(result["result"].entry_id)


@pytest.mark.parametrize(
    ("refusal", "field", "key"),
    [
        (Refusal.TOKEN_MISMATCH, CONF_TOKEN, "invalid_token"),
        (Refusal.TOKEN_MISSING, CONF_TOKEN, "invalid_token"),
        (Refusal.PROTOCOL, "base", "unsupported_protocol"),
        (Refusal.SIGNATURE, "base", "device_refused"),
        (Refusal.RATE_LIMITED, "base", "rate_limited"),
        (Refusal.STARTING_HTTP, "base", "cannot_connect"),
        (Refusal.STARTING, "base", "cannot_connect"),
        (Refusal.PROXY, "base", "proxy_not_trusted"),
        (Refusal.NOT_A_GATEWAY, "base", "not_a_gateway"),
        (Refusal.DROP_BEFORE_HELLO, "base", "connection_lost"),
    ],
)
async def test_a_refusal_says_why_and_loses_nothing(  # noqa: PLR0913, PLR0917 - the row of the table
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    refusal: Refusal,
    field: str,
    key: str,
) -> None:
    gateway.refuse(refusal)

    form = await _start(hass, answers)

    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == {field: key}
    assert _shown(form) == answers

    gateway.refuse(None)
    result = await _go_on(hass, form, answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_closed_port_cannot_be_connected_to(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    await gateway.suspend()

    form = await _start(hass, answers)

    assert form["errors"] == {"base": "cannot_connect"}


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("http://127.0.0.1", "invalid_host"),
        ("", "invalid_host"),
    ],
)
async def test_a_host_that_is_none_is_named(
    hass: HomeAssistant, answers: dict[str, Any], host: str, key: str
) -> None:
    form = await _start(hass, {**answers, CONF_HOST: host})

    assert form["errors"] == {CONF_HOST: key}


async def test_a_host_that_nobody_knows_is_named(
    hass: HomeAssistant, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody_knows(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody_knows)

    form = await _start(hass, {**answers, CONF_HOST: "gateway.example"})

    assert form["errors"] == {CONF_HOST: "unknown_host"}


async def test_tls_to_a_plain_gateway_says_so(
    hass: HomeAssistant, answers: dict[str, Any]
) -> None:
    form = await _start(hass, {**answers, CONF_SSL: True})

    assert form["errors"] == {CONF_SSL: "tls_failed"}


def _expect_broken_handshakes(loop: asyncio.AbstractEventLoop) -> None:
    """Let a client leave that does not trust the Gateway; it is on the same loop."""
    handler = loop.get_exception_handler()
    assert handler

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), ConnectionResetError):
            handler(loop, context)

    loop.set_exception_handler(handle)


@pytest.fixture
async def secure_gateway(
    hass: HomeAssistant, tmp_path: Path
) -> AsyncGenerator[tuple[GatewaySimulator, Path]]:
    """Run a Gateway with TLS; give it with its certificate."""
    assert await async_setup_component(hass, "homeassistant", {})
    _expect_broken_handshakes(hass.loop)
    path = certificate(tmp_path)
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        yield gateway, path


def _secure(gateway: GatewaySimulator, **security: object) -> dict[str, Any]:
    return {
        CONF_HOST: gateway.host,
        CONF_PORT: gateway.port,
        CONF_SSL: True,
        CONF_TOKEN: gateway.token,
        SECTION_SECURITY: security,
    }


async def test_a_certificate_of_its_own_can_be_pinned(
    hass: HomeAssistant, secure_gateway: tuple[GatewaySimulator, Path]
) -> None:
    gateway, path = secure_gateway
    form = await _start(hass, _secure(gateway))
    assert form["errors"] == {CONF_SSL: "tls_certificate"}

    wrong = {CONF_FINGERPRINT: "AB" * 32}
    form = await _go_on(hass, form, _secure(gateway, **wrong))
    assert form["errors"] == {"base": "tls_fingerprint"}
    assert _shown(form)[CONF_FINGERPRINT] == "ab" * 32

    right = {CONF_FINGERPRINT: fingerprint(path).upper()}
    result = await _go_on(hass, form, _secure(gateway, **right))

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"][CONF_FINGERPRINT] == fingerprint(path)
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_ca_of_its_own_can_be_trusted(
    hass: HomeAssistant, secure_gateway: tuple[GatewaySimulator, Path]
) -> None:
    gateway, path = secure_gateway

    result = await _start(
        hass, _secure(gateway, **{CONF_CA_CERTIFICATE: path.read_text()})
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(result["result"].entry_id)


@pytest.mark.parametrize(
    ("security", "key"),
    [
        ({CONF_FINGERPRINT: "ab:cd"}, "invalid_fingerprint"),
        ({CONF_CA_CERTIFICATE: "no certificate"}, "invalid_ca_certificate"),
    ],
)
async def test_what_cannot_be_a_certificate_is_named(
    hass: HomeAssistant,
    secure_gateway: tuple[GatewaySimulator, Path],
    security: dict[str, str],
    key: str,
) -> None:
    gateway, _ = secure_gateway

    form = await _start(hass, _secure(gateway, **security))

    assert form["errors"] == {"base": key}
    assert _shown(form).items() >= security.items()
    assert gateway.attempts == 0


async def test_a_public_address_without_tls_needs_consent(
    hass: HomeAssistant, answers: dict[str, Any]
) -> None:
    form = await _start(hass, {**answers, CONF_HOST: "8.8.8.8"})

    assert form["errors"] == {"base": "insecure_transport"}


async def test_consent_to_a_connection_without_tls_is_kept(
    hass: HomeAssistant, answers: dict[str, Any]
) -> None:
    consent = {SECTION_SECURITY: {CONF_ALLOW_INSECURE: True}}

    result = await _start(hass, {**answers, **consent})

    assert result["data"] == {**answers, CONF_ALLOW_INSECURE: True}
    assert await hass.config_entries.async_unload(result["result"].entry_id)


@pytest.mark.parametrize(("protocol", "program"), [(3, "clawdbot"), (4, "openclaw")])
async def test_pairing_shows_the_command_and_goes_on_when_approved(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    answers: dict[str, Any],
    program: str,
) -> None:
    gateway.pairing = True

    progress = await _start(hass, answers)
    [request_id] = gateway.devices.pending

    assert progress["type"] is FlowResultType.SHOW_PROGRESS
    assert progress["progress_action"] == "wait_for_approval"
    assert progress["description_placeholders"] == {
        "request_id": request_id,
        "command": f"{program} devices approve {request_id}",
    }

    await gateway.wait_for_request("connect", 3)
    gateway.approve(request_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    result = await _go_on(hass, progress)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_request_that_expired_is_shown_anew(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    gateway.pairing = True
    progress = await _start(hass, answers)
    [first] = gateway.devices.pending

    gateway.devices.pending.clear()
    await hass.async_block_till_done(wait_background_tasks=True)
    progress = await _go_on(hass, progress)

    assert progress["type"] is FlowResultType.SHOW_PROGRESS
    assert progress["description_placeholders"]
    shown = progress["description_placeholders"]["request_id"]
    assert [shown] == list(gateway.devices.pending) != [first]
    hass.config_entries.flow.async_abort(progress["flow_id"])


async def test_closing_the_dialog_ends_the_wait(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    gateway.pairing = True
    progress = await _start(hass, answers)

    hass.config_entries.flow.async_abort(progress["flow_id"])

    await hass.async_block_till_done(wait_background_tasks=True)
    await gateway.wait_until(lambda: not gateway.peers)


async def test_an_error_while_waiting_for_approval_is_shown(
    hass: HomeAssistant, gateway: GatewaySimulator, answers: dict[str, Any]
) -> None:
    gateway.pairing = True
    progress = await _start(hass, answers)

    gateway.token = "changed"
    await hass.async_block_till_done(wait_background_tasks=True)
    form = await _go_on(hass, progress)

    assert form["step_id"] == "user"
    assert form["errors"] == {CONF_TOKEN: "invalid_token"}


async def test_a_gateway_is_added_once(
    hass: HomeAssistant, entry: MockConfigEntry, answers: dict[str, Any]
) -> None:
    assert entry.state is ConfigEntryState.LOADED

    result = await _start(hass, answers)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_an_unreadable_identity_ends_the_flow(
    hass: HomeAssistant, answers: dict[str, Any], hass_storage: dict[str, Any]
) -> None:
    hass_storage[STORAGE_KEY] = {"version": 1, "key": STORAGE_KEY, "data": {}}

    result = await _start(hass, answers)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "identity_unreadable"


async def test_a_new_token_regains_access(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.token = "new"
    flow = await entry.start_reauth_flow(hass)
    assert flow["step_id"] == "reauth_confirm"
    assert flow["errors"] == {CONF_TOKEN: "invalid_token"}

    flow = await _go_on(hass, flow, {CONF_TOKEN: "wrong"})
    assert flow["errors"] == {CONF_TOKEN: "invalid_token"}

    result = await _go_on(hass, flow, {CONF_TOKEN: "new"})
    await hass.async_block_till_done()

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert entry.data[CONF_TOKEN] == "new"
    assert entry.state is ConfigEntryState.LOADED


async def test_approval_regains_access(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.pairing = True
    gateway.devices.approved.clear()
    flow = await entry.start_reauth_flow(hass)
    assert flow["type"] is FlowResultType.SHOW_PROGRESS

    assert flow["description_placeholders"]
    gateway.approve(flow["description_placeholders"]["request_id"])
    while flow["type"] is FlowResultType.SHOW_PROGRESS:
        await asyncio.sleep(0)
        flow = await _go_on(hass, flow)
    await hass.async_block_till_done()

    assert flow["reason"] == "reauth_successful"
    assert entry.state is ConfigEntryState.LOADED
