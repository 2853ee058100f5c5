"""The way to a WebSocket ends there, or says why it did not."""

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

from .clients import TIMING
from .raw_server import http, raw_server


async def error_of(endpoint: Endpoint) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await open_socket(endpoint, TIMING)
    return caught.value


async def error_of_server(answer: bytes) -> GatewayError:
    async with raw_server(answer) as port:
        return await error_of(Endpoint("127.0.0.1", port))


async def test_a_socket_opens(gateway: GatewaySimulator) -> None:
    endpoint = Endpoint(gateway.host, gateway.port, headers={"X-Forwarded-For": "a"})
    socket = await open_socket(endpoint, TIMING)
    assert b"connect.challenge" in await socket.recv(decode=False)
    assert socket.request
    assert socket.request.headers["X-Forwarded-For"] == "a"
    await socket.close()


@pytest.mark.parametrize(
    ("refusal", "status"), [(Refusal.STARTING_HTTP, 503), (Refusal.PROXY, 403)]
)
async def test_a_gateway_that_is_not_ready_is_told_from_others(
    gateway: GatewaySimulator, refusal: Refusal, status: int
) -> None:
    gateway.refuse(refusal)
    error = await error_of(Endpoint(gateway.host, gateway.port))
    assert isinstance(error, CannotConnectError)
    assert (error.http_status, error.code) == (status, f"HTTP_{status}")
    assert error.retry_after is None


@pytest.mark.parametrize(
    ("headers", "delay"),
    [(["Retry-After: 7"], 7), (["Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"], None)],
)
async def test_the_time_to_wait_is_kept(
    headers: list[str], delay: float | None
) -> None:
    error = await error_of_server(http("429 Too Many Requests", *headers))
    assert error.retry_after == delay


@pytest.mark.parametrize(
    "answer",
    [
        http("200 OK", "Content-Length: 0"),
        http("404 Not Found", "Content-Length: 0"),
        http("101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"),
        b"SSH-2.0-OpenSSH_9.9\r\n",
    ],
)
async def test_another_server_is_no_gateway(answer: bytes) -> None:
    error = await error_of_server(answer)
    assert isinstance(error, NotAGatewayError)
    assert error.code


async def test_a_peer_that_hangs_up_cannot_be_connected() -> None:
    error = await error_of_server(b"")
    assert (type(error), error.code) == (CannotConnectError, "HUNG_UP")


@pytest.mark.parametrize("context", [None, ssl.create_default_context()])
async def test_a_port_where_nobody_listens_cannot_be_connected(
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
async def test_an_address_that_is_none_cannot_be_connected(
    host: str, port: int
) -> None:
    error = await error_of(Endpoint(host, port))
    assert (type(error), error.code) == (CannotConnectError, "INVALID_HOST")


async def test_a_redirect_is_not_followed(gateway: GatewaySimulator) -> None:
    answer = http(
        "307 Temporary Redirect", f"Location: {gateway.url}", "Content-Length: 0"
    )
    error = await error_of_server(answer)
    assert (type(error), error.code) == (NotAGatewayError, "HTTP_307")
    assert gateway.attempts == 0


async def test_tls_needs_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=path)
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        socket = await open_socket(
            Endpoint("127.0.0.1", gateway.port, trusting), TIMING
        )
        await socket.close()
        doubting = ssl.create_default_context()
        # In debug mode asyncio complains of the handshake that the client refuses.
        asyncio.get_running_loop().set_debug(False)
        error = await error_of(Endpoint("127.0.0.1", gateway.port, doubting))
    assert (type(error), error.code) == (CertificateError, "TLS_CERTIFICATE")


async def test_a_pinned_certificate_is_the_only_one(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        right = Endpoint("127.0.0.1", gateway.port, context, fingerprint(path))
        socket = await open_socket(right, TIMING)
        await socket.close()
        error = await error_of(replace(right, fingerprint="0" * 64))
        await gateway.wait_until(lambda: not gateway.open_connections)
    assert (type(error), error.code) == (CertificateError, "TLS_FINGERPRINT")


async def test_a_pin_without_tls_fits_nobody(gateway: GatewaySimulator) -> None:
    endpoint = Endpoint(gateway.host, gateway.port, fingerprint="0" * 64)
    assert (await error_of(endpoint)).code == "TLS_FINGERPRINT"


@pytest.mark.parametrize("host", ["8.8.8.8", "2001:4860:4860::8888"])
async def test_a_public_address_is_not_even_looked_at_without_tls(host: str) -> None:
    assert isinstance(await error_of(Endpoint(host, 1)), InsecureTransportError)


async def test_a_name_of_a_public_address_is_told_nothing_without_tls(
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


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
async def test_tls_with_a_peer_that_has_none_is_told(answer: bytes) -> None:
    async with raw_server(answer) as port:
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
