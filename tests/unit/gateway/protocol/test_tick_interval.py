"""Limits of the tick interval."""

import pytest

from custom_components.clawd.gateway import Timing
from custom_components.clawd.gateway.models import Policy
from tests.simulator import GatewaySimulator
from tests.simulator.recordings import Frame
from tests.unit.clients import TIMING, client_of, connected, running

LEAST, MOST = Timing().min_tick_interval, Timing().max_tick_interval


@pytest.mark.parametrize(
    ("given", "used", "replaced"),
    [
        (30_000, 30, ""),
        (15_500.0, 15.5, ""),
        (5_000, LEAST, ""),
        (300_000, MOST, ""),
        (1, LEAST, "clamped"),
        (1.5, LEAST, "clamped"),
        (4_999, LEAST, "clamped"),
        (1e12, MOST, "clamped"),
        (1e308, MOST, "clamped"),
        (2**80, MOST, "clamped"),
        (0, 30, "clamped"),
        (-1, 30, "clamped"),
        (True, 30, "bool"),
        ("30000", 30, "str"),
        (None, 30, "NoneType"),
        ([], 30, "list"),
    ],
)
def test_an_interval_is_used_within_reason(
    given: object, used: float, replaced: str
) -> None:
    policy = Policy.from_payload({"tickIntervalMs": given})
    assert (policy.tick_interval, policy.tick_replaced) == (used, replaced)


def test_an_interval_that_is_not_given_is_not_replaced() -> None:
    policy = Policy.from_payload({})
    assert (policy.tick_interval, policy.tick_replaced) == (30, "")


@pytest.mark.parametrize("value", [True, 1.5, -1, "1"])
def test_a_size_that_is_none_is_the_smaller_default(value: object) -> None:
    assert Policy.from_payload({"maxPayload": value}).max_payload == 524_288


@pytest.mark.parametrize("given", [1, 1.5, True, 1e12])
async def test_a_connection_lasts_whatever_interval_is_given(
    gateway: GatewaySimulator, given: float
) -> None:
    def set_interval(hello: Frame) -> None:
        hello["policy"]["tickIntervalMs"] = given

    gateway.edit("hello-ok", set_interval)
    async with connected(gateway, Timing()) as client:
        assert client.hello
        policy = client.hello.policy
        assert LEAST <= policy.tick_interval <= MOST
        assert policy.tick_replaced
        await client.request("health")
    assert client.statistics.drops == 0


async def test_the_limits_are_those_of_the_client(gateway: GatewaySimulator) -> None:
    gateway.policy["tickIntervalMs"] = 1_000
    client = client_of(gateway, TIMING)
    async with running(client):
        assert (await client.wait_connected()).policy.tick_interval == 1
