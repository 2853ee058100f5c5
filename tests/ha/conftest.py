"""Home Assistant with a simulated Gateway."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack
from functools import partial
import gc
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from homeassistant.components import tts
from homeassistant.config_entries import ConfigEntryState, ConfigSubentryData
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_SSL, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

import custom_components.clawd  # noqa: F401 - the harness has a package of this name
from custom_components.clawd.assist import image_tasks, throwaway, warm_up
from custom_components.clawd.assist.throwaway import CLEANUP_TASK
from custom_components.clawd.const import DOMAIN
from custom_components.clawd.flows.agent_schema import new_subentry
from custom_components.clawd.gateway import backoff
from custom_components.clawd.selftest import drill_tools, loop_watch, runner
from custom_components.clawd.selftest.checks import requests, tasks
from custom_components.clawd.selftest.model import CheckContext
from tests.leak_guard import leave_out_imports, open_sockets
from tests.simulator import GatewaySimulator

from .assist_client import Conversation
from .blocking import BlockingCalls, blocking_calls
from .downloads import Download
from .fault_coverage import FaultCoverage
from .fault_harness import FaultHarness
from .handoff_scenario import HandoffScenario, Patience
from .leftovers import leftovers, unload_entries
from .log_guard import guarded_log
from .repair import Repair
from .voice_devices import Engine, Satellite, add, set_engine

COVERAGE: Final = pytest.StashKey[FaultCoverage]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the fault table."""
    parser.addoption(
        "--full-faults",
        action="store_true",
        help="inject every fault on both protocols, and let every check see it",
    )
    parser.addoption(
        "--fault-coverage",
        type=Path,
        help="write the table of faults and checks; implies --full-faults",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start with no fault; the table takes them all in one process."""
    if config.getoption("--fault-coverage") and config.getoption("numprocesses", 0):
        raise pytest.UsageError("--fault-coverage takes -n 0")
    config.stash[COVERAGE] = FaultCoverage()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the table, if it was asked for."""
    if path := session.config.getoption("--fault-coverage"):
        session.config.stash[COVERAGE].write(path)


@pytest.fixture
def fault_coverage(pytestconfig: pytest.Config) -> FaultCoverage:
    """Return the results of the faults."""
    return pytestconfig.stash[COVERAGE]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let Home Assistant's own web server warn of what it does."""
    for key in ("AppKey", "RequestKey"):
        noise = f"ignore:It is recommended to use web.{key}"
        item.add_marker(pytest.mark.filterwarnings(noise))


@pytest.fixture(autouse=True)
def _harness(
    enable_custom_integrations: None,
    socket_enabled: None,
    disable_block_async_io: None,
) -> None:
    """Let Home Assistant find the integration, and the integration a Gateway.

    What detects blocking calls is taken away at the end.
    """


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Leave asyncio's debug mode to `--asyncio-debug`.

    The harness turns it on for every test, and its stacks of each future and task
    take nearly half of the time.
    """


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits of the integration, and ignore the load of the machine."""
    bound = backoff.jitter_bound
    monkeypatch.setattr(backoff, "jitter_bound", lambda *args: bound(*args) / 10)
    monkeypatch.setattr(requests, "PROBE_TIMEOUT", 0.02)
    monkeypatch.setattr(requests, "PROBE_HOLD_TIME", 0.05)
    monkeypatch.setattr(tasks, "LAG_WINDOW", 0.01)
    monkeypatch.setattr(loop_watch, "MAX_LAG", 60.0)
    # A simulated restart would be followed by a run that no test has asked for.
    monkeypatch.setattr(warm_up, "MAX_UPTIME", 0.0)
    monkeypatch.setattr(
        runner, "CheckContext", partial(CheckContext, recheck_delay=0.02)
    )


@pytest.fixture(autouse=True)
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[BlockingCalls]:
    """Fail a test in which the integration blocks the event loop."""
    with blocking_calls(monkeypatch) as calls:
        yield calls
    calls.verify()


def pytest_collection_finish() -> None:
    """Leave imports out of the collections after each test."""
    leave_out_imports()


@pytest.fixture(autouse=True)
def _local_media(hass: HomeAssistant, tmp_path: Path) -> None:
    """Keep local media in a folder of the test."""
    # Before any component is set up: the media source reads it once.
    hass.config.media_dirs = {"local": str(tmp_path)}


@pytest.fixture(autouse=True)
async def leak_guard(hass: HomeAssistant, _harness: None) -> AsyncGenerator[None]:
    """Fail a test with leftovers after the unload.

    What nobody saw of an exception comes up in the collection, and `hass` raises it.
    """
    sockets = open_sockets()
    yield
    await unload_entries(hass)
    gc.collect()
    assert leftovers(hass) == []
    assert not open_sockets() - sockets, "a socket was left behind"


@pytest.fixture
def protocol() -> int:
    """Return the Gateway's protocol; parametrize a test by it to use others."""
    return 4


@pytest.fixture
async def gateway(protocol: int) -> AsyncGenerator[GatewaySimulator]:
    """Run a Gateway, and keep its content out of the debug log."""
    async with GatewaySimulator(protocol=protocol) as simulator:
        # As the self-test advises.
        simulator.nodes.session_visibility = "tree"
        with guarded_log(simulator):
            yield simulator


@pytest.fixture
async def loudspeaker(hass: HomeAssistant, satellite: str, tmp_path: Path) -> Satellite:
    """Return the satellite of the voice device."""
    with patch.object(tts, "_init_tts_cache_dir", lambda *_: str(tmp_path)):
        assert await async_setup_component(hass, "assist_pipeline", {})
    await hass.data[tts.DATA_COMPONENT].async_add_entities([Engine()])
    assert await async_setup_component(hass, "assist_satellite", {})
    await set_engine(hass, "tts.engine")
    return await add(hass, Satellite(), satellite)


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return the agent's settings; parametrize a test by it to use others."""
    return {}


@pytest.fixture
def more_subentries() -> list[ConfigSubentryData]:
    """Return the subentries besides the agent; override it to have some."""
    return []


@pytest.fixture
async def new_entry(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    agent_settings: dict[str, Any],
    more_subentries: list[ConfigSubentryData],
) -> AsyncGenerator[MockConfigEntry]:
    """Add an entry for the Gateway, not set up; unload it at the end."""
    assert await async_setup_component(hass, "homeassistant", {})
    subentry = new_subentry("main", "main")
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="OpenClaw Gateway",
        data={
            CONF_HOST: gateway.host,
            CONF_PORT: gateway.port,
            CONF_SSL: False,
            CONF_TOKEN: gateway.token,
        },
        minor_version=7,
        subentries_data=[
            {**subentry, "data": {**subentry["data"], **agent_settings}},
            *more_subentries,
        ],
    )
    entry.add_to_hass(hass)
    yield entry
    if entry.state is ConfigEntryState.LOADED:
        assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
