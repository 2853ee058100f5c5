"""Config flow behind a sign-in page."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import CONF_ADDRESS, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import (
    CONF_ALLOW_INSECURE,
    CONF_FINGERPRINT,
    CONF_HEADERS,
)
from custom_components.clawd.flows.headers import HIDDEN
from tests.simulator import GatewaySimulator, Refusal
from tests.simulator.tls import certificate, fingerprint, server_context
from tests.unit.raw_server import http, raw_server

from .flows import (
    created_entry_data,
    ignore_failed_handshakes,
    placeholder,
    sent_credentials,
    start_user_flow,
    submit,
    suggested_values,
)

ID, SECRET = "CF-Access-Client-Id", "CF-Access-Client-Secret"
SERVICE_TOKEN = {ID: "4f2c81.access", SECRET: "s3cr3t-of-the-service"}
LINES = [f"{name}: {value}" for name, value in SERVICE_TOKEN.items()]


@pytest.fixture(autouse=True)
async def _core(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "homeassistant", {})


@pytest.fixture
def guarded(gateway: GatewaySimulator) -> GatewaySimulator:
    """Put a sign-in page in front of the Gateway."""
    gateway.service_token = SERVICE_TOKEN
    return gateway


def _answers(gateway: GatewaySimulator) -> dict[str, Any]:
    return {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}


async def test_the_headers_of_a_service_token_let_the_flow_through(
    hass: HomeAssistant, guarded: GatewaySimulator, caplog: pytest.LogCaptureFixture
) -> None:
    form = await start_user_flow(hass, _answers(guarded))

    assert form["step_id"] == "sign_in"
    assert not form["errors"]
    assert placeholder(form, "address") == guarded.url
    assert sent_credentials(guarded) == []

    form = await submit(hass, form, {CONF_HEADERS: [LINES[0], f"{SECRET}: old-one"]})
    assert form["step_id"] == "sign_in"
    assert form["errors"] == {"base": "sign_in_required"}

    result = await submit(hass, form, {CONF_HEADERS: [f"{ID}: {HIDDEN}", LINES[1]]})
    await created_entry_data(hass, result)
    assert result["options"] == {CONF_HEADERS: SERVICE_TOKEN}
    assert guarded.upgrades[-1].items() >= SERVICE_TOKEN.items()
    ours = [r.getMessage() for r in caplog.records if r.name != "websockets.server"]
    assert ours
    for secret in SERVICE_TOKEN.values():
        assert secret not in str(ours)


async def test_an_invalid_header_is_named_by_its_line_and_not_sent(
    hass: HomeAssistant, guarded: GatewaySimulator
) -> None:
    form = await start_user_flow(hass, _answers(guarded))
    attempts = guarded.attempts

    form = await submit(hass, form, {CONF_HEADERS: [LINES[0], "Host: elsewhere"]})

    assert form["errors"] == {"base": "reserved_header"}
    assert placeholder(form, "line") == "2"
    assert suggested_values(form) == {CONF_HEADERS: [LINES[0], "Host: elsewhere"]}
    assert guarded.attempts == attempts


@pytest.mark.parametrize("empty", [{}, {CONF_HEADERS: []}])
async def test_without_headers_the_address_can_be_changed(
    hass: HomeAssistant, guarded: GatewaySimulator, empty: dict[str, Any]
) -> None:
    form = await start_user_flow(hass, _answers(guarded))

    form = await submit(hass, form, empty)

    assert form["step_id"] == "user"
    assert form["errors"] == {"base": "sign_in_required"}
    assert suggested_values(form)[CONF_ADDRESS] == guarded.url


async def test_a_page_that_answers_is_a_sign_in_page(hass: HomeAssistant) -> None:
    page = "<form>Sign in</form>"
    answer = http("200 OK", "Content-Type: text/html", f"Content-Length: {len(page)}")
    async with raw_server(answer + page.encode()) as port:
        form = await start_user_flow(hass, {CONF_ADDRESS: f"ws://127.0.0.1:{port}"})

    assert form["step_id"] == "sign_in"


async def test_only_the_address_with_the_page_gets_the_headers(
    hass: HomeAssistant,
    guarded: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "custom_components.clawd.flows.address.DEFAULT_PORT", guarded.port
    )
    answers = {**_answers(guarded), CONF_ADDRESS: f"http://{guarded.host}/chat"}
    form = await start_user_flow(hass, answers)
    attempts = guarded.attempts

    result = await submit(hass, form, {CONF_HEADERS: LINES})

    await created_entry_data(hass, result)
    # Of two paths and two ports: one probe, one login, and the entry.
    assert guarded.attempts == attempts + 3


async def test_an_entry_gets_headers_when_it_is_reconfigured(
    hass: HomeAssistant, new_entry: MockConfigEntry, guarded: GatewaySimulator
) -> None:
    options = {CONF_ALLOW_INSECURE: True, CONF_HEADERS: {"X-Old": "an-old-value"}}
    hass.config_entries.async_update_entry(new_entry, options=options)
    form = await new_entry.start_reconfigure_flow(hass)

    form = await submit(hass, form, {CONF_ADDRESS: guarded.url})
    assert form["step_id"] == "sign_in"
    assert suggested_values(form) == {CONF_HEADERS: [f"X-Old: {HIDDEN}"]}
    result = await submit(hass, form, {CONF_HEADERS: LINES})

    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert new_entry.state is ConfigEntryState.LOADED
    assert new_entry.options == {CONF_ALLOW_INSECURE: True, CONF_HEADERS: SERVICE_TOKEN}


async def test_a_reauthentication_asks_for_headers_and_then_for_the_token(
    hass: HomeAssistant, new_entry: MockConfigEntry, guarded: GatewaySimulator
) -> None:
    guarded.token = "another-token"
    form = await hass.config_entries.flow.async_init(
        new_entry.domain,
        context={"source": SOURCE_REAUTH, "entry_id": new_entry.entry_id},
        data=new_entry.data,
    )
    assert form["step_id"] == "sign_in"

    form = await submit(hass, form, {CONF_HEADERS: LINES})
    assert form["step_id"] == "reauth_confirm"
    assert form["errors"] == {CONF_TOKEN: "invalid_token"}
    result = await submit(hass, form, {CONF_TOKEN: guarded.token})

    assert result["type"] is FlowResultType.ABORT
    await hass.async_block_till_done()
    assert new_entry.state is ConfigEntryState.LOADED
    assert new_entry.options == {CONF_HEADERS: SERVICE_TOKEN}


@pytest.fixture
async def tls_gateway(
    hass: HomeAssistant, tmp_path: Path
) -> AsyncGenerator[tuple[GatewaySimulator, str]]:
    """Run a Gateway with an unknown certificate."""
    ignore_failed_handshakes(hass.loop)
    path = certificate(tmp_path)
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        yield gateway, fingerprint(path)


async def test_the_certificate_is_confirmed_before_the_headers_are_asked_for(
    hass: HomeAssistant, tls_gateway: tuple[GatewaySimulator, str]
) -> None:
    gateway, pin = tls_gateway
    gateway.service_token = SERVICE_TOKEN
    form = await start_user_flow(hass, _answers(gateway))
    assert form["step_id"] == "certificate"

    form = await submit(hass, form, {})
    assert form["step_id"] == "sign_in"
    result = await submit(hass, form, {CONF_HEADERS: LINES})

    data = await created_entry_data(hass, result)
    assert data[CONF_FINGERPRINT] == pin
    assert sent_credentials(gateway)


async def test_headers_are_not_sent_to_a_certificate_that_is_not_confirmed(
    hass: HomeAssistant, tls_gateway: tuple[GatewaySimulator, str], tmp_path: Path
) -> None:
    gateway, pin = tls_gateway
    gateway.service_token = SERVICE_TOKEN
    form = await submit(hass, await start_user_flow(hass, _answers(gateway)), {})
    await gateway.suspend()
    gateway.ssl = server_context(certificate(tmp_path))
    await gateway.resume()

    form = await submit(hass, form, {CONF_HEADERS: LINES})

    assert form["step_id"] == "certificate"
    assert form["errors"] == {"base": "certificate_changed"}
    assert pin
    assert not [
        sent for sent in gateway.upgrades if SERVICE_TOKEN.items() & sent.items()
    ]


async def test_a_page_that_comes_up_at_the_login_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    def guard(_: object) -> None:
        gateway.refuse(Refusal.SIGN_IN)

    gateway.edit("connect.challenge", guard)

    form = await start_user_flow(hass, _answers(gateway))

    assert form["step_id"] == "sign_in"
