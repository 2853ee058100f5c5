"""Usage in the session's history."""

import pytest

from custom_components.clawd.gateway import RunRequest, RunResult, Usage
from custom_components.clawd.gateway.run_result import ModelUsage
from custom_components.clawd.gateway.runs.transcript import read_transcript, read_usage
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
    told = read_usage({"messages": messages}, {"r", "of the Gateway"})
    usage = Usage(20, 4, 8, 2, 24, 0.5)
    assert told == ModelUsage("openai", "gpt-mini", usage)
    assert RESULT.with_usage(told) == RunResult(
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
    assert RESULT.with_usage(read_usage(history, {"r"})) == RESULT


def test_the_usage_of_a_final_response_takes_precedence() -> None:
    result = RunResult("r", "Sunny.", model="gpt", usage=Usage(1, 2))
    assert result.with_usage(ModelUsage("openai", "gpt-mini", Usage(3, 4))) == result


def test_a_transcript_tells_the_usage_of_its_run() -> None:
    question = {"role": "user", "content": "?", "idempotencyKey": "r:user"}
    messages = [
        message("before"),
        question,
        message(stopReason="toolUse"),
        message("another"),
        message(stopReason="stop", __openclaw=None),
        {"role": "user", "content": "Next?"},
        message(),
    ]
    request = RunRequest("?", "agent:main:x", run_id="r")
    transcript = read_transcript({"messages": messages}, request, 0.0, 100)
    assert transcript.usage == ModelUsage("openai", "gpt", Usage(20, 4, 8, 2, 24, 0.5))
