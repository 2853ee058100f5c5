"""Fixtures of the unit tests."""

from collections.abc import AsyncGenerator
import gc

from hypothesis import settings
import pytest

from tests.leak_guard import leave_out_imports, no_leaks
from tests.simulator import GatewaySimulator

settings.register_profile(
    "unit", max_examples=50, derandomize=True, database=None, deadline=None
)
settings.load_profile("unit")


def pytest_collection_finish() -> None:
    """Exclude imported objects from later garbage collections."""
    leave_out_imports()


@pytest.fixture(autouse=True)
async def leak_guard() -> AsyncGenerator[None]:
    """Fail a test that leaks resources."""
    async with no_leaks():
        yield
    gc.freeze()  # the next collection covers only the next test


@pytest.fixture(params=[3, 4])
def protocol(request: pytest.FixtureRequest) -> int:
    """Return a protocol version."""
    return int(request.param)


@pytest.fixture
async def gateway(protocol: int) -> AsyncGenerator[GatewaySimulator]:
    """Run a simulated Gateway."""
    async with GatewaySimulator(protocol=protocol) as simulator:
        yield simulator
