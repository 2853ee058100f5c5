"""Fixtures of the browser tests."""

from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any, Literal

import pytest

from scripts.home_assistant import journey
from scripts.home_assistant.api import HomeAssistantApi
from scripts.home_assistant.gateway import Gateway
from tests.simulator import GatewaySimulator

from .frontend import Frontend
from .home import REPORTS, Home, keep_screenshot, log_in, open_home


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this layer."""
    parser.addoption(
        "--real", action="store_true", help="run only the tests with a real OpenClaw"
    )
    parser.addoption(
        "--pictures", type=Path, metavar="FOLDER", help="save pictures for docs/images"
    )


def pytest_ignore_collect(
    collection_path: Path, config: pytest.Config
) -> Literal[True] | None:
    """Collect tests of either the simulated or the real Gateway."""
    if not collection_path.name.startswith("test_"):
        return None
    real = collection_path.name == "test_real_gateway.py"
    return True if real is not config.getoption("--real") else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a test's report for its fixtures."""
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
    """Run Home Assistant and a browser; keep artifacts of failures."""
    async with open_home(tmp_path) as home:
        await home.context.tracing.start(screenshots=True, snapshots=True)
        yield home
        artifacts = await keep_screenshot(home, request.node)
        trace = artifacts / "trace.zip" if artifacts else None
        await home.context.tracing.stop(path=trace)


@pytest.fixture
def frontend(home: Home) -> Frontend:
    """Return the frontend of Home Assistant."""
    return Frontend(home.url, home.page)


@pytest.fixture
async def api(home: Home) -> AsyncIterator[HomeAssistantApi]:
    """Log in and return the API."""
    async with log_in(home) as api:
        yield api


@pytest.fixture
async def entry(api: HomeAssistantApi, gateway: GatewaySimulator) -> dict[str, Any]:
    """Set up the integration and a preferred assistant."""
    config = Gateway(gateway.host, gateway.port, ssl=False, token=gateway.token)
    entry = await journey.add_gateway(api, config.fields, print)
    await journey.create_assistant(api, entry["entry_id"])
    return entry
