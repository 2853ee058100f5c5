"""Leftovers of the integration after unload."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
import inspect
from typing import Any

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntryState
from homeassistant.core import HassJob, HomeAssistant
from homeassistant.helpers.entity_platform import async_get_platforms
from homeassistant.util.async_ import get_scheduled_timer_handles

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.selftest import detectors
from custom_components.clawd.selftest.loop_watch import PACKAGE

# The component itself listens to this as long as Home Assistant runs.
COMPONENT_SIGNALS = {SIGNAL_CONFIG_ENTRY_CHANGED}


async def unload_entries(hass: HomeAssistant) -> None:
    """Unload each entry that is still loaded."""
    await hass.async_block_till_done()
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.state is ConfigEntryState.LOADED:
            assert await hass.config_entries.async_unload(entry.entry_id)


def platforms_with_entities(hass: HomeAssistant) -> list[str]:
    """Return the platforms that have entities.

    Home Assistant 2026.3 lists unloaded ones, too.
    """
    platforms = async_get_platforms(hass, DOMAIN)
    return [platform.domain for platform in platforms if platform.entities]


def leftovers(hass: HomeAssistant) -> list[str]:
    """Return the tasks, timers and listeners of the integration."""
    return [*_tasks(hass), *_timers(hass), *_bus(hass), *_dispatcher(hass)]


def _tasks(hass: HomeAssistant) -> Iterator[str]:
    tasks = detectors.stray_tasks(asyncio.all_tasks(hass.loop), (), PACKAGE)
    yield from (f"the task {task!r}" for task in tasks)


def _timers(hass: HomeAssistant) -> Iterator[str]:
    """Yield the timers of the integration."""
    handles: list[Any] = get_scheduled_timer_handles(hass.loop)  # untyped attributes
    for handle in handles:
        arguments = handle._args or ()  # noqa: SLF001 - asyncio has no public access
        called = handle._callback  # noqa: SLF001 - asyncio has no public access
        if not handle.cancelled() and any(map(_is_ours, (called, *arguments))):
            yield f"the timer {handle!r}"


def _bus(hass: HomeAssistant) -> Iterator[str]:
    """Yield the event listeners of the integration."""
    registered = hass.bus._listeners  # noqa: SLF001 - the public count has no callables
    for event, listeners in registered.items():
        yield from (f"a listener of {event}" for job, _ in listeners if _is_ours(job))


def _dispatcher(hass: HomeAssistant) -> Iterator[str]:
    for signal, targets in hass.data.get("dispatcher", {}).items():
        if signal not in COMPONENT_SIGNALS and any(map(_is_ours, targets)):
            yield f"a receiver of {signal}"


def _is_ours(called: HassJob[..., Any] | Callable[..., object] | object) -> bool:
    """Return whether a callable is code of the integration."""
    if isinstance(called, HassJob):
        called = called.target
    while isinstance(called, partial):
        called = called.func
    code = getattr(called, "__code__", None)
    return inspect.iscode(code) and code.co_filename.startswith(PACKAGE)
