"""Runs of others in sessions that are followed."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from custom_components.clawd.gateway import ForeignRun, GatewayError
from tests.unit.run_harness import RunHarness

KEY = "agent:main:ha-1"
RUN = "announce:v1:agent:main:subagent:1:2"
END = {"phase": "end", "executionSettled": True}


class Recorder:
    """Follower of one session that notes the runs."""

    def __init__(self) -> None:
        """Initialize without runs."""
        self.runs: list[ForeignRun] = []

    def is_followed(self, session_key: str) -> bool:
        """Return whether it is the session."""
        return session_key == KEY

    def run_ended(self, run: ForeignRun) -> None:
        """Note a run."""
        self.runs.append(run)


class Foreign(RunHarness):
    """Run of another client, beside one of ours."""

    def __init__(self) -> None:
        """Follow the session."""
        super().__init__()
        self.recorder = Recorder()
        self.unfollow = self.runs.foreign.follow(self.recorder)

    def send(self, stream: str, data: object, seq: int, **more: Any) -> None:  # noqa: ANN401
        """Send an event of the run."""
        event = {"runId": RUN, "sessionKey": KEY, "stream": stream, "data": data}
        self.deliver({**event, "seq": seq, **more})

    def say(self, text: str, seq: int = 2) -> None:
        """Send the start of the run, and a text."""
        self.send("lifecycle", {"phase": "start"}, 1)
        self.send("assistant", {"text": text, "delta": text}, seq)

    @property
    def texts(self) -> list[str]:
        """Return the replies that were told."""
        return [run.text for run in self.recorder.runs]


@pytest.fixture
async def foreign() -> AsyncGenerator[Foreign]:
    """Return the run of another client."""
    foreign = Foreign()
    yield foreign
    await foreign.run.abort()


async def test_a_run_of_others_is_told_at_its_end(foreign: Foreign) -> None:
    foreign.say("Done.")
    assert (foreign.texts, len(foreign.runs.foreign)) == ([], 1)

    foreign.send("lifecycle", END, 3)

    assert foreign.recorder.runs == [ForeignRun(RUN, KEY, "Done.")]
    assert len(foreign.runs.foreign) == 0


async def test_a_failed_attempt_of_clawdbot_is_no_end(foreign: Foreign) -> None:
    foreign.send("lifecycle", {"phase": "start"}, 1)
    foreign.send("lifecycle", {"phase": "end"}, 2)
    assert len(foreign.runs.foreign) == 1

    foreign.send("lifecycle", {"phase": "start"}, 3)
    foreign.send("assistant", {"text": "Done.", "delta": "Done."}, 4)
    foreign.send("lifecycle", {"phase": "end"}, 5)

    assert foreign.texts == ["Done."]


@pytest.mark.parametrize(
    "data",
    [
        {**END, "aborted": True},
        {**END, "phase": "error"},
        {"phase": "error"},
    ],
)
async def test_a_run_that_does_not_end_well_is_not_told(
    foreign: Foreign, data: dict[str, Any]
) -> None:
    foreign.say("Half of")
    foreign.send("lifecycle", data, 3)

    assert (foreign.texts, len(foreign.runs.foreign)) == ([], 0)


async def test_a_run_without_a_reply_is_not_told(foreign: Foreign) -> None:
    foreign.send("lifecycle", {"phase": "start"}, 1)
    foreign.send("lifecycle", END, 2)

    assert (foreign.texts, len(foreign.runs.foreign)) == ([], 0)


async def test_a_run_whose_start_was_missed_is_not_told(foreign: Foreign) -> None:
    foreign.send("assistant", {"text": "and off.", "delta": "and off."}, 7)
    foreign.send("lifecycle", END, 8)

    assert foreign.texts == []


@pytest.mark.parametrize("how", ["gap", "disconnect"])
async def test_a_run_of_which_events_were_missed_is_not_told(
    foreign: Foreign, how: str
) -> None:
    foreign.say("It is on")
    if how == "gap":
        foreign.runs.mark_incomplete()
    else:
        foreign.runs.mark_disconnected(GatewayError("lost"))
    foreign.send("lifecycle", END, 9)

    assert foreign.texts == []


async def test_the_reply_at_the_end_is_complete_whatever_was_missed(
    foreign: Foreign,
) -> None:
    reply = {"disposition": "visible", "text": "It is on and off."}
    foreign.send("lifecycle", {**END, "terminalReply": reply}, 9)

    assert foreign.texts == ["It is on and off."]


@pytest.mark.parametrize(
    "event",
    [
        {"runId": 1, "sessionKey": KEY},
        {"runId": RUN},
        {"runId": RUN, "sessionKey": "agent:main:main"},
        {"runId": RUN, "sessionKey": ["x"]},
    ],
)
async def test_events_of_other_sessions_open_nothing(
    foreign: Foreign, event: dict[str, Any]
) -> None:
    foreign.deliver({**event, "seq": 1, "stream": "lifecycle", "data": END})

    assert (foreign.texts, len(foreign.runs.foreign)) == ([], 0)


async def test_late_events_of_our_own_runs_are_not_those_of_others(
    foreign: Foreign,
) -> None:
    await foreign.run.abort()
    event = {"runId": foreign.run.run_id, "sessionKey": KEY, "stream": "lifecycle"}
    foreign.deliver(
        {**event, "seq": 1, "data": {**END, "terminalReply": {"text": "x"}}}
    )

    assert foreign.texts == []


async def test_nobody_follows_by_default_and_after_the_end(foreign: Foreign) -> None:
    foreign.say("Done.")
    foreign.unfollow()
    assert len(foreign.runs.foreign) == 0
    foreign.send("lifecycle", END, 3)
    assert foreign.texts == []

    other = Recorder()
    foreign.runs.foreign.follow(other)
    foreign.unfollow()
    foreign.say("Done.")
    foreign.send("lifecycle", END, 3)
    assert [run.text for run in other.runs] == ["Done."]


async def test_open_runs_are_bounded(foreign: Foreign) -> None:
    for number in range(100):
        foreign.send("lifecycle", {"phase": "start"}, 1, runId=f"r{number}")

    assert len(foreign.runs.foreign) == 64
