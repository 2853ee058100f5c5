"""Usage of a run in the history of its session."""

import pytest

from custom_components.clawd.gateway import RunResult, Usage
from custom_components.clawd.gateway.runs.transcript import read_usage
from tests.simulator.recordings import Frame

RESULT = RunResult("r", "Sunny.")
COUNTS = {"input": 10, "output": 2, "totalTokens": 12, "cacheRead": 4, "cacheWrite": 1}


def message(run_id: object = "r", **more: object) -> Frame:
    """Return a message of an agent."""
    usage = {**COUNTS, "cost": {"input": 0.125, "total": 0.25}}
    model = {"provider": "openai", "model": "gpt"}
    own = {"__openclaw": {"runId": run_id}}
    return {"role": "assistant", "usage": usage, **model, **own, **more}


def test_the_usage_of_all_messages_of_a_run_is_summed_up() -> None:
    messages = [
        message("another"),
        {"role": "user", "__openclaw": {"runId": "r"}},
        message(),
        message("of the Gateway", model="gpt-mini"),
        message(7),
    ]
    told = read_usage({"messages": messages}, RESULT, "of the Gateway")
    usage = Usage(20, 4, 8, 2, 24, 0.5)
    assert told == RunResult(
        "r", "Sunny.", provider="openai", model="gpt-mini", usage=usage
    )


@pytest.mark.parametrize(
    "history",
    [
        None,
        {},
        {"messages": [message("another")]},
        {"messages": [{"role": "assistant", "content": "Clawdbot"}]},
        {"messages": [message(usage=None, provider=1, model=None)]},
    ],
)
def test_a_history_without_usage_changes_nothing(history: Frame | None) -> None:
    assert read_usage(history, RESULT, "r") == RESULT
