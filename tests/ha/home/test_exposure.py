"""Changes of the home that change the tools."""

import asyncio
from collections.abc import Callable
import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    entity_registry as er,
    floor_registry as fr,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.clawd.home import apis
from custom_components.clawd.home.exposure import COOLDOWN
from custom_components.clawd.home.service import get_home

from .harness import Home


@pytest.fixture
def apply_changes(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> Callable[[], Any]:
    """Let the collected changes take effect."""

    async def wait() -> None:
        await hass.async_block_till_done()
        freezer.tick(COOLDOWN + 1)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()

    return wait


async def test_a_script_comes_and_goes(
    hass: HomeAssistant, home: Home, apply_changes: Callable[[], Any]
) -> None:
    await apply_changes()
    lists = len(home.host.lists)
    async_expose_entity(hass, "conversation", "script.let_in", should_expose=False)
    await hass.async_block_till_done()
    assert "let_in" in home.actions("home_control")
    await apply_changes()
    assert "let_in" not in home.actions("home_control")
    async_expose_entity(hass, "conversation", "script.let_in", should_expose=True)
    await apply_changes()
    assert "let_in" in home.actions("home_control")
    assert len(home.host.lists) == lists + 2


async def test_many_changes_are_built_once_and_published_only_if_they_differ(
    hass: HomeAssistant, home: Home, apply_changes: Callable[[], Any]
) -> None:
    await apply_changes()
    rebuilds, lists = home.service.rebuilds, len(home.host.lists)
    for number in range(20):
        ar.async_get(hass).async_create(f"Area {number}")
        er.async_get(hass).async_update_entity("switch.pump", name=f"Pump {number}")
    fr.async_get(hass).async_create("Attic")
    hass.bus.async_fire("service_registered", {"domain": "light", "service": "x"})
    await apply_changes()

    assert home.service.rebuilds == rebuilds + 1
    assert len(home.host.lists) == lists


@pytest.mark.parametrize(
    ("event", "data", "follows"),
    [
        ("service_registered", {"domain": "script", "service": "x"}, True),
        ("service_removed", {"domain": "script", "service": "x"}, True),
        ("service_registered", {"domain": "light", "service": "x"}, False),
        ("component_loaded", {"component": "todo"}, True),
        ("state_changed", {"entity_id": "light.x"}, False),
    ],
)
async def test_these_events_are_followed(  # noqa: PLR0913 - the row of the table
    hass: HomeAssistant,
    home: Home,
    apply_changes: Callable[[], Any],
    event: str,
    data: dict[str, Any],
    *,
    follows: bool,
) -> None:
    await apply_changes()
    rebuilds = home.service.rebuilds
    hass.bus.async_fire(event, data)
    await apply_changes()
    assert home.service.rebuilds == rebuilds + follows


async def test_nothing_is_followed_after_the_unload(
    hass: HomeAssistant, home: Home, apply_changes: Callable[[], Any]
) -> None:
    service = home.service
    ar.async_get(hass).async_create("Cellar")
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(home.entry.entry_id)
    rebuilds = service.rebuilds
    ar.async_get(hass).async_create("Attic")
    await apply_changes()

    assert service.rebuilds == rebuilds
    assert get_home(home.entry) is None


async def test_the_tools_are_built_once_home_assistant_has_started(
    hass: HomeAssistant,
    house: None,  # noqa: ARG001 - has the entities
    new_entry: MockConfigEntry,
) -> None:
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    service = get_home(new_entry)
    assert service is not None
    assert not service.tools
    assert service.published == ()
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await hass.async_block_till_done()
    assert [tool.name for tool in service.tools] == [
        "home_state",
        "home_control",
        "home_notify",
    ]


@pytest.mark.parametrize("home_settings", [{"home_access": "none"}])
async def test_without_access_there_is_no_service(
    entry: MockConfigEntry,
) -> None:
    assert get_home(entry) is None


async def test_2000_entities_are_rebuilt_at_once(
    hass: HomeAssistant, home: Home
) -> None:
    assert await async_setup_component(hass, "media_player", {})
    for number in range(2000):
        entity_id = f"{('light', 'switch', 'sensor', 'cover')[number % 4]}.n{number}"
        hass.states.async_set(entity_id, "on", {"friendly_name": f"Entity {number}"})
        async_expose_entity(hass, "conversation", entity_id, should_expose=True)
    # The best of five, of the thread's time: the machine has other things to do.
    times, gaps = [], []
    for _ in range(5):
        started = last = time.thread_time()
        update = hass.async_create_task(home.service.async_update_tools())
        gap = 0.0
        while not update.done():
            await asyncio.sleep(0)
            now = time.thread_time()
            gap, last = max(gap, now - last), now
        times.append(last - started)
        gaps.append(gap)

    print(f"{min(times) * 1000:.1f} ms, at a time {min(gaps) * 1000:.1f} ms")
    # Before 2026.10, Home Assistant builds its prompt along with the tools.
    if apis.HAS_PLATFORMS:
        assert min(times) < 0.05
        assert min(gaps) < 0.02
