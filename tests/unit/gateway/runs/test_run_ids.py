"""Ids of runs."""

from custom_components.clawd.gateway import RunRequest
from tests.unit.run_harness import RunHarness

KEY = "agent:main:x"


async def test_a_run_that_is_renamed_twice_leaves_no_id_behind() -> None:
    harness = RunHarness()
    run = harness.run
    harness.runs.accept(run, {"runId": "first"})
    # Sent again after a reconnect, and accepted under another id.
    harness.runs.accept(run, {"runId": "second"})
    await run.abort()

    for run_id in ("r", "first", "second"):
        harness.deliver({"runId": run_id, "seq": 1, "stream": "x", "data": {}})
    assert harness.statistics.foreign_run_events == 3


async def test_a_run_that_joins_another_leaves_its_events_to_it() -> None:
    harness = RunHarness()
    await harness.start()
    other = harness.runs.open(RunRequest("And you?", KEY, run_id="other"))
    # v4 may answer a second question of a session with the run under way.
    harness.runs.accept(other, {"runId": "r"})

    harness.send_text("It is on.")
    await other.abort()
    harness.send_text("It is on. Still.", delta=" Still.")
    await harness.end("It is on. Still.")

    assert (await harness.run.result()).text == "It is on. Still."
    assert harness.statistics.foreign_run_events == 0
    assert harness.run.stream.incomplete is False
