"""Fixtures: real and simulated Gateways, and their clients."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from custom_components.clawd.gateway import GatewayClient
from tests.simulator import GatewaySimulator, Refusal

from .clients import make_ready, new_client, running, serve_ready_gateway
from .editions import EDITIONS
from .fault_table import FaultTable
from .gateway_harness import GatewayHarness, RealGatewayHarness, SimulatedGatewayHarness
from .gateways import Gateway, serve_gateway
from .speaker import SPEAKING
from .telegram import TelegramServer, serve_telegram


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this layer."""
    parser.addoption(
        "--fault-table",
        type=Path,
        metavar="FILE",
        help="write the result of each fault to a Markdown file",
    )


@pytest.fixture(scope="session")
def fault_table(pytestconfig: pytest.Config) -> Iterator[FaultTable]:
    """Collect the results of faults; write them if requested."""
    table = FaultTable()
    yield table
    if path := pytestconfig.getoption("--fault-table", default=None):
        table.write(path)


@pytest.fixture
def session_key() -> str:
    """Return a session key unique to the test."""
    return f"agent:main:test-{uuid4().hex}"


@pytest.fixture(scope="session")
def gateways() -> Iterator[dict[int, Gateway]]:
    """Run each real Gateway."""
    with ExitStack() as stack:
        yield {
            protocol: stack.enter_context(serve_ready_gateway(protocol))
            for protocol in EDITIONS
        }


@pytest.fixture
def gateway(gateways: dict[int, Gateway], protocol: int) -> Gateway:
    """Return the real Gateway of a protocol, ready again if a test has ended it."""
    make_ready(gateways[protocol])
    return gateways[protocol]


@pytest.fixture(params=EDITIONS, ids=lambda protocol: f"v{protocol}")
def protocol(request: pytest.FixtureRequest) -> int:
    """Return each protocol version."""
    return int(request.param)


@pytest.fixture(params=["real", "simulated"])
async def harness(
    request: pytest.FixtureRequest, protocol: int
) -> AsyncGenerator[GatewayHarness]:
    """Return each Gateway, real and simulated."""
    if request.param == "real":
        yield RealGatewayHarness(request.getfixturevalue("gateway"))
        return
    async with GatewaySimulator(protocol=protocol) as simulator:
        yield SimulatedGatewayHarness(simulator)


@pytest.fixture(scope="session")
def telegram() -> Iterator[TelegramServer]:
    """Run the stand-in for Telegram."""
    with serve_telegram() as server:
        yield server


@pytest.fixture(scope="session")
def equipped_gateway(telegram: TelegramServer) -> Iterator[Gateway]:
    """Run OpenClaw with a Telegram bot, a voice, and a provider of images."""
    with serve_ready_gateway(
        max(EDITIONS), settings=telegram.settings | SPEAKING, images=True
    ) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def password_gateways() -> Iterator[dict[int, Gateway]]:
    """Run each real Gateway with a password; they trust no proxy."""
    with ExitStack() as stack:
        yield {
            protocol: stack.enter_context(
                serve_gateway(protocol, mode="password", proxies=())
            )
            for protocol in EDITIONS
        }


@pytest.fixture(params=["real", "simulated"])
async def password_harness(
    request: pytest.FixtureRequest, protocol: int
) -> AsyncGenerator[GatewayHarness]:
    """Return each Gateway with a password, real and simulated."""
    if request.param == "real":
        yield RealGatewayHarness(request.getfixturevalue("password_gateways")[protocol])
        return
    async with GatewaySimulator(protocol=protocol, mode="password") as simulator:
        yield SimulatedGatewayHarness(simulator)


@pytest.fixture(params=["real", "simulated"])
async def distrustful_harness(
    request: pytest.FixtureRequest,
) -> AsyncGenerator[GatewayHarness]:
    """Return a Gateway (v4) that trusts no proxy, real and simulated."""
    if request.param == "real":
        # It refuses a proxy before it looks at tokens or passwords.
        gateways = request.getfixturevalue("password_gateways")
        yield RealGatewayHarness(gateways[max(EDITIONS)])
        return
    async with GatewaySimulator() as simulator:
        simulator.refuse(Refusal.PROXY)
        yield SimulatedGatewayHarness(simulator)


@pytest.fixture
async def client(harness: GatewayHarness) -> AsyncGenerator[GatewayClient]:
    """Return a connected client."""
    async with running(new_client(harness)) as client:
        yield client
