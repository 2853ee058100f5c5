"""Tests of connecting, pairing and coming back."""

import pytest

from custom_components.clawd.gateway import (
    REQUIRED_SCOPES,
    ConnectionState,
    GatewayClient,
    InvalidTokenError,
    PairingRequiredError,
)

from .clients import new_client
from .gateway_harness import Stage

FROM_ELSEWHERE = {"X-Forwarded-For": "10.9.8.7"}


async def test_the_highest_common_protocol_is_agreed(
    stage: Stage, client: GatewayClient
) -> None:
    assert client.hello
    assert client.hello.protocol == stage.protocol
    assert client.hello.scopes == REQUIRED_SCOPES


async def test_a_request_is_answered(client: GatewayClient) -> None:
    health = await client.request("health")
    assert isinstance(health, dict)
    assert health["ok"] is True


async def test_a_wrong_token_is_refused(stage: Stage) -> None:
    with pytest.raises(InvalidTokenError):
        await new_client(stage, token="wrong").fetch_info()


async def test_a_device_from_elsewhere_waits_for_its_approval(stage: Stage) -> None:
    client = new_client(stage, headers=FROM_ELSEWHERE)
    with pytest.raises(PairingRequiredError) as first:
        await client.fetch_info()
    with pytest.raises(PairingRequiredError) as second:
        await client.fetch_info()
    assert first.value.request_id == second.value.request_id
    await stage.approve(str(second.value.request_id))
    hello = (await client.fetch_info()).hello
    assert hello.protocol == stage.protocol


async def test_a_client_comes_back_when_its_gateway_does(
    stage: Stage, client: GatewayClient
) -> None:
    await stage.stop()
    await stage.start()
    await client.wait_connected()
    health = await client.request("health")
    assert isinstance(health, dict)
    assert health["ok"] is True
    assert client.state is ConnectionState.CONNECTED
    assert client.statistics.drops == 1
