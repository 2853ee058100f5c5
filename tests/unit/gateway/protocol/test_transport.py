"""Opening of WebSockets."""

import asyncio
from dataclasses import replace
import logging
from pathlib import Path
import ssl

import pytest

from custom_components.clawd.gateway import (
    AddressClass,
    CannotConnectError,
    CertificateError,
    Endpoint,
    GatewayError,
    InsecureTransportError,
    NotAGatewayError,
    endpoint as endpoints,
)
from custom_components.clawd.gateway.protocol.transport import open_socket
from tests.simulator import GatewaySimulator, Refusal
from tests.simulator.tls import certificate, fingerprint, server_context
from tests.unit.clients import TIMING
from tests.unit.raw_server import http, raw_server


async def error_of(endpoint: Endpoint) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await open_socket(endpoint, TIMING)
    return caught.value


async def error_of_server(response: bytes) -> GatewayError:
    async with raw_server(response) as port:
        return await error_of(Endpoint("127.0.0.1", port))


async def test_open_socket(gateway: GatewaySimulator) -> None:
    endpoint = Endpoint(gateway.host, gateway.port, headers={"X-Forwarded-For": "a"})
    socket = await open_socket(endpoint, TIMING)
    assert b"connect.challenge" in await socket.recv(decode=False)
    assert socket.request
    assert socket.request.headers["X-Forwarded-For"] == "a"
    await socket.close()


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (Refusal.STARTING_HTTP, 503, "HTTP_503"),
        (Refusal.PROXY, 403, "PROXY_ATTRIBUTION_REQUIRED"),
    ],
)
async def test_http_error_of_gateway_or_proxy_is_cannot_connect(
    gateway: GatewaySimulator, refusal: Refusal, status: int, code: str
) -> None:
    gateway.refuse(refusal)
    error = await error_of(Endpoint(gateway.host, gateway.port))
    assert isinstance(error, CannotConnectError)
    assert (error.http_status, error.code) == (status, code)
    assert error.retry_after is None


@pytest.mark.parametrize(
    ("headers", "delay"),
    [(["Retry-After: 7"], 7), (["Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"], None)],
)
async def test_retry_after_header(headers: list[str], delay: float | None) -> None:
    error = await error_of_server(http("429 Too Many Requests", *headers))
    assert error.retry_after == delay


@pytest.mark.parametrize(
    "response",
    [
        http("200 OK", "Content-Length: 0"),
        http("404 Not Found", "Content-Length: 0"),
        http("101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"),
        b"SSH-2.0-OpenSSH_9.9\r\n",
    ],
)
async def test_other_server_is_not_a_gateway(response: bytes) -> None:
    error = await error_of_server(response)
    assert isinstance(error, NotAGatewayError)
    assert error.code


async def test_immediate_close_is_cannot_connect() -> None:
    error = await error_of_server(b"")
    assert (type(error), error.code) == (CannotConnectError, "HUNG_UP")


@pytest.mark.parametrize("context", [None, ssl.create_default_context()])
async def test_closed_port_is_cannot_connect(
    context: ssl.SSLContext | None,
) -> None:
    async with raw_server(b"") as port:
        pass
    error = await error_of(Endpoint("127.0.0.1", port, context))
    assert (type(error), error.code) == (CannotConnectError, "REFUSED")


@pytest.mark.parametrize(
    ("host", "port"),
    [("[::1]", 1), ("", 1), ("user@host", 1), ("x" * 300, 1), ("127.0.0.1", 70_000)],
)
async def test_invalid_host_is_cannot_connect(host: str, port: int) -> None:
    error = await error_of(Endpoint(host, port))
    assert (type(error), error.code) == (CannotConnectError, "INVALID_HOST")


async def test_redirect_is_not_followed(gateway: GatewaySimulator) -> None:
    response = http(
        "307 Temporary Redirect", f"Location: {gateway.url}", "Content-Length: 0"
    )
    error = await error_of_server(response)
    assert (type(error), error.code) == (NotAGatewayError, "HTTP_307")
    assert gateway.attempts == 0


async def test_tls_requires_trusted_certificate(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    trusting_context = ssl.create_default_context(cafile=path)
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        socket = await open_socket(
            Endpoint("127.0.0.1", gateway.port, trusting_context), TIMING
        )
        await socket.close()
        default_context = ssl.create_default_context()
        # In debug mode asyncio logs the handshake that the client rejects.
        asyncio.get_running_loop().set_debug(False)
        error = await error_of(Endpoint("127.0.0.1", gateway.port, default_context))
    assert (type(error), error.code) == (CertificateError, "TLS_CERTIFICATE")


async def test_tls_requires_pinned_certificate(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        pinned = Endpoint("127.0.0.1", gateway.port, context, fingerprint(path))
        socket = await open_socket(pinned, TIMING)
        await socket.close()
        error = await error_of(replace(pinned, fingerprint="0" * 64))
        await gateway.wait_until(lambda: not gateway.open_connections)
    assert (type(error), error.code) == (CertificateError, "TLS_FINGERPRINT")


async def test_pinned_certificate_requires_tls(gateway: GatewaySimulator) -> None:
    endpoint = Endpoint(gateway.host, gateway.port, fingerprint="0" * 64)
    assert (await error_of(endpoint)).code == "TLS_FINGERPRINT"


@pytest.mark.parametrize("host", ["8.8.8.8", "2001:4860:4860::8888"])
async def test_public_address_requires_tls(host: str) -> None:
    assert isinstance(await error_of(Endpoint(host, 1)), InsecureTransportError)


async def test_name_resolving_to_public_address_requires_tls(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = {gateway.host: AddressClass.PUBLIC}
    monkeypatch.setattr(
        endpoints, "address_class", lambda host: classes.get(host, AddressClass.NAME)
    )
    endpoint = Endpoint("localhost", gateway.port)
    assert isinstance(await error_of(endpoint), InsecureTransportError)
    socket = await open_socket(replace(endpoint, allow_insecure=True), TIMING)
    await socket.close()


@pytest.mark.parametrize("response", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
async def test_tls_to_plain_server_is_cannot_connect(response: bytes) -> None:
    async with raw_server(response) as port:
        context = ssl.create_default_context()
        error = await error_of(Endpoint("127.0.0.1", port, context))
    assert isinstance(error, CannotConnectError)
    assert error.code == "TLS"


async def test_frames_are_not_logged(
    gateway: GatewaySimulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="websockets.server")
    caplog.set_level(logging.DEBUG)
    socket = await open_socket(Endpoint(gateway.host, gateway.port), TIMING)
    await socket.send("the-secret")
    await socket.close()
    assert "the-secret" not in caplog.text
