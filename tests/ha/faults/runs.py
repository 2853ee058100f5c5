"""Faults of runs."""

import asyncio
import json
from typing import Any

from custom_components.clawd.gateway import ConnectionLostError, RunRequest
from custom_components.clawd.gateway.runs.runs import AgentRuns
from custom_components.clawd.gateway.runs.stream import RunStream
from custom_components.clawd.selftest.checks import runs
from tests.simulator import Pause, Reply

from ..fault_harness import Fault, FaultHarness
from ..report_assertions import Expected

REQUEST = RunRequest("Hi", "agent:main:ha-fault")


async def kept_run(harness: FaultHarness) -> None:
    """Keep a run after its end."""
    harness.monkeypatch.setattr(AgentRuns, "close", lambda *_: None)
    run = await harness.runtime.client.start_run(REQUEST)
    await run.result()


async def endless_run(harness: FaultHarness) -> None:
    """Keep a run for longer than one can last."""
    harness.monkeypatch.setattr(runs, "MAX_OVERTIME", -3600)
    harness.gateway.hold("agent")

    async def start_run() -> None:
        await harness.runtime.client.start_run(REQUEST)

    task = asyncio.create_task(start_run())
    harness.cleanup.callback(task.cancel)
    await harness.gateway.wait_for_request("agent")


async def unknown_run(harness: FaultHarness) -> None:
    """Keep a run that was not started here."""
    harness.runtime.client.statistics.runs_ended += 1


async def skipped_event(harness: FaultHarness) -> None:
    """Send an event of our own run that cannot be used."""
    client = harness.runtime.client
    harness.gateway.script(Reply("It is on."), Pause())
    run = await client.start_run(REQUEST)
    await harness.gateway.wait_paused()
    payload = {"runId": run.run_id, "stream": "assistant", "seq": 1_000, "data": "text"}
    harness.gateway.send_raw(
        json.dumps({"type": "event", "event": "agent", "payload": payload})
    )
    harness.gateway.proceed()
    await run.result()


async def lost_reply(harness: FaultHarness) -> None:
    """Lose the reply to a question with the connection."""
    client = harness.runtime.client
    harness.gateway.script(Reply("It is on."), Pause())
    run = await client.start_run(REQUEST)
    await harness.gateway.wait_paused()
    run.fail(ConnectionLostError("injected", close_code=1006))


async def oversized_run(harness: FaultHarness) -> None:
    """Keep the text of a reply several times."""
    real: Any = RunStream._emit  # noqa: SLF001 - the fault is inside

    def emit_often(stream: RunStream, text: str) -> None:
        for _ in range(5):
            real(stream, text)

    harness.monkeypatch.setattr(RunStream, "_emit", emit_often)
    harness.gateway.script(Reply("It is on."), Pause())
    await harness.runtime.client.start_run(REQUEST)
    await harness.gateway.wait_paused()
    await harness.runtime.client.request("health")


FAULTS = [
    Fault(
        kept_run,
        "runs_map",
        Expected(1, {"count": 1, "open": 1}, ("age # s, ended: True",)),
        differs=True,
    ),
    Fault(
        endless_run,
        "runs_map",
        Expected(1, {"count": 1, "open": 1}, ("age # s, ended: False",)),
        differs=True,
    ),
    Fault(unknown_run, "unknown_runs", Expected(1, {"count": 1})),
    Fault(skipped_event, "run_events", Expected(1, {"count": 1}), status="warn"),
    Fault(
        lost_reply,
        "run_outcomes",
        Expected(1, {"count": 1, "lost": 1, "codes": "1006: 1"}),
        status="warn",
    ),
    Fault(
        oversized_run,
        "stream_queues",
        Expected(None, {"count": 1, "open": 1}, ("# unread of #, 0 buffered",)),
        differs=True,
    ),
]
