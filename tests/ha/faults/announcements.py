"""Faults of announcements."""

import time

from custom_components.clawd.assist.listeners import (
    MAX_SPAWN_AGE,
    Message,
    Owner,
    Spawn,
    get_listeners,
)
from custom_components.clawd.home.announcements import Listener
from custom_components.clawd.util.moment import Moment

from ..fault_harness import Fault, FaultHarness
from ..report_assertions import Expected

CHECK = "announcements"
OWNER = Owner(Listener(), "main")


def _expected(**found: int) -> Expected:
    counts = {"count": 0, "twice": 0, "overdue": 0, "kept": 0, **found}
    return Expected(sum(found.values()), counts)


async def announced_twice(harness: FaultHarness) -> None:
    """Announce a reply twice."""
    get_listeners(harness.entry).delivered["r"] = 2


async def overdue_announcement(harness: FaultHarness) -> None:
    """Leave an announcement under way past its limit."""
    pending = harness.runtime.deliveries.pending
    pending[object()] = time.monotonic() - 3600


async def forgotten_sub_agent(harness: FaultHarness) -> None:
    """Wait for a sub-agent for more than a day."""
    spawn = Spawn("agent:main:ha-1", OWNER, Moment.at(time.time() - MAX_SPAWN_AGE - 60))
    get_listeners(harness.entry).spawns["r"] = spawn


async def announced_and_awaited(harness: FaultHarness) -> None:
    """Wait for an announced sub-agent."""
    listeners = get_listeners(harness.entry)
    listeners.spawns["r"] = Spawn("agent:main:ha-1", OWNER, Moment.now())
    listeners.delivered["r"] = 1


async def too_many_listeners(harness: FaultHarness) -> None:
    """Keep more sessions than there is room for."""
    owners = get_listeners(harness.entry).owners
    owners.update(dict.fromkeys(map(str, range(258)), OWNER))


async def too_many_unfinished(harness: FaultHarness) -> None:
    """Keep more unfinished announcements than there is room for."""
    messages = dict.fromkeys(map(str, range(33)), Message(OWNER, "x"))
    get_listeners(harness.entry).unfinished.update(messages)


FAULTS = [
    Fault(announced_twice, CHECK, _expected(twice=1)),
    Fault(overdue_announcement, CHECK, _expected(overdue=1)),
    Fault(forgotten_sub_agent, CHECK, _expected(kept=1)),
    Fault(announced_and_awaited, CHECK, _expected(kept=1)),
    Fault(too_many_listeners, CHECK, _expected(kept=2)),
    Fault(too_many_unfinished, CHECK, _expected(kept=1)),
]
