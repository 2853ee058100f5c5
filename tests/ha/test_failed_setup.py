"""Setups that fail unexpectedly, which leave nothing behind."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from homeassistant.components import tts
from homeassistant.config_entries import ConfigEntries, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

import custom_components.clawd as integration
from custom_components.clawd.client_factory import CLIENTS
from custom_components.clawd.coordinator import ClawdCoordinator
from custom_components.clawd.flows.ai_task import new_ai_task
from custom_components.clawd.gateway import ConnectionState, SpeechStatus
from custom_components.clawd.gateway.commands import NodeCommands
from custom_components.clawd.runtime.report_history import ReportHistory
from custom_components.clawd.runtime.speech import SpeechCoordinator
from custom_components.clawd.selftest.resources import async_get_tracker
from tests.leak_guard import no_leaks
from tests.simulator import GatewaySimulator, Speech

from .leftovers import leftovers, platforms_with_entities

# In their order; of those with a class, the method.
STEPS: Final = (
    "async_validate_entry",
    "async_get_endpoint",
    "async_get_credentials",
    "new_client",
    "async_track_connection_issues",
    "async_track_scope_issue",
    "async_track_store_issue",
    "async_track_gateway_events",
    (ClawdCoordinator, "async_connect"),
    (ClawdCoordinator, "async_refresh_agents"),
    "async_update_unique_id",
    (ReportHistory, "async_load"),
    (SpeechCoordinator, "async_start"),
    "async_load_agent_sessions",
    "async_track_questions",
    "async_track_home_offer",
    "async_start_node",
    (NodeCommands, "list"),
    "async_load_session_listeners",
    "async_track_issue",
    "async_track_self_test_events",
    "async_schedule_self_tests",
    "async_create_devices",
    (ConfigEntries, "async_forward_entry_setups"),
    "get_listeners",
    "async_create_assistants",
    "_async_load_voice",
    "async_track_starts",
    "async_resume_handoffs",
    "async_track_unused",
    "count_listeners",
    (SpeechCoordinator, "async_add_listener"),
)
# Of those that leave it to the caller to undo them, the end cannot fail.
COMPLETE: Final = (
    (ClawdCoordinator, "async_connect"),
    (ClawdCoordinator, "async_refresh_agents"),
    "async_update_unique_id",
    (ReportHistory, "async_load"),
    "async_load_agent_sessions",
    "async_load_session_listeners",
    "async_create_devices",
    (ConfigEntries, "async_forward_entry_setups"),
    "async_create_assistants",
    "_async_load_voice",
    "async_resume_handoffs",
)


class Broken:
    """Step that fails before or after its work."""

    def __init__(self, step: Callable[..., Any], *, after: bool) -> None:
        """Break a step."""
        self.step, self.after = step, after
        self.calls = 0

    def install(
        self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
    ) -> None:
        """Put the broken step in the place of the step."""

        def fail(*args: Any, **options: Any) -> Any:  # noqa: ANN401
            self.calls += 1
            done = self.step(*args, **options) if self.after else None
            if isinstance(done, Awaitable):
                return self._fail(done)
            raise RuntimeError("broken")

        monkeypatch.setattr(owner, name, fail)

    async def _fail(self, done: Awaitable[object]) -> None:
        await done
        raise RuntimeError("broken")


def _listeners(hass: HomeAssistant) -> dict[str, int]:
    """Count the listeners on the bus, but for the stores that have yet to write."""
    counts = {str(event): n for event, n in hass.bus.async_listeners().items()}
    counts.pop(str(EVENT_HOMEASSISTANT_FINAL_WRITE), None)
    return counts


async def _unload(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    await gateway.wait_until(lambda: not gateway.open_connections)


@pytest.fixture(autouse=True)
def _speech(
    gateway: GatewaySimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give the Gateway a voice."""
    monkeypatch.setattr(tts, "_init_tts_cache_dir", lambda *_: str(tmp_path))
    gateway.speech = Speech()


