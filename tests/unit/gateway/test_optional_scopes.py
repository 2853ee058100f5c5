"""Request of optional scopes."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

import pytest

from custom_components.clawd.gateway import (
    ANSWERING_PROFILE,
    OPERATOR_PROFILE,
    ClientHistory,
    ClientInfo,
    ConnectionState,
    ConnectProfile,
    Credentials,
    DeviceIdentity,
    DeviceToken,
    Endpoint,
    GatewayClient,
    RequestFailedError,
    ScopeRequest,
    ScopeStatus,
    scope_upgrade,
)
from custom_components.clawd.gateway.commands import DeviceCommands
from tests.simulator import GatewaySimulator
from tests.unit.clients import TIMING, running

READ, WRITE, QUESTIONS = "operator.read", "operator.write", "operator.questions"
REQUEST = "device.scopes.requestUpgrade"
pytestmark = pytest.mark.parametrize("protocol", [4])


@pytest.fixture
def credentials(gateway: GatewaySimulator) -> Credentials:
    """Return those of a device that is approved to read and write."""
    identity = DeviceIdentity.generate()
    gateway.pairing = True
    gateway.devices.approved[identity.device_id] = {READ, WRITE}
    gateway.devices.tokens[identity.device_id] = "the-token-of-the-device"
    own = DeviceToken("the-token-of-the-device", (READ, WRITE))
    return Credentials(identity, ClientInfo("0"), device_token=own)


@asynccontextmanager
async def connected(
    gateway: GatewaySimulator,
    credentials: Credentials,
    profile: ConnectProfile = ANSWERING_PROFILE,
    history: ClientHistory | None = None,
) -> AsyncGenerator[tuple[GatewayClient, list[ScopeRequest]]]:
    """Run a client; return it with the changes of its optional scopes."""
    endpoint = Endpoint(gateway.host, gateway.port)
    client = GatewayClient(
        endpoint, credentials, profile=profile, timing=TIMING, history=history
    )
    seen: list[ScopeRequest] = []
    client.subscribe_scopes(seen.append)
    client.subscribe_scopes(lambda _: gateway.notify())
    async with running(client):
        await client.wait_connected(retry=False)
        yield client, seen


async def wait_for(
    gateway: GatewaySimulator, client: GatewayClient, status: ScopeStatus
) -> None:
    await gateway.wait_until(lambda: client.optional_scopes.status is status)


def asked(gateway: GatewaySimulator) -> list[list[str]]:
    return [request.params["scopes"] for request in gateway.received("connect")]


async def test_they_are_requested_and_used_once_approved(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    saved: list[DeviceToken | None] = []

    async def save(token: DeviceToken | None) -> None:
        saved.append(token)

    credentials.save = save
    async with connected(gateway, credentials) as (client, seen):
        await wait_for(gateway, client, ScopeStatus.PENDING)
        request_id = client.optional_scopes.request_id
        assert request_id in gateway.devices.pending
        assert client.state is ConnectionState.CONNECTED
        assert client.last_error is None
        gateway.approve(request_id)
        await wait_for(gateway, client, ScopeStatus.GRANTED)
        assert client.hello
        assert set(client.hello.scopes) == {READ, WRITE, QUESTIONS}
    assert asked(gateway) == [[READ, WRITE], [READ, WRITE, QUESTIONS]]
    assert [one.status for one in seen] == [ScopeStatus.PENDING, ScopeStatus.GRANTED]
    assert saved[0]
    assert QUESTIONS in saved[0].scopes
    change = next(c for c in client.introspection.transitions if c.closed_by)
    assert change.close_reason == "scopes were approved"


async def test_a_denied_request_is_not_made_again(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    history = ClientHistory()
    async with connected(gateway, credentials, history=history) as (client, _):
        await wait_for(gateway, client, ScopeStatus.PENDING)
        await gateway.wait_for_request("device.scopes.waitUpgrade")
        await client.request("health")
        gateway.reject(client.optional_scopes.request_id)
        await wait_for(gateway, client, ScopeStatus.DENIED)
        assert client.state is ConnectionState.CONNECTED
        await client.request("health")
    async with connected(gateway, credentials, history=history) as (client, _):
        assert client.optional_scopes.status is ScopeStatus.DENIED
    assert len(gateway.received(REQUEST)) == 1


async def test_a_request_that_the_gateway_refuses_is_not_repeated(
    gateway: GatewaySimulator, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scope_upgrade, "RETRY_DELAY", 0)
    gateway.refuse_method(REQUEST)
    async with connected(gateway, credentials) as (client, _):
        await wait_for(gateway, client, ScopeStatus.DENIED)
        assert client.state is ConnectionState.CONNECTED
    assert len(gateway.received(REQUEST)) == 1


async def test_a_request_that_may_succeed_later_is_repeated(
    gateway: GatewaySimulator, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scope_upgrade, "RETRY_DELAY", 0)
    request, refusals = DeviceCommands.request_upgrade, 1

    async def refuse_once(self: DeviceCommands, scopes: Iterable[str]) -> str:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise RequestFailedError("busy", code="UNAVAILABLE", retryable=True)
        return await request(self, scopes)

    monkeypatch.setattr(DeviceCommands, "request_upgrade", refuse_once)
    async with connected(gateway, credentials) as (client, _):
        await wait_for(gateway, client, ScopeStatus.PENDING)


async def test_an_expired_request_is_replaced(
    gateway: GatewaySimulator, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scope_upgrade, "RETRY_DELAY", 0)

    def expire(answer: dict[str, object]) -> None:
        answer.clear()
        answer["status"] = "expired"

    gateway.edit("device.scopes.waitUpgrade", expire)
    async with connected(gateway, credentials) as (client, _):
        await wait_for(gateway, client, ScopeStatus.PENDING)
        await gateway.wait_for_request("device.scopes.waitUpgrade")
        await client.request("health")
        gateway.devices.pending.clear()
        gateway.notify()
        await gateway.wait_for_request(REQUEST, 2)
        assert client.optional_scopes.status is ScopeStatus.PENDING


async def test_a_gateway_without_upgrades_is_left_alone(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    gateway.edit("hello-ok", lambda hello: hello["features"].update(methods=[]))
    async with connected(gateway, credentials) as (client, _):
        assert client.optional_scopes.status is ScopeStatus.UNSUPPORTED
    assert not gateway.received(REQUEST)


async def test_without_the_option_they_are_not_asked_for(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    own = credentials.device_token
    assert own
    credentials.device_token = DeviceToken(own.token, (*own.scopes, QUESTIONS))
    async with connected(gateway, credentials, OPERATOR_PROFILE) as (client, seen):
        assert client.optional_scopes.status is ScopeStatus.OFF
    assert asked(gateway) == [[READ, WRITE]]
    assert seen == []


@pytest.mark.parametrize("token", ["", "gateway-token"])
async def test_scopes_taken_back_do_not_cost_the_connection(
    gateway: GatewaySimulator, credentials: Credentials, token: str
) -> None:
    own = credentials.device_token
    assert own
    credentials.device_token = DeviceToken(own.token, (*own.scopes, QUESTIONS))
    credentials.token = token
    endpoint = Endpoint(gateway.host, gateway.port)
    client = GatewayClient(
        endpoint, credentials, profile=ANSWERING_PROFILE, timing=TIMING
    )
    client.subscribe_scopes(lambda _: gateway.notify())
    async with running(client):
        hello = await client.wait_connected()
        assert hello.scopes == (READ, WRITE)
        await wait_for(gateway, client, ScopeStatus.PENDING)
        gateway.approve(client.optional_scopes.request_id)
        await wait_for(gateway, client, ScopeStatus.GRANTED)
    every = [READ, WRITE, QUESTIONS]
    assert asked(gateway) == [every, [READ, WRITE], every]
