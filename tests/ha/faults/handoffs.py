"""Faults of the runs that were handed off."""

import asyncio
import time

from custom_components.clawd.assist.handoff_store import Handoff, get_handoffs
from custom_components.clawd.assist.ongoing import get_ongoing
from custom_components.clawd.assist.question import Question
from custom_components.clawd.coordinator import async_create_background_task
from custom_components.clawd.util.moment import Moment

from ..fault_harness import Fault, FaultHarness
from ..report_assertions import Expected

CHECK = "handoffs"
HANDOFF = Handoff(
    id="r",
    subentry_id="s",
    question=Question(text="?", conversation_id="c", language="en"),
    asked=Moment.now(),
)


def _expected(count: int, **found: int) -> Expected:
    counts = {"count": count, "overdue": 0, "forgotten": 0, "twice": 0, **found}
    return Expected(sum(found.values()), counts)


async def _wait_for_ever() -> None:
    await asyncio.Event().wait()


async def overdue_handoff(harness: FaultHarness) -> None:
    """See to a run for longer than one can last."""
    handoffs, runs = get_handoffs(harness.entry), get_ongoing(harness.entry)
    handoffs.open["r"] = HANDOFF
    handoffs.seen_since["r"] = time.monotonic() - 5000
    runs.handoffs["r"] = async_create_background_task(
        harness.hass, harness.entry, _wait_for_ever(), "clawd hand-off"
    )
    harness.cleanup.callback(runs.handoffs.clear)
    harness.cleanup.callback(handoffs.open.clear)


async def forgotten_handoff(harness: FaultHarness) -> None:
    """Keep a hand-off that no task sees to."""
    handoffs = get_handoffs(harness.entry)
    handoffs.open["r"] = HANDOFF
    harness.cleanup.callback(handoffs.open.clear)


async def answer_told_twice(harness: FaultHarness) -> None:
    """Tell an answer twice."""
    handoffs = get_handoffs(harness.entry)
    handoffs.count_delivery(HANDOFF)
    handoffs.count_delivery(HANDOFF)


FAULTS = [
    Fault(overdue_handoff, CHECK, _expected(1, overdue=1)),
    Fault(forgotten_handoff, CHECK, _expected(1, forgotten=1)),
    Fault(answer_told_twice, CHECK, _expected(0, twice=1)),
]
