"""Request of missing scopes."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from custom_components.clawd.gateway import (
    Cause,
    ClientInfo,
    ConnectionState,
    Credentials,
    DeviceIdentity,
    DeviceToken,
    Endpoint,
    GatewayClient,
    PairingRequiredError,
    PauseReason,
    scope_upgrade,
)
from custom_components.clawd.gateway.commands import devices
from tests.simulator import GatewaySimulator
from tests.unit.clients import TIMING, running, wait_for_state, wait_for_transition

S = ConnectionState
READ, WRITE = "operator.read", "operator.write"
pytestmark = pytest.mark.parametrize("protocol", [4])


@pytest.fixture
async def credentials(gateway: GatewaySimulator) -> AsyncGenerator[Credentials]:
    """Return those of a device that was approved for reading, and has no other."""
    identity = DeviceIdentity.generate()
    device_id = identity.device_id
    gateway.pairing = True
    gateway.devices.approved[device_id] = {READ}
    gateway.devices.tokens[device_id] = "the-token-for-reading"
    kept: list[DeviceToken | None] = []

    async def save(token: DeviceToken | None) -> None:
        kept.append(token)

    own = DeviceToken("the-token-for-reading", (READ,))
    yield Credentials(identity, ClientInfo("0"), device_token=own, save=save)
    if kept:
        assert [token and token.scopes for token in kept] == [(READ, WRITE)]


def client(gateway: GatewaySimulator, credentials: Credentials) -> GatewayClient:
    endpoint = Endpoint(gateway.host, gateway.port)
    return GatewayClient(endpoint, credentials, timing=TIMING)


def asked(gateway: GatewaySimulator) -> list[list[str]]:
    """Return the scopes of each attempt to connect."""
    return [request.params["scopes"] for request in gateway.received("connect")]


async def limited(client: GatewayClient) -> PairingRequiredError:
    """Wait until scopes have to be approved."""
    while not isinstance(client.last_error, PairingRequiredError):
        await wait_for_transition(client)
    return client.last_error


async def test_it_goes_on_by_itself_after_the_approval(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    other = client(gateway, credentials)
    async with running(other):
        hello = await other.wait_connected(retry=False)
        assert hello.scopes == (READ,)
        error = await limited(other)
        assert other.state is S.CONNECTED
        assert error.code == "AUTH_SCOPE_MISMATCH"
        assert error.request_id in gateway.devices.pending
        await other.request("health")
        gateway.approve(error.request_id)
        await wait_for_state(other, S.RECONNECTING)
        hello = await other.wait_connected()
        assert hello.scopes == (READ, WRITE)
        assert other.last_error is None
    # Two attempts were enough, and none with more scopes than granted came after.
    assert asked(gateway) == [[READ, WRITE], [READ], [READ, WRITE]]
    change = next(c for c in other.introspection.transitions if c.cause is Cause.LOST)
    assert (change.closed_by, change.close_reason) == ("us", "scopes were approved")


async def test_one_request_is_made_however_often_it_reconnects(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    other = client(gateway, credentials)
    async with running(other):
        first = await limited(other)
        for _ in range(12):
            gateway.drop()
            await wait_for_state(other, S.RECONNECTING)
            await other.wait_connected()
            assert (await limited(other)).request_id == first.request_id
        assert len(gateway.devices.pending) == 1
    assert asked(gateway)[1:] == [[READ]] * 13
    assert not [c for c in other.introspection.transitions if c.pause]


async def test_a_request_is_kept_alive(
    gateway: GatewaySimulator,
    credentials: Credentials,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(devices, "UPGRADE_TIMEOUT", 0.001)
    other = client(gateway, credentials)
    async with running(other):
        await limited(other)
        await gateway.wait_for_request("device.scopes.requestUpgrade", 3)
        limits = [
            c for c in other.introspection.transitions if c.cause is Cause.LIMITED
        ]
        assert len(limits) == 1


async def test_a_request_that_was_refused_is_not_made_again(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    other = client(gateway, credentials)
    async with running(other):
        await limited(other)
        await gateway.wait_for_request("device.scopes.waitUpgrade")
        await other.request("health")
        gateway.devices.pending.clear()
        gateway.notify()
        while "approval" in other.introspection.tasks.values():
            await other.request("health")
        assert other.state is S.CONNECTED
    assert len(gateway.received("device.scopes.requestUpgrade")) == 1


@pytest.mark.parametrize("payload", [{}, {"requestId": 7}, {"requestId": "of nobody"}])
async def test_a_request_that_failed_is_made_again_later(
    gateway: GatewaySimulator,
    credentials: Credentials,
    monkeypatch: pytest.MonkeyPatch,
    payload: dict[str, object],
) -> None:
    monkeypatch.setattr(scope_upgrade, "RETRY_DELAY", 0)

    def spoil(answer: dict[str, object]) -> None:
        answer.clear()
        answer.update(payload)

    gateway.edit("device.scopes.requestUpgrade", spoil)
    other = client(gateway, credentials)
    async with running(other):
        await gateway.wait_for_request("device.scopes.requestUpgrade", 3)
        assert other.state is S.CONNECTED


async def test_a_mismatch_that_stays_is_waited_out(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    credentials.device_token = DeviceToken("the-token-for-reading", (READ, WRITE))
    other = client(gateway, credentials)
    async with running(other):
        await wait_for_state(other, S.PAUSED)
        change = other.introspection.transitions[-1]
    assert (change.pause, change.delay) == (PauseReason.APPROVAL, 300)
    assert len(asked(gateway)) == 2


async def test_a_token_without_scopes_cannot_ask_for_fewer(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    credentials.device_token = DeviceToken("the-token-for-reading", ())
    other = client(gateway, credentials)
    async with running(other):
        await wait_for_state(other, S.PAUSED)
    assert len(asked(gateway)) == 1


async def test_a_gateway_that_cannot_be_asked_leaves_the_scopes_as_they_are(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    gateway.edit("hello-ok", lambda hello: hello["features"].update(methods=[]))
    other = client(gateway, credentials)
    async with running(other):
        assert (await other.wait_connected()).scopes == (READ,)
        assert "approval" not in other.introspection.tasks.values()


async def test_the_gateways_token_asks_for_everything(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    credentials.token = gateway.token
    other = client(gateway, credentials)
    async with running(other):
        await wait_for_state(other, S.PAUSED)
        error = other.last_error
        assert isinstance(error, PairingRequiredError)
        first = error.request_id
        other.resume()
        await wait_for_state(other, S.CONNECTING)
        await wait_for_state(other, S.PAUSED)
        assert isinstance(other.last_error, PairingRequiredError)
        assert other.last_error.request_id == first
        assert first
        gateway.approve(first)
        other.resume()
        await wait_for_state(other, S.CONNECTED)
    assert asked(gateway) == [[READ, WRITE]] * 3


async def test_a_device_token_with_other_scopes_widens_nothing(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    other = client(gateway, credentials)
    async with running(other):
        await limited(other)
        assert credentials.device_token
        credentials.save = None
        await credentials.accept(replace(credentials.device_token, token="rotated"))
        assert credentials.scopes((READ, WRITE)) == (READ,)
        await credentials.accept(DeviceToken("rotated", (READ, WRITE)))
        assert credentials.scopes((READ, WRITE)) == (READ, WRITE)
