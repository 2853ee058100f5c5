"""HTTP responses refusing the WebSocket upgrade."""

import json
from pathlib import Path
import ssl

from cryptography import x509
import pytest

from custom_components.clawd.gateway import (
    AddressClass,
    CannotConnectError,
    CertificateError,
    Endpoint,
    GatewayError,
    InsecureTransportError,
    NotAGatewayError,
    PauseReason,
    ProxyRefusedError,
    SignInRequiredError,
    endpoint as endpoints,
    minimum_delay,
    pause_reason,
)
from custom_components.clawd.gateway.protocol.transport import open_socket
from tests.simulator import GatewaySimulator, Refusal
from tests.simulator.tls import authority, certificate, fingerprint, server_context
from tests.unit.clients import TIMING, client_of
from tests.unit.raw_server import http, raw_server

PAGE = "<html><form>Sign in</form></html>"
ELSEWHERE = "Location: https://login.example/cdn-cgi/access/login?kid=1"
HTML = "Content-Type: text/html; charset=utf-8"


def _response(status: str, *headers: str, body: str = "") -> bytes:
    return http(status, *headers, f"Content-Length: {len(body)}") + body.encode()


async def _error(response: bytes, path: str = "") -> GatewayError:
    async with raw_server(response) as port:
        with pytest.raises(GatewayError) as caught:
            await open_socket(Endpoint("127.0.0.1", port, path=path), TIMING)
    return caught.value


@pytest.mark.parametrize(
    "response",
    [
        *(
            _response(status, ELSEWHERE)
            for status in ("301 x", "302 x", "303 x", "307 x", "308 x")
        ),
        _response("302 Found", "Location: //login.example/"),
        _response("302 Found", "Location: /login?next=%2F"),
        _response("200 OK", HTML, body=PAGE),
        _response("403 Forbidden", "Content-Type: TEXT/HTML", body=PAGE),
        _response("401 Unauthorized", HTML, body=PAGE),
        _response("401 Unauthorized", "WWW-Authenticate: Basic"),
        _response("511 x", HTML, body=PAGE),
    ],
)
async def test_a_sign_in_page_is_known_by_its_answer(response: bytes) -> None:
    error = await _error(response)

    assert isinstance(error, SignInRequiredError)
    assert error.code == f"HTTP_{error.http_status}"
    assert "example" not in f"{error!r} {error}"
    assert pause_reason(error) is PauseReason.PROXY
    assert minimum_delay(error) == 300


@pytest.mark.parametrize(
    ("response", "path"),
    [
        (_response("302 Found"), ""),
        (_response("302 Found", "Location: https://127.0.0.1/"), ""),
        (_response("302 Found", "Location: /a/"), "/a"),
        (_response("302 Found", "Location: http://[::1"), ""),
        (_response("200 OK", "Content-Type: application/json", body="{}"), ""),
        (_response("404 Not Found", HTML, body=PAGE), ""),
    ],
)
async def test_another_answer_is_no_sign_in_page(response: bytes, path: str) -> None:
    assert type(await _error(response, path)) is NotAGatewayError


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (
            json.dumps(
                {"error": {"message": "…", "type": "proxy_attribution_required"}}
            ),
            "PROXY_ATTRIBUTION_REQUIRED",
        ),
        (json.dumps({"error": {"type": "forbidden"}}), "HTTP_403"),
        ("[" * 100_000, "HTTP_403"),
        ("Forbidden", "HTTP_403"),
        ("7", "HTTP_403"),
        ("", "HTTP_403"),
    ],
)
async def test_a_proxy_that_is_not_trusted_is_known_by_its_code(
    body: str, code: str
) -> None:
    error = await _error(_response("403 Forbidden", body=body.replace("…", "-")))

    assert isinstance(error, ProxyRefusedError)
    assert (error.http_status, error.code) == (403, code)
    assert pause_reason(error) is PauseReason.PROXY
    assert minimum_delay(error) == 300


async def test_an_overloaded_proxy_is_tried_again_soon() -> None:
    error = await _error(_response("502 Bad Gateway", HTML, body=PAGE))

    assert type(error) is CannotConnectError
    assert minimum_delay(error) == 0


async def test_headers_are_not_sent_to_another_certificate_than_the_pinned_one(
    tmp_path: Path,
) -> None:
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        pinned = Endpoint(
            "127.0.0.1", gateway.port, context, "0" * 64, headers={"X-Key": "secret"}
        )
        with pytest.raises(CertificateError) as caught:
            await open_socket(pinned, TIMING)
        assert gateway.attempts == 0

    assert caught.value.fingerprint == fingerprint(path)


async def test_headers_are_not_sent_in_the_clear_to_a_public_address(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = {gateway.host: AddressClass.PUBLIC}
    monkeypatch.setattr(
        endpoints, "address_class", lambda host: classes.get(host, AddressClass.NAME)
    )
    endpoint = Endpoint("localhost", gateway.port, headers={"X-Key": "secret"})

    with pytest.raises(InsecureTransportError):
        await open_socket(endpoint, TIMING)

    assert gateway.attempts == 0


@pytest.mark.parametrize(
    ("flaws", "code"),
    [
        ({"key_usage": False}, "TLS_CERTIFICATE_KEY_USAGE"),
        ({"key_cert_sign": False}, "TLS_CERTIFICATE_NO_AUTHORITY"),
        ({"critical": False}, "TLS_CERTIFICATE_BASIC_CONSTRAINTS"),
        ({"subject_key": False}, "TLS_CERTIFICATE_SUBJECT_KEY"),
        ({"authority_key": False}, "TLS_CERTIFICATE_AUTHORITY_KEY"),
        ({}, None),
    ],
)
async def test_what_a_private_authority_lacks_is_named(
    tmp_path: Path, flaws: dict[str, bool], code: str | None
) -> None:
    ca, path = authority(tmp_path, **flaws)
    assert x509.load_pem_x509_certificate(ca.encode())
    context = ssl.create_default_context(cadata=ca)
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        endpoint = Endpoint("127.0.0.1", gateway.port, context)
        if code is None:
            await (await open_socket(endpoint, TIMING)).close()
            return
        with pytest.raises(CertificateError) as caught:
            await open_socket(endpoint, TIMING)

    assert caught.value.code == code


@pytest.mark.parametrize("protocol", [4])
async def test_a_proxy_that_the_handshake_tells_of_is_no_wrong_token(
    gateway: GatewaySimulator,
) -> None:
    gateway.refuse(Refusal.TOKEN_MISMATCH)
    gateway.edit(
        "refusal",
        lambda error: error.update(
            details={
                "code": "AUTH_UNAUTHORIZED",
                "authReason": "proxy_attribution_required",
            }
        ),
    )

    with pytest.raises(ProxyRefusedError) as caught:
        await client_of(gateway).fetch_info()

    assert caught.value.code == "PROXY_ATTRIBUTION_REQUIRED"
    assert caught.value.http_status is None
