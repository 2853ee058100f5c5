"""A fresh Home Assistant, a browser and a simulated Gateway for each test."""

from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any, Literal

import pytest

from scripts.home_assistant import journey
from scripts.home_assistant.api import HomeAssistantApi
from scripts.home_assistant.gateway import Gateway
from tests.simulator import GatewaySimulator

from .frontend import Frontend
from .home import Home, log_in, open_home

KEPT = Path(".cache/browser_e2e")
REPORTS = pytest.StashKey[pytest.TestReport]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this layer."""
    parser.addoption(
        "--real", action="store_true", help="run just what takes a real OpenClaw"
    )


def pytest_ignore_collect(
    collection_path: Path, config: pytest.Config
) -> Literal[True] | None:
    """Leave out the tests of the other Gateway, the simulated or the real one."""
    if not collection_path.name.startswith("test_"):
        return None
    real = collection_path.name == "test_real_gateway.py"
    return True if real is not config.getoption("--real") else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the report of a test for its fixtures."""
    report = yield
    if report.when == "call":
        item.stash[REPORTS] = report
    return report


@pytest.fixture(params=[3, 4])
async def gateway(request: pytest.FixtureRequest) -> AsyncIterator[GatewaySimulator]:
    """Run a simulated Gateway."""
    async with GatewaySimulator(protocol=request.param) as gateway:
        yield gateway


@pytest.fixture
async def home(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Home]:
    """Run Home Assistant and a browser; keep trace and picture of a failure."""
    async with open_home(tmp_path) as home:
        await home.context.tracing.start(screenshots=True, snapshots=True)
        yield home
        report = request.node.stash.get(REPORTS, None)
        failed = report is None or report.failed
        kept = KEPT / request.node.name
        if failed:
            await home.page.screenshot(path=kept / "page.png")
            print(f"trace and picture are in {kept}")
        await home.context.tracing.stop(path=kept / "trace.zip" if failed else None)


@pytest.fixture
def frontend(home: Home) -> Frontend:
    """Look at Home Assistant as a user does."""
    return Frontend(home.url, home.page)


@pytest.fixture
async def api(home: Home) -> AsyncIterator[HomeAssistantApi]:
    """Log in, and offer what the frontend has no place for."""
    async with log_in(home) as api:
        yield api


@pytest.fixture
async def entry(api: HomeAssistantApi, gateway: GatewaySimulator) -> dict[str, Any]:
    """Set the integration up, and make its agent the preferred assistant."""
    place = Gateway(gateway.host, gateway.port, ssl=False, token=gateway.token)
    entry = await journey.add_gateway(api, place.fields, print)
    await journey.create_assistant(api, entry["entry_id"])
    return entry
