"""Check of hand-offs."""

import time
from typing import TYPE_CHECKING, Final

from ...assist.handoff import MAX_LATE_AGE
from ...assist.handoff_store import HandoffState, get_handoffs
from ...assist.ongoing import get_ongoing
from ...const import MAX_HANDOFF_AGE
from ...home.announcements import MAX_DELIVERY_TIME
from ..model import CheckResult, Component, check, expect_none
from ..prerequisites import setup_complete

if TYPE_CHECKING:
    from ..model import CheckContext

# An announcement in progress may belong to a run with a late end.
_LIMITS: Final = {HandoffState.RUNNING: MAX_HANDOFF_AGE}


@check(component=Component.HOME_ASSISTANT, requires=(setup_complete,))
async def check_handoffs(context: CheckContext) -> CheckResult:
    """Overdue, duplicate or forgotten hand-offs.

    The user is waiting for the answer.
    """
    handoffs = get_handoffs(context.entry)
    overdue = await context.recheck(lambda: _overdue(context))
    forgotten = await context.recheck(lambda: _forgotten(context))
    twice = sum(times > 1 for times in handoffs.deliveries.values())
    return expect_none(
        len(overdue) + len(forgotten) + twice,
        "hand-offs",
        count=len(handoffs.open),
        overdue=len(overdue),
        forgotten=len(forgotten),
        twice=twice,
    )


def _overdue(context: CheckContext) -> list[str]:
    """Return the overdue hand-offs."""
    handoffs, now = get_handoffs(context.entry), time.monotonic()
    return [
        handoff.id
        for handoff in handoffs.open.values()
        if now - handoffs.seen_since.get(handoff.id, now)
        > _LIMITS.get(handoff.state, MAX_HANDOFF_AGE + MAX_LATE_AGE) + MAX_DELIVERY_TIME
    ]


def _forgotten(context: CheckContext) -> list[str]:
    """Return the hand-offs without a task."""
    runs = get_ongoing(context.entry)
    # A run with an open question needs no task: it waits for the answer.
    seen = {*runs.handoffs, *(run.id for run in runs.all)}
    return [name for name in get_handoffs(context.entry).open if name not in seen]
