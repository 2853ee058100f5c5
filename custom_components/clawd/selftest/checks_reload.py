"""Checks that reload the entry and look for what is left of it."""

import asyncio
from collections import Counter
from contextlib import contextmanager, suppress
import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from homeassistant.const import CONF_PORT, EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.helpers import event
from homeassistant.util.hass_dict import HassKey

from ..connection import CLIENTS
from . import detectors, interruption
from .checks_drills import count_tasks
from .model import CheckResult, Status, expect_none

if TYPE_CHECKING:
    from collections.abc import Iterator

    from homeassistant.core import HomeAssistant

    from ..gateway import GatewayClient
    from .model import CheckContext

RELOADS: Final = 3
PROCESS: Final = Path("/proc/self")
REMOTE: Final = 2
INODE: Final = 9

# Where Home Assistant keeps the listeners that share one on the bus.
TRACKERS: Final[tuple[HassKey[Any], ...]] = (
    HassKey("track_state_change_data"),
    HassKey("track_state_report_data"),
    HassKey("track_state_added_domain_data"),
    HassKey("track_state_removed_domain_data"),
    HassKey("track_entity_registry_updated_data"),
    HassKey("track_device_registry_updated_data"),
)


async def check_entry_reload(context: CheckContext) -> CheckResult:
    """Reload the entry; it has to come back as it was."""
    before = _count_own(context)
    await interruption.reload(context, RELOADS)
    names = await context.confirm(
        lambda: detectors.grown(before, _count_own(context), RELOADS)
    )
    return _growth_result(names, before)


async def check_bus_listeners(context: CheckContext) -> CheckResult:
    """Look for listeners on the bus that each reload leaves behind."""
    before = _count_listeners(context.hass)
    await interruption.reload(context, RELOADS)
    names = await context.confirm(
        lambda: detectors.grown(before, _count_listeners(context.hass), RELOADS)
    )
    return _growth_result(names, before)


async def check_instances(context: CheckContext) -> CheckResult:
    """Look for clients that are held although they ended.

    The client that the first reload makes ends with the second one. Whoever
    holds one of its connections, the ended one or the other, holds it, too.
    """
    with _few_objects():
        known = WeakSet(CLIENTS)
        await interruption.reload(context)
        await interruption.reconnect(context.runtime.client, 1)
        await interruption.reload(context)
        held = await context.confirm(lambda: _held(context, known))
    return expect_none(len(held), "clients", count=len(held))


async def check_sockets(context: CheckContext) -> CheckResult:
    """Look for sockets to the Gateway that stay open."""
    before = await _count_sockets(context)
    if before is None:
        return CheckResult(status=Status.SKIP, reason="no_descriptors")
    await interruption.reconnect(context.runtime.client, 1)
    await interruption.reload(context)
    if (after := await _count_sockets(context) or 0) > before:
        await asyncio.sleep(context.settle)
        after = await _count_sockets(context) or 0
    return CheckResult(
        status=Status.FAIL if after > before else Status.PASS,
        observed=after,
        unit="sockets",
        expected=before,
        facts={"before": before, "after": after},
    )


def _growth_result(names: list[str], before: Counter[str]) -> CheckResult:
    return expect_none(
        len(names),
        "names",
        reloads=RELOADS,
        count=before.total(),
        names=", ".join(names),
    )


def _count_own(context: CheckContext) -> Counter[str]:
    """Count tasks, and listeners to the client, by name."""
    listeners = context.runtime.client.listeners
    return count_tasks(context) + Counter(
        {f"listener {event}": len(found) for event, found in listeners.items()}
    )


def _count_listeners(hass: HomeAssistant) -> Counter[str]:
    """Count the listeners on the bus, and to the time.

    Stores that have yet to write do not count.
    """
    counts = Counter({str(name): n for name, n in hass.bus.async_listeners().items()})
    del counts[EVENT_HOMEASSISTANT_FINAL_WRITE]
    for key in TRACKERS:
        if tracked := hass.data.get(key):
            counts[str(key)] = sum(map(len, tracked.callbacks.values()))
    timers = detectors.armed(detectors.scheduled(hass.loop) or ())
    counts["timers"] = sum(type(t).__module__ == event.__name__ for t in timers)
    return counts


@contextmanager
def _few_objects() -> Iterator[None]:
    """Let a collection look only at objects that are made from now on.

    All of Home Assistant's would block the loop. Whoever froze some before keeps
    them frozen.
    """
    frozen_before = gc.get_freeze_count() > 0
    if not frozen_before:
        gc.freeze()
    try:
        yield
    finally:
        if not frozen_before:
            gc.unfreeze()


def _held(context: CheckContext, known: WeakSet[GatewayClient]) -> list[int]:
    """Return an id for each new client that nobody should hold any more."""
    gc.collect()
    loaded = context.hass.config_entries.async_loaded_entries(context.entry.domain)
    known = known.union(entry.runtime_data.client for entry in loaded)
    return [id(client) for client in CLIENTS if client not in known]


async def _count_sockets(context: CheckContext) -> int | None:
    """Return how many sockets lead to the Gateway's port, if that can be seen."""
    port = context.entry.data[CONF_PORT]
    return await context.hass.async_add_executor_job(_sockets_to, port)


def _sockets_to(port: int) -> int | None:
    if not PROCESS.is_dir():
        return None
    own = {_target(descriptor) for descriptor in (PROCESS / "fd").iterdir()}
    tables = [(PROCESS / "net" / name).read_text() for name in ("tcp", "tcp6")]
    rows = [row.split() for table in tables for row in table.splitlines()]
    return sum(
        row[REMOTE].endswith(f":{port:04X}") and f"socket:[{row[INODE]}]" in own
        for row in rows
    )


def _target(descriptor: Path) -> str:
    """Return what a descriptor stands for; nothing if it is closed meanwhile."""
    with suppress(OSError):
        return str(descriptor.readlink())
    return ""