async def entry(hass: HomeAssistant, new_entry: MockConfigEntry) -> MockConfigEntry:
    """Set up an entry for the Gateway."""
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()
    # It asks the Gateway for sessions that are left.
    tasks = new_entry.runtime_data.background_tasks
    if cleanup := [task for task in tasks if task.get_name() == CLEANUP_TASK]:
        await asyncio.wait(cleanup)
    return new_entry


@pytest.fixture
def conversation(hass: HomeAssistant, entry: MockConfigEntry) -> Conversation:
    """Return a conversation with the agent of the entry."""
    assert entry.state is ConfigEntryState.LOADED
    return Conversation(hass)


@pytest.fixture
def satellite(hass: HomeAssistant) -> str:
    """Return the id of a voice device in the kitchen."""
    owner = MockConfigEntry(domain="test")
    owner.add_to_hass(hass)
    registry = dr.async_get(hass)
    device = registry.async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("test", "1")}, name="Satellite"
    )
    area = ar.async_get(hass).async_create("Kitchen")
    registry.async_update_device(device.id, area_id=area.id)
    return device.id


@pytest.fixture
def patience(hass: HomeAssistant, gateway: GatewaySimulator) -> Patience:
    """Return an impatient user."""
    return Patience(hass, gateway)


@pytest.fixture
def scenario(
    hass_storage: dict[str, Any],
    conversation: Conversation,
    patience: Patience,
    entry: MockConfigEntry,
    satellite: str,
) -> HandoffScenario:
    """Return hand-offs of the voice device in the kitchen."""
    return HandoffScenario(conversation, patience, entry, satellite, hass_storage)


@pytest.fixture
def no_deletion_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try to delete sessions again at once."""
    monkeypatch.setattr(throwaway, "DELAYS", (0.0, 0.0, 0.0))


@pytest.fixture
def short_image_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for generated images without a pause."""
    monkeypatch.setattr(image_tasks, "POLL_INTERVAL", 0.01)


@pytest.fixture
async def repair(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Repair:
    """Return the dialogue of an issue."""
    assert await async_setup_component(hass, "repairs", {})
    return Repair(hass_client)


@pytest.fixture
async def harness(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[FaultHarness]:
    """Return a healthy live system into which to inject faults."""
    monkeypatch.setattr(drill_tools, "MAX_WAITED_DELAY", 0)
    async with AsyncExitStack() as cleanup:
        yield FaultHarness(hass, entry, gateway, monkeypatch, cleanup)


@pytest.fixture
async def download(
    hass: HomeAssistant, new_entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> Download:
    """Return a function to download the diagnostics."""

    async def get() -> str:
        assert await async_setup_component(hass, "diagnostics", {})
        await hass.async_block_till_done()
        browser = await hass_client()
        url = f"/api/diagnostics/config_entry/{new_entry.entry_id}"
        response = await browser.get(url)
        assert response.status == 200
        return str(await response.text())

    return get
