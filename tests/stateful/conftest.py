"""Hypothesis profiles: deterministic and exploring."""

from hypothesis import HealthCheck, Phase, settings
import pytest

from tests.leak_guard import leave_out_imports

settings.register_profile(
    "stateful",
    max_examples=60,
    stateful_step_count=50,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "explore", settings.get_profile("stateful"), max_examples=1_000, derandomize=False
)
settings.load_profile("stateful")


def pytest_collection_finish() -> None:
    """Exclude imported objects from garbage collection."""
    leave_out_imports()


@pytest.fixture(params=[3, 4])
def protocol(request: pytest.FixtureRequest) -> int:
    """Return each protocol version."""
    return int(request.param)
