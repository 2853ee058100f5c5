"""Config flow with TLS."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

from homeassistant.const import CONF_ADDRESS, CONF_SSL, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.clawd.const import CONF_CA_CERTIFICATE, CONF_FINGERPRINT
from custom_components.clawd.flows.address_form import SECTION_SECURITY
from tests.simulator import GatewaySimulator, Refusal
from tests.simulator.tls import (
    authority,
    certificate,
    certificate_pem,
    fingerprint,
    server_context,
)

from .flows import (
    created_entry_data,
    formatted_fingerprint,
    ignore_failed_handshakes,
    placeholder,
    sent_credentials,
    setup_link,
    start_user_flow,
    submit,
    suggested_values,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a self-signed certificate."""
    return certificate(tmp_path)


@pytest.fixture
async def gateway(hass: HomeAssistant, path: Path) -> AsyncGenerator[GatewaySimulator]:
    """Run a Gateway with TLS."""
    assert await async_setup_component(hass, "homeassistant", {})
    ignore_failed_handshakes(hass.loop)
    async with GatewaySimulator(ssl=server_context(path)) as simulator:
        yield simulator


def _answers(gateway: GatewaySimulator, **security: str) -> dict[str, Any]:
    entered = {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}
    return {**entered, SECTION_SECURITY: security} if security else entered


def _ca(path: Path) -> dict[str, str]:
    """Return a certificate as CA of itself, as a user pastes it."""
    return {CONF_CA_CERTIFICATE: certificate_pem(path)}


def _ca_with_key(path: Path) -> dict[str, str]:
    """Return the same with its key, as a user should not paste it."""
    return {CONF_CA_CERTIFICATE: path.read_text()}


@pytest.mark.parametrize("scheme", ["wss://", "https://", ""])
async def test_a_certificate_is_pinned_when_its_fingerprint_is_confirmed(
    hass: HomeAssistant, gateway: GatewaySimulator, path: Path, scheme: str
) -> None:
    address = f"{scheme}{gateway.host}:{gateway.port}"
    form = await start_user_flow(hass, {**_answers(gateway), CONF_ADDRESS: address})

    assert form["step_id"] == "certificate"
    assert form["errors"] == {"base": "certificate_unknown"}
    assert placeholder(form, "fingerprint") == formatted_fingerprint(fingerprint(path))
    assert placeholder(form, "address") == gateway.url
    assert sent_credentials(gateway) == []

    data = await created_entry_data(hass, await submit(hass, form, {}))
    assert data[CONF_SSL] is True
    assert data[CONF_FINGERPRINT] == fingerprint(path)


@pytest.mark.parametrize(
    ("flaw", "key"),
    [
        ({"age": timedelta(days=9)}, "certificate_expired"),
        ({"address": "192.168.1.5"}, "certificate_name"),
    ],
)
async def test_an_invalid_certificate_shows_its_error(
    hass: HomeAssistant, tmp_path: Path, flaw: dict[str, Any], key: str
) -> None:
    assert await async_setup_component(hass, "homeassistant", {})
    ignore_failed_handshakes(hass.loop)
    path = certificate(tmp_path, **flaw)
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        form = await start_user_flow(hass, _answers(gateway, **_ca(path)))

        assert form["step_id"] == "certificate"
        assert form["errors"] == {"base": key}
        assert placeholder(form, "fingerprint") == formatted_fingerprint(
            fingerprint(path)
        )


@pytest.mark.parametrize(
    ("flaw", "lacks"),
    [
        ({"key_usage": False}, "keyUsage"),
        ({"critical": False}, "basicConstraints (critical)"),
        ({"subject_key": False}, "subjectKeyIdentifier"),
    ],
)
async def test_what_a_private_authority_lacks_is_named_and_can_be_confirmed(
    hass: HomeAssistant, tmp_path: Path, flaw: dict[str, bool], lacks: str
) -> None:
    assert await async_setup_component(hass, "homeassistant", {})
    ignore_failed_handshakes(hass.loop)
    ca, path = authority(tmp_path, **flaw)
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        answers = _answers(gateway, **{CONF_CA_CERTIFICATE: ca})
        form = await start_user_flow(hass, answers)

        assert form["step_id"] == "certificate"
        assert form["errors"] == {"base": "certificate_incomplete"}
        assert placeholder(form, "lacks") == lacks
        data = await created_entry_data(hass, await submit(hass, form, {}))

    assert data[CONF_FINGERPRINT] == fingerprint(path)


async def test_a_certificate_that_changes_meanwhile_is_shown_again(
    hass: HomeAssistant, gateway: GatewaySimulator, tmp_path: Path
) -> None:
    form = await start_user_flow(hass, _answers(gateway))
    other = certificate(tmp_path)
    await gateway.suspend()
    gateway.ssl = server_context(other)
    await gateway.resume()

    form = await submit(hass, form, {})

    assert form["step_id"] == "certificate"
    assert placeholder(form, "fingerprint") == formatted_fingerprint(fingerprint(other))
    assert sent_credentials(gateway) == []


