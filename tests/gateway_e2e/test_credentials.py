"""Tests of authentication and certificate pinning."""

from dataclasses import replace
from pathlib import Path
import ssl

import pytest

from custom_components.clawd.gateway import (
    Cause,
    CertificateError,
    DeviceToken,
    Endpoint,
    InvalidTokenError,
    PauseReason,
    RequestFailedError,
    RequestTooLargeError,
    RunRequest,
)
from tests.simulator.tls import certificate, fingerprint, server_context

from .clients import client_at, new_client, new_credentials, running
from .gateway_harness import GatewayHarness
from .relay import Relay

WRONG = "not-the-token"


@pytest.mark.parametrize("token", [WRONG, None])
async def test_device_token_authenticates_without_shared_token(
    harness: GatewayHarness, token: str | None
) -> None:
    endpoint = Endpoint("127.0.0.1", harness.port)
    credentials = new_credentials(harness.token)
    await client_at(endpoint, credentials).fetch_info()
    credentials.token = token
    async with running(client_at(endpoint, credentials)) as client:
        causes = [change.cause for change in client.introspection.transitions]
        assert (Cause.FALLEN_BACK in causes) is (token is WRONG)
        health = await client.request("health")
        assert isinstance(health, dict)
        assert health["ok"] is True


async def test_device_token_of_another_device_is_refused(
    harness: GatewayHarness,
) -> None:
    endpoint = Endpoint("127.0.0.1", harness.port)
    other = new_credentials(harness.token)
    await client_at(endpoint, other).fetch_info()
    credentials = new_credentials(WRONG)
    credentials.device_token = other.device_token
    client = client_at(endpoint, credentials)
    with pytest.raises(InvalidTokenError):
        async with running(client):
            pass
    assert PauseReason.TOKEN in [
        change.pause for change in client.introspection.transitions
    ]
    assert credentials.device_token is None


async def test_invalid_device_token_is_replaced(harness: GatewayHarness) -> None:
    credentials = new_credentials(harness.token)
    credentials.device_token = DeviceToken("made-up", ())
    await client_at(Endpoint("127.0.0.1", harness.port), credentials).fetch_info()
    assert credentials.device_token.token != "made-up"


async def test_oversized_request_is_not_sent(harness: GatewayHarness) -> None:
    async with running(new_client(harness)) as client:
        assert client.hello
        limit = client.hello.policy.max_payload
        with pytest.raises(RequestTooLargeError):
            await client.start_run(RunRequest("x" * limit, "agent:main:e2e-large"))
        await client.request("health")
        assert client.statistics.drops == 0
        assert client.introspection.runs == ()


async def test_largest_request_is_accepted(harness: GatewayHarness) -> None:
    async with running(new_client(harness)) as client:
        assert client.hello
        room = client.hello.policy.max_payload - 1024
        params = {"sessionKey": "agent:main:e2e-large", "limit": 1, "x": "x" * room}
        with pytest.raises(RequestFailedError):
            await client.request("chat.history", params)
        await client.request("health")
        assert client.statistics.drops == 0


async def test_only_pinned_certificate_is_trusted(
    harness: GatewayHarness, tmp_path: Path
) -> None:
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with Relay(harness.port, server_context(path)) as relay:
        pinned = Endpoint("127.0.0.1", relay.port, context, fingerprint(path))
        async with running(client_at(pinned, new_credentials(harness.token))) as client:
            await client.request("health")
        wrong = replace(pinned, fingerprint="0" * 64)
        with pytest.raises(CertificateError):
            await client_at(wrong, new_credentials(harness.token)).fetch_info()
