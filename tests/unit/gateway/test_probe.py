"""Probes of endpoints and Gateway information."""

from dataclasses import replace
from pathlib import Path
import ssl

import pytest

from custom_components.clawd.gateway import (
    CannotConnectError,
    Endpoint,
    GatewayError,
    Hello,
    InvalidFrameError,
    NotAGatewayError,
    probe_endpoint,
)
from custom_components.clawd.gateway.models import INSTALLATION
from tests.simulator import GatewaySimulator, Refusal
from tests.simulator.tls import certificate, fingerprint, server_context
from tests.unit.clients import TIMING, client_of, connected


def endpoint_of(gateway: GatewaySimulator) -> Endpoint:
    """Return the endpoint of a Gateway."""
    return Endpoint(gateway.host, gateway.port)


async def test_probe_sends_nothing(gateway: GatewaySimulator) -> None:
    peer = await probe_endpoint(endpoint_of(gateway), TIMING)
    assert (peer.address, peer.fingerprint) == (gateway.host, None)
    assert not gateway.requests
    await gateway.wait_until(lambda: not gateway.open_connections)


async def test_probe_returns_fingerprint(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with GatewaySimulator(ssl=server_context(pem)) as gateway:
        endpoint = replace(endpoint_of(gateway), ssl=context)
        peer = await probe_endpoint(endpoint, TIMING)
    assert peer.fingerprint == fingerprint(pem)


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refusal.NOT_A_GATEWAY, NotAGatewayError),
        (Refusal.STARTING_HTTP, CannotConnectError),
        (Refusal.DROP_BEFORE_CHALLENGE, CannotConnectError),
    ],
)
async def test_probe_of_other_server_raises_error(
    gateway: GatewaySimulator, refusal: Refusal, error: type[GatewayError]
) -> None:
    gateway.refuse(refusal)
    with pytest.raises(error):
        await probe_endpoint(endpoint_of(gateway), TIMING)


async def test_probe_times_out(gateway: GatewaySimulator) -> None:
    gateway.mute()
    with pytest.raises(CannotConnectError) as caught:
        await probe_endpoint(
            endpoint_of(gateway), replace(TIMING, connect_timeout=0.05)
        )
    assert caught.value.code == "TIMEOUT"


async def test_fetch_info(gateway: GatewaySimulator) -> None:
    info = await client_of(gateway).fetch_info()
    assert info.hello.protocol == gateway.protocol
    assert [agent.id for agent in info.agents.agents] == ["main", "kitchen"]
    assert info.peer.address == gateway.host


async def test_fetch_info_times_out(gateway: GatewaySimulator) -> None:
    gateway.hold("agents.list")
    with pytest.raises(CannotConnectError) as caught:
        await client_of(gateway, replace(TIMING, request_timeout=0.05)).fetch_info()
    assert caught.value.code == "TIMEOUT"
    gateway.release("agents.list")


async def test_gateway_id_is_independent_of_port(
    gateway: GatewaySimulator,
) -> None:
    info = await client_of(gateway).fetch_info()
    gateway.port = 0
    await gateway.suspend()
    await gateway.resume()
    async with connected(gateway) as client:
        assert await client.fetch_id() == info.gateway_id
    assert info.gateway_id
    if gateway.protocol == 4:
        assert info.gateway_id == gateway.device_id


def test_old_gateway_id_depends_on_host_and_folder() -> None:
    def read_id(host: str, folder: str) -> str:
        payload = {
            "type": "hello-ok",
            "protocol": 3,
            "server": {"host": host},
            "snapshot": {"stateDir": folder},
        }
        return Hello.from_payload(payload).installation

    assert read_id("a", "/b") == read_id("a", "/b")
    assert len({read_id("a", "/b"), read_id("a", "/c"), read_id("b", "/b")}) == 3


async def test_updated_gateway_matches_old_id(
    gateway: GatewaySimulator,
) -> None:
    info = await client_of(gateway).fetch_info()
    assert info.matches_id(info.gateway_id)
    assert info.matches_id(f"{INSTALLATION}another") is (gateway.protocol == 4)
    assert not info.matches_id("another")


@pytest.mark.parametrize("method", ["agents.list", "gateway.identity.get"])
async def test_fetch_info_with_empty_payload_fails(method: str) -> None:
    async with GatewaySimulator() as gateway:
        gateway.edit(method, dict.clear)
        with pytest.raises(InvalidFrameError):
            await client_of(gateway).fetch_info()