async def test_another_server_with_an_unknown_certificate_is_no_gateway(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.refuse(Refusal.NOT_A_GATEWAY)

    form = await start_user_flow(hass, _answers(gateway))

    assert form["step_id"] == "user"
    assert form["errors"] == {"base": "not_a_gateway"}


async def test_a_gateway_that_stops_before_confirmation_is_an_error(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    form = await start_user_flow(hass, _answers(gateway))
    await gateway.suspend()

    form = await submit(hass, form, {})

    assert form["step_id"] == "user"
    assert form["errors"] == {"base": "cannot_connect"}
    assert suggested_values(form) == _answers(gateway)


async def test_a_custom_ca_is_trusted(
    hass: HomeAssistant, gateway: GatewaySimulator, path: Path
) -> None:
    data = await created_entry_data(
        hass, await start_user_flow(hass, _answers(gateway, **_ca(path)))
    )

    assert data.items() >= _ca(path).items()
    assert CONF_FINGERPRINT not in data


async def test_only_the_certificates_of_a_pasted_text_are_stored(
    hass: HomeAssistant, gateway: GatewaySimulator, path: Path, tmp_path: Path
) -> None:
    text, certificates = "", ""
    for name in ("Müller", "Meier"):
        text += f"O={name}\n{_ca_with_key(path)[CONF_CA_CERTIFICATE]}"
        certificates += certificate_pem(path)
        path = certificate(tmp_path)

    pasted = {CONF_CA_CERTIFICATE: text}
    data = await created_entry_data(
        hass, await start_user_flow(hass, _answers(gateway, **pasted))
    )

    assert data[CONF_CA_CERTIFICATE] == certificates


@pytest.mark.parametrize("mistake", [{CONF_TOKEN: "wrong"}, {CONF_ADDRESS: "no where"}])
async def test_a_private_key_is_not_shown_again(
    hass: HomeAssistant, gateway: GatewaySimulator, path: Path, mistake: dict[str, str]
) -> None:
    answers = _answers(gateway, **_ca_with_key(path))

    form = await start_user_flow(hass, {**answers, **mistake})

    assert set(form["errors"] or ()) == set(mistake)
    assert suggested_values(form).items() >= _ca(path).items()


@pytest.mark.parametrize(
    "text",
    [
        "no certificate",
        "kein Schlüssel",
        "ключ",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ],
)
async def test_an_invalid_ca_certificate_is_an_error(
    hass: HomeAssistant, gateway: GatewaySimulator, text: str
) -> None:
    wrong = {CONF_CA_CERTIFICATE: text}

    form = await start_user_flow(hass, _answers(gateway, **wrong))

    assert form["errors"] == {"base": "invalid_ca_certificate"}
    assert suggested_values(form).items() >= wrong.items()
    assert gateway.attempts == 0


async def test_a_damaged_certificate_is_an_error(
    hass: HomeAssistant, gateway: GatewaySimulator, path: Path
) -> None:
    damaged = certificate_pem(path).replace("MII", "MÜÜ")
    text = f"{certificate_pem(path)}{damaged}"

    form = await start_user_flow(hass, _answers(gateway, **{CONF_CA_CERTIFICATE: text}))

    assert form["errors"] == {"base": "invalid_ca_certificate"}


async def test_a_private_key_is_not_stored_beside_a_fingerprint(
    hass: HomeAssistant, gateway: GatewaySimulator, path: Path
) -> None:
    link = setup_link(gateway, tlsFingerprint=fingerprint(path))
    pasted = _ca_with_key(path)[CONF_CA_CERTIFICATE]
    key = pasted.removesuffix(certificate_pem(path))
    answers = {CONF_ADDRESS: link, SECTION_SECURITY: {CONF_CA_CERTIFICATE: key}}

    form = await start_user_flow(hass, answers)

    assert form["errors"] == {"base": "invalid_ca_certificate"}
    assert gateway.attempts == 0


async def test_a_ca_certificate_is_not_stored_without_tls(
    hass: HomeAssistant, path: Path
) -> None:
    assert await async_setup_component(hass, "homeassistant", {})
    async with GatewaySimulator() as plain:
        data = await created_entry_data(
            hass, await start_user_flow(hass, _answers(plain, **_ca(path)))
        )

    assert CONF_CA_CERTIFICATE not in data


@pytest.mark.parametrize("secret", [{}, {CONF_TOKEN: "gateway-token"}])
async def test_a_setup_link_needs_no_token_and_its_fingerprint_is_trusted(
    hass: HomeAssistant, gateway: GatewaySimulator, path: Path, secret: dict[str, str]
) -> None:
    gateway.devices.bootstrap_tokens.add("bootstrap")
    link = setup_link(gateway, tlsFingerprint=fingerprint(path))

    data = await created_entry_data(
        hass, await start_user_flow(hass, {CONF_ADDRESS: link, **secret})
    )

    assert data[CONF_FINGERPRINT] == fingerprint(path)
    assert data.get(CONF_TOKEN) == secret.get(CONF_TOKEN)
    assert "bootstrap" not in str(data)


async def test_the_fingerprint_of_a_setup_link_outranks_a_ca(
    hass: HomeAssistant, gateway: GatewaySimulator, path: Path
) -> None:
    gateway.devices.bootstrap_tokens.add("bootstrap")
    link = setup_link(gateway, tlsFingerprint=fingerprint(path))
    answers = {CONF_ADDRESS: link, SECTION_SECURITY: _ca(path)}

    data = await created_entry_data(hass, await start_user_flow(hass, answers))

    assert data[CONF_FINGERPRINT] == fingerprint(path)


async def test_another_certificate_than_that_of_the_setup_link_is_an_error(
    hass: HomeAssistant, gateway: GatewaySimulator, path: Path
) -> None:
    link = setup_link(gateway, tlsFingerprint="ab" * 32)

    form = await start_user_flow(hass, {CONF_ADDRESS: link})

    assert form["step_id"] == "certificate"
    assert form["errors"] == {"base": "certificate_changed"}
    assert placeholder(form, "fingerprint") == formatted_fingerprint(fingerprint(path))
    assert sent_credentials(gateway) == []
