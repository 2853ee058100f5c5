"""Runs of agents: how they ended, and those that go on."""

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from ..assist.handoff_store import get_handoffs
from ..assist.ongoing import get_ongoing
from ..assist.sessions import get_sessions
from ..assist.warm_up import get_warm_ups
from ..util.glossary import meaning
from .source import DiagnosticsSource, of_client, of_history, of_runtime
from .values import MAX_NAMES, shorten

if TYPE_CHECKING:
    from ..coordinator import ClawdRuntime
    from ..gateway import ClientHistory, GatewayClient


@of_history
def questions_section(history: ClientHistory) -> object:
    """Return how the last questions ended."""
    return [
        {
            "at": round(outcome.at, 3),
            "code": shorten(outcome.code),
            "meaning": meaning(outcome.code),
            "error": outcome.error,
            "accepted": outcome.accepted,
            "seconds": round(outcome.seconds, 3),
            "attempts": outcome.attempts,
        }
        for outcome in history.statistics.run_outcomes
    ]


@of_runtime
def sessions_section(source: DiagnosticsSource, _runtime: ClawdRuntime) -> object:
    """Count sessions by permission mode."""
    known = get_sessions(source.entry).known.values()
    modes = Counter(session.mode or "gateway" for session in known)
    return {"modes": dict(modes)}


@of_client
def runs_section(client: GatewayClient) -> object:
    """Return the runs that are known now."""
    return [
        {
            "age": round(run.age, 3),
            "accepted": run.accepted,
            "ended": run.ended,
            "characters": run.size,
        }
        for run in client.introspection.runs[:MAX_NAMES]
    ]


def handoffs_section(source: DiagnosticsSource) -> object:
    """Return the hand-offs without content."""
    handoffs = get_handoffs(source.entry)
    return {
        "open": [
            {
                "age": round(handoff.age),
                "state": handoff.state,
                "accepted": handoff.accepted,
                "voice": handoff.question.voice_device is not None,
            }
            for handoff in list(handoffs.open.values())[:MAX_NAMES]
        ],
        "outcomes": dict(handoffs.outcomes),
        "ongoing": len(get_ongoing(source.entry).all),
    }


@of_runtime
def first_words_section(source: DiagnosticsSource, runtime: ClawdRuntime) -> object:
    """Return the times to first words by agent."""
    warm_ups = get_warm_ups(source.entry)
    return {
        "agents": [
            {
                "questions": len(times),
                "median": round(median(times), 3),
                "longest": round(max(times), 3),
            }
            for times in runtime.first_words.values()
        ],
        "warm_ups": {
            "count": len(warm_ups.starts),
            "repeated": warm_ups.repeated,
            "failed": {shorten(code): n for code, n in warm_ups.failed.items()},
            "seconds": warm_ups.seconds and round(warm_ups.seconds, 3),
        },
    }
