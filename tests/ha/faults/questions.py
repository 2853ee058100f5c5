"""Faults of open questions."""

import time

from custom_components.clawd.assist.open_question import OpenQuestion
from custom_components.clawd.assist.run_origins import RunOrigin
from custom_components.clawd.gateway import AgentQuestion, QuestionItem, RunRequest

from ..asking import approve, questions_of
from ..fault_harness import Fault, FaultHarness
from ..report_assertions import Expected

ITEM = QuestionItem("room", "Room", "Which room?")


async def _open_question(harness: FaultHarness, expires_at: float) -> None:
    """Open a question of a run, as if it had been asked."""
    hass, entry, gateway = harness.hass, harness.entry, harness.gateway
    hass.config_entries.async_update_entry(entry, options={"ask_questions": True})
    await hass.async_block_till_done()
    await approve(gateway, entry)
    request = RunRequest("say: Hello", "agent:main:ha-1")
    run = await harness.runtime.client.start_run(request)
    await run.wait_ended()
    [subentry] = entry.subentries.values()
    origin = RunOrigin(run, subentry, None)
    asked = AgentQuestion("ask_1", (ITEM,), "main", "", run.run_id, expires_at)
    questions_of(entry).open["ask_1"] = OpenQuestion(asked, origin)


async def question_without_run(harness: FaultHarness) -> None:
    """Keep a question of an agent after its run has ended."""
    await _open_question(harness, time.time() + 60)


async def expired_question(harness: FaultHarness) -> None:
    """Keep a question of an agent after its expiry."""
    await _open_question(harness, time.time() - 60)
    [one] = questions_of(harness.entry).open.values()
    harness.monkeypatch.setattr(type(one.origin.run), "ended", False)


def _expected(stray: int, expired: int) -> Expected:
    return Expected(1, {"open": 1, "asked": 1, "stray": stray, "expired": expired})


FAULTS = [
    Fault(question_without_run, "questions", _expected(1, 0), protocols=(4,)),
    Fault(expired_question, "questions", _expected(0, 1), protocols=(4,)),
]
