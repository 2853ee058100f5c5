"""Hosts with several addresses."""

import asyncio
from dataclasses import replace
import socket

import pytest

from custom_components.clawd.gateway import (
    AddressClass,
    CannotConnectError,
    ClientInfo,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
)
from custom_components.clawd.gateway.protocol.transport import (
    AddressInfo,
    describe_address,
)
from tests.simulator import GatewaySimulator
from tests.unit.clients import TIMING, running
from tests.unit.raw_server import raw_server, swallowing

type Resolved = tuple[int, int, int, str, tuple[str, int]]

PRIVATE = AddressInfo("IPv4", AddressClass.LOOPBACK)


def address(port: int) -> Resolved:
    return (
        socket.AF_INET,
        socket.SOCK_STREAM,
        socket.IPPROTO_TCP,
        "",
        ("127.0.0.1", port),
    )


def client_of_name(
    monkeypatch: pytest.MonkeyPatch,
    token: str | None,
    *ports: int,
    delay: float = 0.001,
) -> GatewayClient:
    """Return a client of a name that stands for several addresses."""

    async def getaddrinfo(host: str, _port: int, **_: object) -> list[Resolved]:
        assert host == "gateway.home"
        return [address(port) for port in ports]

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    return GatewayClient(
        Endpoint("gateway.home", 18789),
        Credentials(DeviceIdentity.generate(), ClientInfo("0"), token),
        timing=replace(TIMING, address_delay=delay),
    )


async def test_an_address_that_swallows_everything_does_not_hold_up_the_next(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with swallowing() as dead:
        client = client_of_name(monkeypatch, gateway.token, dead, gateway.port)
        async with running(client):
            await client.wait_connected(retry=False)
            assert client.peer
            info = client.peer.address_info
            assert info.address_class is AddressClass.LOOPBACK
    assert client.introspection.history.addresses == (PRIVATE, PRIVATE)
    assert client.peer is None


async def test_an_address_that_refuses_gives_way_to_the_next_at_once(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with raw_server(b"") as closed:
        pass
    client = client_of_name(monkeypatch, gateway.token, closed, gateway.port, delay=60)
    async with running(client):
        await client.wait_connected(retry=False)


async def test_addresses_that_all_refuse_are_told_from_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with raw_server(b"") as one, raw_server(b"") as two:
        pass
    client = client_of_name(monkeypatch, None, one, two)
    with pytest.raises(CannotConnectError) as caught:
        await client.fetch_info()
    assert caught.value.code == "REFUSED"
    assert client.introspection.history.addresses == (PRIVATE, PRIVATE)


@pytest.mark.parametrize(
    ("shown", "info"),
    [
        ("127.0.0.1", PRIVATE),
        ("192.168.1.2", AddressInfo("IPv4", AddressClass.PRIVATE)),
        ("8.8.8.8", AddressInfo("IPv4", AddressClass.PUBLIC)),
        ("::1", AddressInfo("IPv6", AddressClass.LOOPBACK)),
        ("fe80::1%eth0", AddressInfo("IPv6", AddressClass.PRIVATE)),
    ],
)
def test_an_address_is_described_without_itself(shown: str, info: AddressInfo) -> None:
    assert describe_address(shown) == info
