"""First words, cold and after a warm-up.

What they took is printed; no limit is set, as the machine may be busy.
"""

from collections.abc import AsyncGenerator
import time
from uuid import uuid4

import pytest

from custom_components.clawd.assist.warm_up import MAX_UPTIME, async_run_until_reply
from custom_components.clawd.gateway import (
    GatewayClient,
    RequestFailedError,
    RunRequest,
    Timing,
)
from custom_components.clawd.util.drill_lock import DrillLock
from tests.simulator import GatewaySimulator, Reply

from .clients import new_client, running
from .gateway_harness import GatewayHarness, RealGatewayHarness, SimulatedGatewayHarness
from .gateways import serve_gateway

pytestmark = pytest.mark.slow

MAX_ATTEMPTS = 200
TIMEOUT = 10.0
# A Gateway that has just started is slow to answer.
TIMING = Timing(connect_timeout=30)


def new_key() -> str:
    """Return the key of a new session."""
    return f"agent:main:test-{uuid4().hex}"


async def first_words(
    harness: GatewayHarness, client: GatewayClient, *, lightweight: bool = False
) -> float:
    """Return the seconds from a question to its first words."""
    harness.set_script(Reply("It is on."))
    started = time.monotonic()
    request = RunRequest("say It is on.", new_key(), lightweight=lightweight)
    run = await client.start_run(request)
    assert (await run.result()).text == "It is on."
    assert run.stream.first_text_at
    return run.stream.first_text_at - started


async def delete(client: GatewayClient, key: str) -> None:
    """Delete a session; a run that was stopped is active for a moment."""
    for _ in range(MAX_ATTEMPTS):
        try:
            assert await client.sessions.delete(key)
        except RequestFailedError:
            await client.system.health(TIMEOUT)
        else:
            return
    pytest.fail("the session was not deleted")


@pytest.fixture(params=["real", "simulated"])
async def young(request: pytest.FixtureRequest) -> AsyncGenerator[GatewayHarness]:
    """Return a Gateway that has just started, real and simulated."""
    if request.param == "real":
        with serve_gateway(4) as gateway:
            # The very first start also fills its folder.
            gateway.stop()
            gateway.start()
            yield RealGatewayHarness(gateway)
        return
    async with GatewaySimulator() as simulator:
        simulator.started_at = time.monotonic()
        yield SimulatedGatewayHarness(simulator)


async def test_warm_up_leaves_nothing_and_replies_follow(young: GatewayHarness) -> None:
    async with running(new_client(young, timing=TIMING)) as client:
        hello = await client.wait_connected()
        assert hello.uptime is not None
        assert hello.uptime < MAX_UPTIME
        cold = await first_words(young, client)
        second = await first_words(young, client)
    await young.stop()
    await young.start()
    async with running(new_client(young, timing=TIMING)) as client:
        young.set_script(Reply(chunks=("It ", "is ", "on."), delay=0.1))
        key, started = new_key(), time.monotonic()
        await async_run_until_reply(client, DrillLock(), key)
        seconds = time.monotonic() - started
        await delete(client, key)
        assert await client.sessions.describe(key) is None
        warm = await first_words(young, client)
        fast = await first_words(young, client, lightweight=True)
    print(
        f"{young.name}: first words cold {cold:.2f} s, then {second:.2f} s; "
        f"warm-up {seconds:.2f} s, then {warm:.2f} s, fast voice {fast:.2f} s"
    )
