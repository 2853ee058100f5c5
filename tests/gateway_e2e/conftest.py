"""The real Gateways, started once, and clients of them."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack

import pytest

from custom_components.clawd.gateway import GatewayClient
from tests.simulator import GatewaySimulator

from .clients import new_client, running
from .editions import EDITIONS
from .gateways import Gateway, serve_gateway
from .relay import Relay
from .stages import RealStage, SimulatedStage, Stage


@pytest.fixture(scope="session")
def gateways() -> Iterator[dict[int, Gateway]]:
    """Run each real Gateway."""
    with ExitStack() as stack:
        yield {
            protocol: stack.enter_context(serve_gateway(protocol))
            for protocol in EDITIONS
        }


@pytest.fixture(params=EDITIONS, ids=lambda protocol: f"v{protocol}")
def protocol(request: pytest.FixtureRequest) -> int:
    """Return each protocol."""
    return int(request.param)


@pytest.fixture(params=["real", "simulated"])
async def stage(request: pytest.FixtureRequest, protocol: int) -> AsyncGenerator[Stage]:
    """Return each Gateway, real and simulated."""
    if request.param == "real":
        yield RealStage(request.getfixturevalue("gateways")[protocol])
        return
    async with GatewaySimulator(protocol=protocol) as simulator:
        yield SimulatedStage(simulator)


@pytest.fixture
async def client(stage: Stage) -> AsyncGenerator[GatewayClient]:
    """Connect a client."""
    async with running(new_client(stage)) as client:
        yield client


@pytest.fixture
async def relay(stage: Stage) -> AsyncGenerator[Relay]:
    """Run a relay to the Gateway."""
    async with Relay(stage.port) as relay:
        yield relay