@pytest.fixture
def more_subentries() -> list[Any]:
    """Add an AI task."""
    return [new_ai_task("main", "main")]


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Give the agent access to the home."""
    return {"home_access": "control"}


@pytest.mark.parametrize(
    ("step", "after"),
    [*((step, False) for step in STEPS), *((step, True) for step in COMPLETE)],
    ids=lambda value: value[1] if isinstance(value, tuple) else str(value),
)
async def test_a_step_that_fails_leaves_nothing(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    step: str | tuple[type, str],
    after: bool,  # noqa: FBT001
) -> None:
    await _unload(hass, entry, gateway)
    owner, name = (integration, step) if isinstance(step, str) else step
    broken = Broken(getattr(owner, name), after=after)
    data, listeners = {*hass.data}, _listeners(hass)

    async with no_leaks():
        with monkeypatch.context() as patches:
            broken.install(patches, owner, name)
            assert not await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        await gateway.wait_until(lambda: not gateway.open_connections)

    assert broken.calls
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert _listeners(hass) == listeners
    assert {*hass.data} == data
    assert leftovers(hass) == []
    assert platforms_with_entities(hass) == []
    assert not +async_get_tracker(entry).held
    for client in [c for c in CLIENTS if c.endpoint.port == gateway.port]:
        assert client.state is ConnectionState.CLOSED
        assert not client.introspection.tasks
        assert not client.introspection.listeners
    # Nothing hinders the next attempt.
    assert await hass.config_entries.async_reload(entry.entry_id)


@pytest.mark.parametrize("platform", integration.PLATFORMS)
async def test_a_platform_that_fails_leaves_nothing(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
) -> None:
    await _unload(hass, entry, gateway)
    listeners = _listeners(hass)
    module = import_module(f"{integration.__name__}.{platform}")
    broken = Broken(module.async_setup_entry, after=True)

    async with no_leaks():
        with monkeypatch.context() as patches:
            broken.install(patches, module, "async_setup_entry")
            assert await hass.config_entries.async_setup(entry.entry_id)
        await _unload(hass, entry, gateway)

    assert broken.calls
    assert _listeners(hass) == listeners
    assert leftovers(hass) == []
    assert platforms_with_entities(hass) == []


async def _without_voice(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.speech = None
    assert await hass.config_entries.async_reload(entry.entry_id)


def _find_voice(entry: MockConfigEntry) -> None:
    speech = entry.runtime_data.speech
    speech.async_set_updated_data(SpeechStatus(configured=True))


async def test_no_voice_is_set_up_during_an_unload(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await _without_voice(hass, entry, gateway)
    unload = hass.config_entries.async_unload_platforms

    async def find_voice(entry: MockConfigEntry, platforms: list[str]) -> bool:
        unloaded = await unload(entry, platforms)
        _find_voice(entry)
        return unloaded

    monkeypatch.setattr(hass.config_entries, "async_unload_platforms", find_voice)

    await _unload(hass, entry, gateway)

    assert platforms_with_entities(hass) == []


async def test_an_unload_ends_the_setup_of_a_voice(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await _without_voice(hass, entry, gateway)
    load: Callable[..., Any] = vars(integration)["_async_load_voice"]
    unload = hass.config_entries.async_unload_platforms
    unloading = asyncio.Event()

    async def load_late(*args: object) -> None:
        await unloading.wait()
        await load(*args)

    async def unload_late(entry: MockConfigEntry, platforms: list[str]) -> bool:
        for _ in range(50):
            await asyncio.sleep(0)
        return await unload(entry, platforms)

    monkeypatch.setattr(integration, "_async_load_voice", load_late)
    monkeypatch.setattr(hass.config_entries, "async_unload_platforms", unload_late)
    _find_voice(entry)
    unsubscribe = entry.async_on_state_change(unloading.set)

    await _unload(hass, entry, gateway)

    unsubscribe()
    assert platforms_with_entities(hass) == []
