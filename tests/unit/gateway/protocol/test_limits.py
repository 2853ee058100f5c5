"""Size limits of sent and received frames."""

import asyncio

import pytest

from custom_components.clawd.gateway import RequestTooLargeError, RunRequest
from custom_components.clawd.gateway.protocol.connection import MAX_RECEIVE_LIMIT
from custom_components.clawd.gateway.protocol.transport import MIN_RECEIVE_LIMIT
from tests.simulator import GatewaySimulator, Reply
from tests.unit.clients import client_of, connected

SESSION = "agent:main:ha-limits"
LIMIT = 4096


@pytest.fixture
def small_gateway(gateway: GatewaySimulator) -> GatewaySimulator:
    """Return a Gateway with a small payload limit."""
    gateway.policy["maxPayload"] = LIMIT
    return gateway


async def test_oversized_request_is_not_sent(small_gateway: GatewaySimulator) -> None:
    async with connected(small_gateway) as client:
        with pytest.raises(RequestTooLargeError) as caught:
            await client.request("health", {"x": "ü" * (LIMIT // 2)})
        assert caught.value.limit == LIMIT < caught.value.size
        assert caught.value.code == "REQUEST_TOO_LARGE"
        assert client.introspection.pending == ()
        await client.request("health")
    assert len(small_gateway.received("health")) == 1


async def test_request_at_size_limit_is_sent(
    small_gateway: GatewaySimulator,
) -> None:
    async with connected(small_gateway) as client:
        with pytest.raises(RequestTooLargeError) as caught:
            await client.request("health", {"x": "x" * LIMIT})
        remaining = 2 * LIMIT - caught.value.size
        await client.request("health", {"x": "x" * remaining})
        with pytest.raises(RequestTooLargeError):
            await client.request("health", {"x": "x" * (remaining + 1)})


async def test_oversized_run_request_is_neither_sent_nor_aborted(
    small_gateway: GatewaySimulator,
) -> None:
    async with connected(small_gateway) as client:
        with pytest.raises(RequestTooLargeError):
            await client.start_run(RunRequest("x" * LIMIT, SESSION))
        assert client.introspection.runs == ()
        await client.request("health")
    assert {r.method for r in small_gateway.requests} == {"connect", "health"}


async def test_oversized_token_is_not_sent(
    gateway: GatewaySimulator,
) -> None:
    gateway.token = "x" * 65_536
    with pytest.raises(RequestTooLargeError):
        await client_of(gateway).fetch_info()


async def test_resent_run_request_above_new_limit_fails(
    gateway: GatewaySimulator,
) -> None:
    gateway.hold("agent")
    async with connected(gateway) as client:
        start = client.start_run(RunRequest("x" * LIMIT, SESSION))
        start_task = asyncio.create_task(start)
        await gateway.wait_for_request("agent")
        gateway.policy["maxPayload"] = LIMIT
        gateway.drop()
        with pytest.raises(RequestTooLargeError):
            await start_task
        assert client.introspection.runs == ()
        gateway.release("agent")


@pytest.mark.parametrize(
    ("policy", "limit"),
    [(LIMIT, MIN_RECEIVE_LIMIT), (20_000_000, 20_000_000), (10**12, MAX_RECEIVE_LIMIT)],
)
async def test_receive_limit_follows_policy_within_bounds(
    gateway: GatewaySimulator, policy: int, limit: int
) -> None:
    gateway.edit("hello-ok", lambda hello: hello["policy"].update(maxPayload=policy))
    async with connected(gateway) as client:
        assert client.introspection.receive_limit == limit


async def test_reply_above_request_limit_is_received(
    small_gateway: GatewaySimulator,
) -> None:
    text = "word" * LIMIT
    small_gateway.script(Reply(text))
    async with connected(small_gateway) as client:
        run = await client.start_run(RunRequest("Go", SESSION))
        assert (await run.result()).text == text
