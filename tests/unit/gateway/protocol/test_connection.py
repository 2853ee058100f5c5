"""Connection from challenge to hello."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from websockets.asyncio.server import ServerConnection, serve

from custom_components.clawd.gateway import (
    CannotConnectError,
    GatewayAuthenticationError,
    GatewayError,
    Hello,
    InvalidFrameError,
    InvalidTokenError,
    NotAGatewayError,
    PairingRequiredError,
    RateLimitedError,
    UnsupportedProtocolError,
)
from tests.simulator import GatewaySimulator, Refusal
from tests.unit.clients import TIMING, client_at, client_of

REFUSALS = [
    (Refusal.TOKEN_MISMATCH, InvalidTokenError, "AUTH_TOKEN_MISMATCH"),
    (Refusal.TOKEN_MISSING, InvalidTokenError, "AUTH_TOKEN_MISSING"),
    (Refusal.SIGNATURE, GatewayAuthenticationError, "DEVICE_AUTH_SIGNATURE_INVALID"),
    (Refusal.PROTOCOL, UnsupportedProtocolError, "PROTOCOL_MISMATCH"),
    (Refusal.STARTING, CannotConnectError, "UNAVAILABLE"),
    (Refusal.STARTING_CLOSE, CannotConnectError, "HUNG_UP"),
    (Refusal.DROP_BEFORE_CHALLENGE, CannotConnectError, "HUNG_UP"),
]


async def error_of(gateway: GatewaySimulator) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await client_of(gateway, replace(TIMING, connect_timeout=0.5)).fetch_info()
    return caught.value


@asynccontextmanager
async def websocket_server(
    *messages: str | bytes, code: int | None = None
) -> AsyncGenerator[int]:
    """Serve a WebSocket that sends messages.

    With a code, it then closes the connection.
    """

    async def send_messages(connection: ServerConnection) -> None:
        for message in messages:
            await connection.send(message)
        if code is None:
            await connection.wait_closed()
        else:
            await connection.close(code)

    async with serve(send_messages, "127.0.0.1", 0, compression=None) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(("refusal", "kind", "code"), REFUSALS)
async def test_refusal_maps_to_error(
    gateway: GatewaySimulator, refusal: Refusal, kind: type[GatewayError], code: str
) -> None:
    gateway.refuse(refusal)
    error = await error_of(gateway)
    assert (type(error), error.code) == (kind, code)


async def test_wrong_token_is_rejected(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    gateway.token = "another"
    with pytest.raises(InvalidTokenError):
        await client.fetch_info()


async def test_unpaired_device_gets_request_id(
    gateway: GatewaySimulator,
) -> None:
    gateway.refuse(Refusal.PAIRING)
    error = await error_of(gateway)
    assert isinstance(error, PairingRequiredError)
    assert error.request_id in gateway.devices.pending


@pytest.mark.parametrize("protocol", [4])
async def test_rate_limit_has_retry_after(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.RATE_LIMITED)
    error = await error_of(gateway)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 60


async def test_starting_gateway_has_retry_after(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.STARTING)
    assert (await error_of(gateway)).retry_after == 0.5


async def test_hello_with_unsupported_protocol_is_rejected(
    gateway: GatewaySimulator,
) -> None:
    gateway.edit("hello-ok", lambda hello: hello.update(protocol=99))
    error = await error_of(gateway)
    assert isinstance(error, UnsupportedProtocolError)
    assert error.expected == 99


async def test_invalid_hello_is_rejected(gateway: GatewaySimulator) -> None:
    gateway.edit("hello-ok", lambda hello: hello.update(type="goodbye"))
    assert isinstance(await error_of(gateway), InvalidFrameError)


async def test_clock_skew_is_measured(gateway: GatewaySimulator) -> None:
    gateway.clock_shift_ms = 90_000
    hello: Hello = (await client_of(gateway).fetch_info()).hello
    assert -91 < hello.clock_skew < -89


@pytest.mark.parametrize(
    "first",
    [
        "hello",
        b"\x00\x01",
        "{}",
        '{"type":"event","event":"tick","payload":{}}',
        '{"type":"event","event":"connect.challenge","payload":{"nonce":"n"}}',
        '{"type":"res","id":"1","ok":true}',
    ],
)
async def test_peer_without_challenge_is_not_a_gateway(first: str | bytes) -> None:
    async with websocket_server(first) as port:
        with pytest.raises(NotAGatewayError):
            await client_at(port).fetch_info()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1000, NotAGatewayError),
        (1008, NotAGatewayError),
        (1012, CannotConnectError),
        (1013, CannotConnectError),
    ],
)
async def test_close_code_before_challenge_maps_to_error(
    code: int, kind: type[GatewayError]
) -> None:
    async with websocket_server(code=code) as port:
        with pytest.raises(kind):
            await client_at(port).fetch_info()


async def test_missing_challenge_times_out() -> None:
    async with websocket_server() as port:
        with pytest.raises(CannotConnectError) as caught:
            await client_at(port, replace(TIMING, connect_timeout=0.05)).fetch_info()
    assert caught.value.code == "TIMEOUT"


async def test_frames_between_connect_and_hello_are_ignored(
    gateway: GatewaySimulator,
) -> None:
    unknown = {"type": "res", "id": "unknown", "ok": True, "payload": {}}
    gateway.before("connect", ("presence", {}), unknown, "noise")
    client = client_of(gateway)
    assert (await client.fetch_info()).hello.protocol == gateway.protocol
    assert client.statistics.unknown_responses == 1
    assert client.statistics.invalid_frames == 1
