"""Approval of our node."""

import pytest

from custom_components.clawd.gateway import (
    CannotConnectError,
    ClientInfo,
    Credentials,
    DeviceIdentity,
    Endpoint,
    InvalidTokenError,
    PairingRequiredError,
    RequestFailedError,
    approve_node,
)
from custom_components.clawd.gateway.node import approval
from tests.simulator import GatewaySimulator
from tests.simulator.recordings import Frame
from tests.unit.clients import TIMING
from tests.unit.gateway.node.homes import Home, home_of, published, started

pytestmark = pytest.mark.parametrize("protocol", [4])


async def approve(
    gateway: GatewaySimulator, home: Home, *, token: str | None = None
) -> bool:
    """Approve the node of a home with the credentials of its operator."""
    endpoint = Endpoint("127.0.0.1", gateway.port)
    identity = DeviceIdentity.generate()
    credentials = Credentials(identity, ClientInfo("0"), token or gateway.token)
    approved = await approve_node(
        endpoint, credentials, home.client.device_id, timing=TIMING
    )
    # The key of the main connection gets no more rights.
    assert identity.device_id not in gateway.devices.approved
    return approved


async def test_node_is_approved_on_loopback(gateway: GatewaySimulator) -> None:
    async with started(home_of(gateway, approved=False)) as home:
        await home.client.wait_connected()
        await gateway.wait_until(lambda: bool(gateway.nodes.pending))
        assert await approve(gateway, home)
        await home.wait_published()
    # Nothing that may approve others is left behind.
    assert list(gateway.devices.approved) == [home.client.device_id]


async def test_approved_node_needs_nothing(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        assert not await approve(gateway, home)


async def test_other_nodes_are_left_alone(gateway: GatewaySimulator) -> None:
    async with started(home_of(gateway, approved=False)) as other:
        await gateway.wait_until(lambda: len(gateway.nodes.pending) == 1)
        async with started(home_of(gateway, approved=False)) as home:
            await gateway.wait_until(lambda: len(gateway.nodes.pending) == 2)
            assert await approve(gateway, home)
            await home.wait_published()
        assert other.host.published == ()
        (request,) = gateway.nodes.pending.values()
        assert request["nodeId"] == other.client.device_id


async def test_other_commands_are_not_approved(gateway: GatewaySimulator) -> None:
    async with started(home_of(gateway, approved=False)) as home:
        await gateway.wait_until(lambda: bool(gateway.nodes.pending))
        (request,) = gateway.nodes.pending.values()
        request["commands"].append("system.run")
        assert not await approve(gateway, home)
        assert gateway.nodes.pending


async def test_wrong_token(gateway: GatewaySimulator) -> None:
    async with published(gateway) as home:
        with pytest.raises(InvalidTokenError):
            await approve(gateway, home, token="wrong")


async def test_remote_gateway_does_not_pair_by_itself(
    gateway: GatewaySimulator,
) -> None:
    async with published(gateway) as home:
        gateway.pairing = True
        with pytest.raises(PairingRequiredError):
            await approve(gateway, home)


async def test_gateway_that_refuses(gateway: GatewaySimulator) -> None:
    async with started(home_of(gateway, approved=False)) as home:
        await gateway.wait_until(lambda: bool(gateway.nodes.pending))
        gateway.edit("node.pair.list", _rename)
        with pytest.raises(RequestFailedError):
            await approve(gateway, home)
    assert list(gateway.devices.approved) == [home.client.device_id]


def _rename(payload: Frame) -> None:
    payload["pending"] = [entry | {"requestId": "?"} for entry in payload["pending"]]


async def test_gateway_that_cannot_remove_the_key(gateway: GatewaySimulator) -> None:
    async with started(home_of(gateway, approved=False)) as home:
        await gateway.wait_until(lambda: bool(gateway.nodes.pending))
        gateway.refuse_method("device.pair.remove")
        assert await approve(gateway, home)


async def test_gateway_that_does_not_answer(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approval, "APPROVAL_TIMEOUT", 0.01)
    async with published(gateway) as home:
        gateway.hold("node.pair.list")
        gateway.hold("device.pair.remove")
        with pytest.raises(CannotConnectError) as error:
            await approve(gateway, home)
        gateway.release("node.pair.list")
        gateway.release("device.pair.remove")
        assert error.value.code == "TIMEOUT"
