"""Check of announcements."""

import time
from typing import TYPE_CHECKING

from ...assist.listeners import (
    MAX_DELIVERED,
    MAX_SESSIONS,
    MAX_SPAWN_AGE,
    MAX_SPAWNS,
    MAX_UNFINISHED,
    get_listeners,
)
from ...gateway import MAX_FOREIGN_RUNS
from ...home.announcements import MAX_DELIVERY_TIME
from ..model import CheckResult, Component, check, expect_none
from ..prerequisites import setup_complete
from .requests import OVERDUE_TOLERANCE

if TYPE_CHECKING:
    from ..model import CheckContext


@check(
    component=Component.HOME_ASSISTANT,
    requires=(setup_complete,),
    max_lag=OVERDUE_TOLERANCE,
)
async def check_announcements(context: CheckContext) -> CheckResult:
    """Duplicate, overdue or forgotten announcements.

    An answer would be heard twice, or never.
    """
    deliveries = context.runtime.deliveries
    listeners, now = get_listeners(context.entry), time.monotonic()
    overdue = await context.recheck(
        lambda: [
            delivery
            for delivery, started in deliveries.pending.items()
            if now - started > MAX_DELIVERY_TIME + OVERDUE_TOLERANCE
        ]
    )
    twice = sum(times > 1 for times in listeners.delivered.values())
    forgotten = sum(
        # Delivered, but still kept as running.
        run_id in listeners.delivered
        or spawn.at.age > MAX_SPAWN_AGE + OVERDUE_TOLERANCE
        for run_id, spawn in listeners.spawns.items()
    )
    sizes = (
        (len(listeners.owners), MAX_SESSIONS),
        (len(listeners.spawns), MAX_SPAWNS),
        (len(listeners.delivered), MAX_DELIVERED),
        (len(listeners.unfinished), MAX_UNFINISHED),
        (context.runtime.client.introspection.foreign_runs, MAX_FOREIGN_RUNS),
    )
    kept = forgotten + sum(max(0, size - limit) for size, limit in sizes)
    return expect_none(
        twice + len(overdue) + kept,
        "announcements",
        count=sum(deliveries.outcomes.values()),
        twice=twice,
        overdue=len(overdue),
        kept=kept,
    )
