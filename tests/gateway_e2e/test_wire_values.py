"""Odd values in the frames of Gateways."""

import asyncio
import socket

import pytest

from custom_components.clawd.gateway import (
    AddressClass,
    Endpoint,
    GatewayClient,
    RunRequest,
)
from tests.simulator import Reply
from tests.unit.raw_server import swallowing

from .clients import client_at, new_client, new_credentials, running
from .gateway_harness import GatewayHarness
from .relay import Relay, replacing, with_tick_interval
from .scenario import DEFAULT_CASE


@pytest.mark.parametrize(
    ("value", "replaced"),
    [
        (b"1", "clamped"),
        (b"1e12", "clamped"),
        (b"true", "bool"),
        (b'"3"', "str"),
        (b"null", "NoneType"),
        (b"[]", "list"),
    ],
)
async def test_odd_tick_interval_neither_cuts_nor_blinds(
    value: bytes, replaced: str, harness: GatewayHarness
) -> None:
    async with (
        Relay(harness.port, down=with_tick_interval(value)) as relay,
        running(new_client(harness, port=relay.port)) as client,
    ):
        assert client.hello
        policy = client.hello.policy
        assert policy.tick_replaced == replaced
        assert 5 <= policy.tick_interval <= 300
        await client.request("health")
        assert client.statistics.drops == 0


async def test_half_a_character_in_the_hello_does_not_prevent_it(
    harness: GatewayHarness,
) -> None:
    half = replacing(b'"presence":', b'"\\ud83d00":')
    async with (
        Relay(harness.port, down=half) as relay,
        running(new_client(harness, port=relay.port)) as client,
    ):
        assert client.statistics.repaired_frames >= 1
        assert client.statistics.invalid_frames == 0


async def test_half_a_character_in_the_name_of_an_agent_is_replaced(
    harness: GatewayHarness,
) -> None:
    async with (
        Relay(harness.port, down=replacing(b'"kitchen"', b'"\\ud83d!"')) as relay,
        running(new_client(harness, port=relay.port)) as client,
    ):
        agents = await client.agents.list()
        assert agents.get("\ufffd!")


async def test_run_under_another_id_is_followed(
    harness: GatewayHarness, session_key: str
) -> None:
    harness.set_script(*DEFAULT_CASE.script)
    request = RunRequest(DEFAULT_CASE.message, session_key)
    other = request.run_id[::-1]
    ids = [b'"runId":"%b"' % run_id.encode() for run_id in (request.run_id, other)]
    async with (
        Relay(harness.port, down=replacing(*ids)) as relay,
        running(new_client(harness, port=relay.port)) as client,
    ):
        run = await client.start_run(request)
        streamed = "".join([text async for text in run])
        assert run.gateway_id == other
        assert streamed == DEFAULT_CASE.replies[harness.protocol]
        assert (await run.result()).text == streamed


@pytest.mark.slow
async def test_first_question_after_a_start_is_answered(
    harness: GatewayHarness, session_key: str
) -> None:
    harness.set_early_refusal()
    harness.set_script(Reply("I am up."))
    async with running(new_client(harness)) as client:
        await harness.stop()
        start = asyncio.create_task(harness.start())
        await client.wait_connected()
        run = await client.start_run(RunRequest("say I am up.", session_key))
        assert (await run.result()).text == "I am up."
        await start


async def test_dead_address_of_a_name_does_not_hold_up_the_other(
    harness: GatewayHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    with swallowing() as dead:
        client = _client_of_name(harness, monkeypatch, dead, harness.port)
        async with running(client):
            assert client.peer is not None
            assert client.peer.address_info.address_class is AddressClass.LOOPBACK
            assert len(client.introspection.history.addresses) == 2
            await client.request("health")


def _client_of_name(
    harness: GatewayHarness, monkeypatch: pytest.MonkeyPatch, *ports: int
) -> GatewayClient:
    """Return a client of a name that stands for several addresses."""

    async def getaddrinfo(*_: object, **__: object) -> list[tuple[object, ...]]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, ("127.0.0.1", port)) for port in ports]

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    endpoint = Endpoint("gateway.home", harness.port)
    return client_at(endpoint, new_credentials(harness.token))
