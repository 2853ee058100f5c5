"""Foreign runs and their replies."""

from typing import Any

import pytest

from custom_components.clawd.gateway import Payload
from custom_components.clawd.gateway.commands import SessionCommands
from custom_components.clawd.gateway.run_result import run_result
from custom_components.clawd.gateway.runs.transcript import read_replies

CHILD = {"runId": "0a0c", "childSessionKey": "agent:main:subagent:dcd8"}


def message(role: str = "assistant", run: Any = "r", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a message of a history."""
    text = [{"type": "text", "text": "Done."}]
    whose = {"__openclaw": {"runId": run}, "stopReason": "stop"}
    return {"role": role, "content": text, **whose, **more}


@pytest.mark.parametrize(
    ("messages", "replies"),
    [
        ([message()], {"r": "Done."}),
        ([message(run="a"), message(run="b")], {"a": "Done.", "b": "Done."}),
        ([message(), message(content="Really.")], {"r": "Really."}),
        ([message(role="user")], {}),
        ([message(run=None)], {}),
        ([message(stopReason="toolUse")], {}),
        ([message(stopReason="error")], {}),
        ([message(__openclaw=None)], {}),
        ([1, None], {}),
    ],
)
def test_finished_runs_are_found_in_a_history(
    messages: list[Any], replies: dict[str, str]
) -> None:
    assert read_replies({"messages": messages}) == replies


@pytest.mark.parametrize("history", [None, [], {}, {"messages": 1}])
def test_a_history_may_be_anything(history: object) -> None:
    assert read_replies(history) == {}


@pytest.mark.parametrize(
    ("spawns", "ids"),
    [
        (
            [{**CHILD, "expectsCompletionMessage": True}],
            ("announce:v1:agent:main:subagent:dcd8:0a0c",),
        ),
        ([{**CHILD, "expectsCompletionMessage": False}], ()),
        ([CHILD, {}, 1], ()),
        ("x", ()),
        (None, ()),
    ],
)
def test_a_result_names_the_runs_that_will_tell_of_sub_agents(
    spawns: object, ids: tuple[str, ...]
) -> None:
    payload = {"result": {"acceptedSessionSpawns": spawns}}
    assert run_result("r", payload, "").completions == ids


@pytest.mark.parametrize(
    ("response", "keys"),
    [
        ({"sessions": [{"key": "a"}, {"key": 1}, {}, 2]}, ("a",)),
        ({"sessions": None}, ()),
        (None, ()),
    ],
)
async def test_sessions_of_sub_agents_are_listed(
    response: object, keys: tuple[str, ...]
) -> None:
    sent: list[object] = []

    async def request(
        method: str,
        params: Payload | None = None,
        timeout: float | None = None,  # noqa: ARG001 - as the client's
    ) -> object:
        sent.append((method, params))
        return response

    assert await SessionCommands(request).spawned_by("parent") == keys
    assert sent == [("sessions.list", {"spawnedBy": "parent"})]
