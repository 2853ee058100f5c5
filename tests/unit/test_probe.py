"""A first look tells who listens; a survey tells what they offer."""

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

from .clients import TIMING, client_of, connected


def endpoint_of(gateway: GatewaySimulator) -> Endpoint:
    """Return where a Gateway listens."""
    return Endpoint(gateway.host, gateway.port)


async def test_a_look_tells_nothing(gateway: GatewaySimulator) -> None:
    peer = await probe_endpoint(endpoint_of(gateway), TIMING)
    assert (peer.address, peer.fingerprint) == (gateway.host, None)
    assert not gateway.requests
    await gateway.wait_until(lambda: not gateway.open_connections)


async def test_a_look_shows_the_certificate(tmp_path: Path) -> None:
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
async def test_a_look_at_something_else_says_what_it_is(
    gateway: GatewaySimulator, refusal: Refusal, error: type[GatewayError]
) -> None:
    gateway.refuse(refusal)
    with pytest.raises(error):
        await probe_endpoint(endpoint_of(gateway), TIMING)


async def test_a_look_has_a_deadline(gateway: GatewaySimulator) -> None:
    gateway.mute()
    with pytest.raises(CannotConnectError) as caught:
        await probe_endpoint(
            endpoint_of(gateway), replace(TIMING, connect_timeout=0.05)
        )
    assert caught.value.code == "TIMEOUT"


async def test_a_probe_surveys_the_gateway(gateway: GatewaySimulator) -> None:
    found = await client_of(gateway).fetch_info()
    assert found.hello.protocol == gateway.protocol
    assert [agent.id for agent in found.agents.agents] == ["main", "kitchen"]
    assert found.peer.address == gateway.host


async def test_a_survey_has_a_deadline(gateway: GatewaySimulator) -> None:
    gateway.hold("agents.list")
    with pytest.raises(CannotConnectError) as caught:
        await client_of(gateway, replace(TIMING, request_timeout=0.05)).fetch_info()
    assert caught.value.code == "TIMEOUT"
    gateway.release("agents.list")


async def test_a_gateway_is_known_wherever_it_listens(
    gateway: GatewaySimulator,
) -> None:
    found = await client_of(gateway).fetch_info()
    gateway.port = 0
    await gateway.suspend()
    await gateway.resume()
    async with connected(gateway) as client:
        assert await client.fetch_id() == found.gateway_id
    assert found.gateway_id
    if gateway.protocol == 4:
        assert found.gateway_id == gateway.device_id


def test_an_old_gateway_is_known_by_its_host_and_folder() -> None:
    def known_by(host: str, folder: str) -> str:
        payload = {
            "type": "hello-ok",
            "protocol": 3,
            "server": {"host": host},
            "snapshot": {"stateDir": folder},
        }
        return Hello.from_payload(payload).installation

    assert known_by("a", "/b") == known_by("a", "/b")
    assert len({known_by("a", "/b"), known_by("a", "/c"), known_by("b", "/b")}) == 3


async def test_a_gateway_may_be_known_by_the_folder_that_it_had_before_its_update(
    gateway: GatewaySimulator,
) -> None:
    found = await client_of(gateway).fetch_info()
    assert found.matches_id(found.gateway_id)
    assert found.matches_id(f"{INSTALLATION}another") is (gateway.protocol == 4)
    assert not found.matches_id("another")


@pytest.mark.parametrize("method", ["agents.list", "gateway.identity.get"])
async def test_a_survey_that_is_answered_with_nothing_fails(method: str) -> None:
    async with GatewaySimulator() as gateway:
        gateway.edit(method, dict.clear)
        with pytest.raises(InvalidFrameError):
            await client_of(gateway).fetch_info()
