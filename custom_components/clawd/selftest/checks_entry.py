"""Checks of what the integration has in Home Assistant."""

import asyncio
from functools import partial
from pathlib import Path
from stat import S_IMODE
from time import perf_counter
from typing import TYPE_CHECKING, Final

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    Platform,
)
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN
from ..gateway import ConnectionState
from . import detectors
from .checks_home_assistant import MOST_TASKS, PACKAGE
from .model import CheckResult, Status, expect_none, milliseconds
from .report import text_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homeassistant.core import HomeAssistant, State

    from .model import CheckContext

LAG_SAMPLES: Final = 10
LAG_REPEATS: Final = 2
LAG_INTERVAL: Final = 0.05
LAG_LIMIT: Final = 0.05
OTHERS: Final = 0o077
ENDS: Final = ("pass", "fail", "hint")


def anybody_connects(context: CheckContext) -> str | None:
    """Name the reason if requests are under way of which nothing shows yet."""
    config_entries = context.hass.config_entries
    entries = config_entries.async_loaded_entries(DOMAIN)
    states = [entry.runtime_data.client.state for entry in entries]
    flows = config_entries.flow.async_progress_by_handler(DOMAIN)
    connecting = ConnectionState.HANDSHAKING in states or flows
    return "in_handshake" if connecting else None


async def check_task_exceptions(context: CheckContext) -> CheckResult:
    """Count the tasks that ended with an exception."""
    failures = context.runtime.client.task_failures
    count = sum(failures.values())
    return expect_none(count, "tasks", count=count, names=", ".join(failures))


async def check_handler_errors(context: CheckContext) -> CheckResult:
    """Count the exceptions of listeners."""
    count = context.runtime.client.statistics.listener_errors
    return expect_none(count, "exceptions", count=count)


async def check_timer_registry(context: CheckContext) -> CheckResult:
    """Compare the timers that are armed with those that are needed."""
    loop = asyncio.get_running_loop()
    if (handles := detectors.scheduled(loop)) is None:
        return CheckResult(status=Status.SKIP, reason="not_asyncio")
    stray = await context.confirm(partial(_stray_timers, context.hass, loop))
    return expect_none(
        len(stray), "timers", count=len(handles), names=", ".join(stray[:MOST_TASKS])
    )


async def check_loop_lag(_context: CheckContext) -> CheckResult:
    """Measure how late the event loop is; one hiccup is no illness."""
    p95 = await _longest_lag()
    for _ in range(LAG_REPEATS):
        if p95 >= LAG_LIMIT:
            p95 = min(p95, await _longest_lag())
    return CheckResult(
        status=Status.FAIL if p95 >= LAG_LIMIT else Status.PASS,
        observed=round(p95 * 1000, 3),
        unit="ms",
        expected=f"< {LAG_LIMIT * 1000:g}",
        facts={"slow": milliseconds(p95)},
    )


async def check_entity_availability(context: CheckContext) -> CheckResult:
    """Compare what the entities say with the connection."""
    wrong = await context.confirm(partial(_wrong_entities, context))
    return expect_none(
        len(wrong), "entities", count=len(wrong), names=", ".join(wrong[:MOST_TASKS])
    )


async def check_registry(context: CheckContext) -> CheckResult:
    """Look for entities and devices that belong to nothing any more."""
    entry_id = context.entry.entry_id
    states = context.hass.states
    entities = er.async_entries_for_config_entry(er.async_get(context.hass), entry_id)
    devices = dr.async_entries_for_config_entry(dr.async_get(context.hass), entry_id)
    used = {entity.device_id for entity in entities}
    orphans = [
        *(d.name or "?" for d in devices if d.id not in used),
        *(
            entity.entity_id
            for entity in entities
            if entity.disabled_by is None and not states.get(entity.entity_id)
        ),
    ]
    return expect_none(
        len(orphans),
        "entities and devices",
        entities=len(entities),
        devices=len(devices),
        names=", ".join(orphans[:MOST_TASKS]),
    )


async def check_store_permissions(context: CheckContext) -> CheckResult:
    """Look at who may read the files with the secrets."""
    folder = Path(context.hass.config.path(STORAGE_DIR))
    modes = await context.hass.async_add_executor_job(_modes, folder)
    open_files = [name for name, mode in modes.items() if mode & OTHERS]
    return expect_none(
        len(open_files),
        "files",
        count=len(modes),
        names=", ".join(open_files),
        details=tuple(f"{name}: {mode:o}" for name, mode in modes.items()),
    )


async def check_translations(context: CheckContext) -> CheckResult:
    """Look for texts of the self-test that are missing in the user's language."""
    hass = context.hass
    texts = await async_get_translations(
        hass, hass.config.language, "exceptions", {DOMAIN}
    )
    keys = [f"check_{check}_{end}" for check in context.checks for end in ENDS]
    missing = [key for key in keys if text_key(key) not in texts]
    return expect_none(
        len(missing), "texts", count=len(keys), names=", ".join(missing[:MOST_TASKS])
    )


def _stray_timers(hass: HomeAssistant, loop: asyncio.AbstractEventLoop) -> list[str]:
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    known = {timer for e in entries for timer in e.runtime_data.client.timers}
    return detectors.stray_timers(detectors.scheduled(loop) or (), known, PACKAGE)


async def _longest_lag() -> float:
    """Return the lag that 95 of 100 do not exceed: of ten, the longest."""
    return max([await _lag() for _ in range(LAG_SAMPLES)])


async def _lag() -> float:
    planned = perf_counter() + LAG_INTERVAL
    await asyncio.sleep(LAG_INTERVAL)
    return perf_counter() - planned


def _wrong_entities(context: CheckContext) -> list[str]:
    """Return the entities whose state denies what the connection is."""
    states, connected = context.hass.states, context.connected
    registry = er.async_get(context.hass)
    entry_id = context.entry.entry_id
    shown = {
        entity.entity_id: states.get(entity.entity_id)
        for entity in er.async_entries_for_config_entry(registry, entry_id)
        if entity.disabled_by is None
    }
    return [
        entity_id
        for entity_id, state in sorted(shown.items())
        if state and not _is_consistent(state, connected=connected)
    ]


def _is_consistent(state: State, *, connected: bool) -> bool:
    """Return whether a state fits; only two kinds tell of the connection."""
    if state.domain == Platform.CONVERSATION:
        return (state.state != STATE_UNAVAILABLE) is connected
    if state.attributes.get(ATTR_DEVICE_CLASS) == BinarySensorDeviceClass.CONNECTIVITY:
        return state.state == (STATE_ON if connected else STATE_OFF)
    return True


def _modes(folder: Path) -> Mapping[str, int]:
    """Return the permissions of the files of the integration."""
    return {
        path.name: S_IMODE(path.stat().st_mode) for path in folder.glob(f"{DOMAIN}.*")
    }
