"""The real Gateways, started once, and clients of them."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from custom_components.clawd.gateway import GatewayClient
from tests.simulator import GatewaySimulator

from .clients import new_client, running
from .editions import EDITIONS
from .fault_table import FaultTable
from .gateway_harness import RealStage, SimulatedStage, Stage
from .gateways import Gateway, serve_gateway


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this layer."""
    parser.addoption(
        "--fault-table",
        type=Path,
        metavar="FILE",
        help="write what came of each fault to a Markdown file",
    )


@pytest.fixture(scope="session")
def fault_table(pytestconfig: pytest.Config) -> Iterator[FaultTable]:
    """Collect what comes of the faults, and write it where it is asked for."""
    table = FaultTable()
    yield table
    if path := pytestconfig.getoption("--fault-table", default=None):
        table.write(path)


@pytest.fixture
def session_key() -> str:
    """Return a session of its own for a test."""
    return f"agent:main:test-{uuid4().hex}"


@pytest.fixture(scope="session")
def gateways() -> Iterator[dict[int, Gateway]]:
    """Run each real Gateway."""
    with ExitStack() as stack:
        yield {
            protocol: stack.enter_context(serve_gateway(protocol))
            for protocol in EDITIONS
        }


@pytest.fixture
def gateway(gateways: dict[int, Gateway], protocol: int) -> Gateway:
    """Return the real Gateway of a protocol, whatever was done to it before."""
    gateways[protocol].revive()
    return gateways[protocol]


@pytest.fixture(params=EDITIONS, ids=lambda protocol: f"v{protocol}")
def protocol(request: pytest.FixtureRequest) -> int:
    """Return each protocol."""
    return int(request.param)


@pytest.fixture(params=["real", "simulated"])
async def stage(request: pytest.FixtureRequest, protocol: int) -> AsyncGenerator[Stage]:
    """Return each Gateway, real and simulated."""
    if request.param == "real":
        yield RealStage(request.getfixturevalue("gateway"))
        return
    async with GatewaySimulator(protocol=protocol) as simulator:
        yield SimulatedStage(simulator)


@pytest.fixture(scope="session")
def locked_gateways() -> Iterator[dict[int, Gateway]]:
    """Run each real Gateway with a password."""
    with ExitStack() as stack:
        yield {
            protocol: stack.enter_context(serve_gateway(protocol, mode="password"))
            for protocol in EDITIONS
        }


@pytest.fixture(params=["real", "simulated"])
async def locked_stage(
    request: pytest.FixtureRequest, protocol: int
) -> AsyncGenerator[Stage]:
    """Return each Gateway with a password, real and simulated."""
    if request.param == "real":
        yield RealStage(request.getfixturevalue("locked_gateways")[protocol])
        return
    async with GatewaySimulator(protocol=protocol, mode="password") as simulator:
        yield SimulatedStage(simulator)


@pytest.fixture
async def client(stage: Stage) -> AsyncGenerator[GatewayClient]:
    """Connect a client."""
    async with running(new_client(stage)) as client:
        yield client
