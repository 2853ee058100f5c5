"""A simulated Gateway, clients of it, and a guard against leaks."""

from collections.abc import AsyncGenerator
import gc

from hypothesis import given, settings, strategies as st
import pytest

from tests.simulator import GatewaySimulator

from .leaks import no_leaks

settings.register_profile(
    "unit", max_examples=50, derandomize=True, database=None, deadline=None
)
settings.load_profile("unit")


@given(st.none())
def _start_hypothesis(_: None) -> None:
    """Let Hypothesis make its generator: it does not find a frozen owner of one."""


def pytest_collection_finish() -> None:
    """Leave what the imports made out of the collections after each test."""
    _start_hypothesis()
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
async def leak_guard() -> AsyncGenerator[None]:
    """Fail a test that leaves something behind."""
    async with no_leaks():
        yield
    gc.freeze()  # the next collection looks at the next test alone


@pytest.fixture(params=[3, 4])
def protocol(request: pytest.FixtureRequest) -> int:
    """Return each protocol."""
    return int(request.param)


@pytest.fixture
async def gateway(protocol: int) -> AsyncGenerator[GatewaySimulator]:
    """Run a Gateway."""
    async with GatewaySimulator(protocol=protocol) as simulator:
        yield simulator
