"""Drills of entry reloads."""

import asyncio
from collections import Counter
from contextlib import suppress
import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from homeassistant.const import CONF_PORT, EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.helpers import event
from homeassistant.util.hass_dict import HassKey

from ...client_factory import CLIENTS
from ...reports import Status
from ...runtime.counts import count_listeners
from ...util.drill_lock import drill_lock
from .. import detectors, drill_tools
from ..drill_tools import drill
from ..model import CheckResult, Component, expect_none
from .drills import count_tasks

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from ...gateway import GatewayClient
    from ..model import CheckContext

RELOADS: Final = 3
PROCESS: Final = Path("/proc/self")
# Columns of /proc/net/tcp:
#   0: 0100007F:A1B2 0100007F:4965 01 00000000:00000000 00:00000000 00000000 0 0 123456
# is 127.0.0.1:41394 to port 18789, which the descriptor "socket:[123456]" stands for.
REMOTE_ADDRESS: Final = 2
INODE: Final = 9

# Listeners that share one listener on the bus, where Home Assistant keeps them.
TRACKERS: Final[tuple[HassKey[Any], ...]] = (
    HassKey("track_state_change_data"),
    HassKey("track_state_report_data"),
    HassKey("track_state_added_domain_data"),
    HassKey("track_state_removed_domain_data"),
    HassKey("track_entity_registry_updated_data"),
    HassKey("track_device_registry_updated_data"),
)


@drill(component=Component.HOME_ASSISTANT)
async def check_entry_reload(context: CheckContext) -> CheckResult:
    """State of the entry after reloads.

    A reload must be safe.
    """
    before = _count_tasks_and_listeners(context)
    await drill_tools.reload(context, RELOADS)
    names = await context.recheck(
        lambda: detectors.grown_counts(
            before, _count_tasks_and_listeners(context), RELOADS
        )
    )
    return _growth_result(names, before)


@drill(component=Component.HOME_ASSISTANT)
async def check_bus_listeners(context: CheckContext) -> CheckResult:
    """Bus listeners left behind by reloads.

    Everything would happen twice.
    """
    before = _count_bus_listeners(context.hass)
    await drill_tools.reload(context, RELOADS)
    names = await context.recheck(
        lambda: detectors.grown_counts(
            before, _count_bus_listeners(context.hass), RELOADS
        )
    )
    return _growth_result(names, before)


@drill(component=Component.HOME_ASSISTANT)
async def check_instances(context: CheckContext) -> CheckResult:
    """Clients and connections kept after reloads.

    They would use up memory.
    """
    # The client of the first reload ends with the second one. Holding one of its
    # two connections holds the client, too.
    with drill_tools.frozen_objects():
        known = WeakSet(CLIENTS)
        await drill_tools.reload(context)
        await drill_tools.reconnect(context, 1)
        await drill_tools.reload(context)
        held = await context.recheck(lambda: _held_clients(context, known))
    # An entity keeps the client of its own setup.
    if held and drill_lock(context.entry).questions:
        raise drill_tools.RunStartedError
    return expect_none(len(held), "clients", count=len(held))


@drill(component=Component.GATEWAY)
async def check_sockets(context: CheckContext) -> CheckResult:
    """Open sockets to the Gateway after reloads.

    They would run out in the end.
    """
    before = await _count_sockets(context)
    if before is None:
        return CheckResult(status=Status.SKIP, reason="no_descriptors")
    await drill_tools.reconnect(context, 1)
    await drill_tools.reload(context)
    if (after := await _count_sockets(context) or 0) > before:
        await asyncio.sleep(context.recheck_delay)
        after = await _count_sockets(context) or 0
    return CheckResult(
        status=Status.FAIL if after > before else Status.PASS,
        observed=after,
        unit="sockets",
        expected=before,
        placeholders={"before": before, "after": after},
    )


def _growth_result(names: list[str], before: Counter[str]) -> CheckResult:
    return expect_none(
        len(names),
        "names",
        reloads=RELOADS,
        count=before.total(),
        names=", ".join(names),
    )


def _count_tasks_and_listeners(context: CheckContext) -> Counter[str]:
    """Count tasks and client listeners by name."""
    counts = count_tasks(context)
    for client in context.runtime.clients:
        for name, count in count_listeners(client).items():
            counts[f"listener {name}"] += count
    return counts


def _count_bus_listeners(hass: HomeAssistant) -> Counter[str]:
    """Count bus and time listeners by name."""
    counts = Counter({str(name): n for name, n in hass.bus.async_listeners().items()})
    # A store with a delayed write listens to this until it has written.
    del counts[EVENT_HOMEASSISTANT_FINAL_WRITE]
    for key in TRACKERS:
        if tracked := hass.data.get(key):
            counts[str(key)] = sum(map(len, tracked.callbacks.values()))
    timers = detectors.armed_callbacks(detectors.scheduled_timers(hass.loop) or ())
    counts["timers"] = sum(type(t).__module__ == event.__name__ for t in timers)
    return counts


def _held_clients(context: CheckContext, known: WeakSet[GatewayClient]) -> list[int]:
    """Return the ids of orphaned new clients."""
    gc.collect()
    loaded = context.hass.config_entries.async_loaded_entries(context.entry.domain)
    known = known.union(
        client for entry in loaded for client in entry.runtime_data.clients
    )
    return [id(client) for client in CLIENTS if client not in known]


async def _count_sockets(context: CheckContext) -> int | None:
    """Return the number of our sockets, if visible."""
    port = context.entry.data[CONF_PORT]
    return await context.hass.async_add_executor_job(_sockets_to, port)


def _sockets_to(port: int) -> int | None:
    if not PROCESS.is_dir():
        return None
    own = {_target(descriptor) for descriptor in (PROCESS / "fd").iterdir()}
    tables = [(PROCESS / "net" / name).read_text() for name in ("tcp", "tcp6")]
    rows = [row.split() for table in tables for row in table.splitlines()]
    return sum(
        row[REMOTE_ADDRESS].endswith(f":{port:04X}") and f"socket:[{row[INODE]}]" in own
        for row in rows
    )


def _target(descriptor: Path) -> str:
    """Return the target of an open descriptor."""
    with suppress(OSError):
        return str(descriptor.readlink())
    return ""
