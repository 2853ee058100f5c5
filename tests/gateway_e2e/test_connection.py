"""Tests of connecting, pairing and reconnecting."""

import pytest

from custom_components.clawd.gateway import (
    REQUIRED_SCOPES,
    ConnectionState,
    GatewayClient,
    InvalidTokenError,
    PairingRequiredError,
    ProxyRefusedError,
)

from .clients import new_client
from .gateway_harness import GatewayHarness

REMOTE_HEADERS = {"X-Forwarded-For": "10.9.8.7"}


async def test_handshake_negotiates_highest_common_protocol(
    harness: GatewayHarness, client: GatewayClient
) -> None:
    assert client.hello
    assert client.hello.protocol == harness.protocol
    assert client.hello.scopes == REQUIRED_SCOPES


async def test_request_returns_response(client: GatewayClient) -> None:
    health = await client.request("health")
    assert isinstance(health, dict)
    assert health["ok"] is True


async def test_wrong_token_is_refused(harness: GatewayHarness) -> None:
    with pytest.raises(InvalidTokenError):
        await new_client(harness, token="wrong").fetch_info()


async def test_remote_device_requires_approval(harness: GatewayHarness) -> None:
    client = new_client(harness, headers=REMOTE_HEADERS)
    with pytest.raises(PairingRequiredError) as first:
        await client.fetch_info()
    with pytest.raises(PairingRequiredError) as second:
        await client.fetch_info()
    assert first.value.request_id == second.value.request_id
    await harness.approve(str(second.value.request_id))
    hello = (await client.fetch_info()).hello
    assert hello.protocol == harness.protocol


async def test_proxy_that_is_not_trusted_is_refused(
    distrustful_harness: GatewayHarness,
) -> None:
    with pytest.raises(ProxyRefusedError) as caught:
        await new_client(distrustful_harness, headers=REMOTE_HEADERS).fetch_info()
    assert caught.value.code == "PROXY_ATTRIBUTION_REQUIRED"


# OpenClaw takes half a minute; a run outlives its restart in the tests of faults.
@pytest.mark.parametrize(
    "protocol",
    [pytest.param(3, id="v3"), pytest.param(4, id="v4", marks=pytest.mark.slow)],
    indirect=True,
)
async def test_client_reconnects_after_gateway_restart(
    harness: GatewayHarness, client: GatewayClient
) -> None:
    await harness.stop()
    await harness.start()
    await client.wait_connected()
    health = await client.request("health")
    assert isinstance(health, dict)
    assert health["ok"] is True
    assert client.state is ConnectionState.CONNECTED
    # OpenClaw may close a connection that comes before it has started, too.
    assert client.statistics.drops >= 1
