"""A run tells its text as it comes and ends once, with all of it."""

import asyncio
from contextlib import suppress
import time

import pytest

from custom_components.clawd.gateway import (
    AgentRun,
    AgentRunAborted,
    AgentRunError,
    ConnectionLostError,
    RequestFailedError,
    RequestTimeoutError,
)

from .stage import Stage

ABORTED = {"durationMs": 5, "aborted": True}


@pytest.fixture
async def stage() -> Stage:
    stage = Stage()
    await stage.start()
    return stage


async def heard(run: AgentRun) -> list[str]:
    return [text async for text in run]


async def test_text_is_told_while_the_run_goes_on(stage: Stage) -> None:
    told = aiter(stage.run)
    stage.say("Hel", itemId="a")
    assert await anext(told) == "Hel"
    waiting = asyncio.ensure_future(anext(told))
    await asyncio.sleep(0)
    assert not waiting.done()
    stage.say("Hello", itemId="a")
    assert await waiting == "lo"
    await stage.end("Hello")
    with pytest.raises(StopAsyncIteration):
        await anext(told)


async def test_text_that_waits_is_told_in_one_piece(stage: Stage) -> None:
    stage.say("Hel", itemId="a")
    stage.say("Hello", itemId="a")
    await stage.end("Hello")
    assert await heard(stage.run) == ["Hello"]


async def test_a_run_ends_with_its_result(stage: Stage) -> None:
    meta = {"durationMs": 250, "agentMeta": {"provider": "p", "model": "m"}}
    result = {"payloads": [{"text": "Hello"}], "meta": meta}
    stage.response.set_result({"status": "ok", "result": result})
    end = await stage.run.result()
    assert (end.run_id, end.text) == ("r", "Hello")
    assert (end.duration, end.provider, end.model) == (0.25, "p", "m")


async def test_text_that_no_event_told_is_told_at_the_end(stage: Stage) -> None:
    await stage.end("Hello")
    assert await heard(stage.run) == ["Hello"]


@pytest.mark.parametrize("phase", ["end", "error", "finishing", "model", "odd"])
async def test_no_phase_ends_a_run(stage: Stage, phase: str) -> None:
    stage.tell("lifecycle", {"phase": phase})
    await asyncio.sleep(0)
    assert not stage.run.info.ended
    stage.say("Hello", itemId="a")
    await stage.end("Hello")
    assert (await stage.run.result()).text == "Hello"


async def test_a_new_attempt_replaces_what_v3_began(stage: Stage) -> None:
    stage.tell("lifecycle", {"phase": "start"})
    stage.say("Hel")
    stage.tell("lifecycle", {"phase": "end"})
    stage.tell("lifecycle", {"phase": "start"})
    stage.say("Good day")
    await stage.end("Good day")
    assert (await stage.run.result()).text == "Good day"


async def test_a_preamble_that_no_assistant_event_told_is_told(stage: Stage) -> None:
    preamble = {"kind": "preamble", "progressText": "Let me look."}
    stage.tell("item", {**preamble, "phase": "update"})
    stage.tell("item", {**preamble, "phase": "end"})
    stage.say("It is warm.", itemId="a:2")
    await stage.end("It is warm.")
    assert await heard(stage.run) == ["Let me look.\n\nIt is warm."]
    assert (await stage.run.result()).text == "Let me look.\n\nIt is warm."


@pytest.mark.parametrize("stream", ["tool", "item", "usage", "thinking", "odd", None])
async def test_an_unknown_stream_is_ignored(stage: Stage, stream: str) -> None:
    stage.tell(stream, {"text": "secret thought", "phase": "start"})
    await stage.end("Hello")
    assert await heard(stage.run) == ["Hello"]


async def test_an_event_that_was_seen_is_ignored(stage: Stage) -> None:
    for seq, text in ((1, "a"), (3, "a b"), (3, "a b"), (2, "a"), (1, "a")):
        stage.tell("assistant", {"text": text, "delta": text[1:] or text}, seq)
    await stage.end("a b")
    assert await heard(stage.run) == ["a b"]


@pytest.mark.parametrize(
    "payload",
    [{}, {"seq": None}, {"seq": "1", "data": {}}, {"seq": 1}, {"seq": 1, "data": []}],
)
async def test_an_event_of_no_known_shape_is_ignored(
    stage: Stage, payload: dict[str, object]
) -> None:
    broken = {"runId": "r", "stream": "assistant", **payload}
    stage.deliver(broken)
    await stage.end("Hello")
    assert await heard(stage.run) == ["Hello"]


@pytest.mark.parametrize(
    ("payload", "kind", "code"),
    [
        ({"status": "timeout", "stopReason": "rpc"}, AgentRunAborted, "ABORTED"),
        ({"status": "ok", "result": {"meta": ABORTED}}, AgentRunAborted, "ABORTED"),
        ({"status": "timeout"}, AgentRunError, "TIMEOUT"),
        ({"status": "odd"}, AgentRunError, "UNKNOWN"),
        ({}, AgentRunError, "UNKNOWN"),
        ([], AgentRunError, "UNKNOWN"),
    ],
)
async def test_an_end_that_is_not_well_is_an_error(
    stage: Stage, payload: object, kind: type[AgentRunError], code: str
) -> None:
    stage.response.set_result(payload)
    with pytest.raises(kind) as caught:
        await stage.run.result()
    assert caught.value.code == code


async def test_a_failed_run_is_an_agents_error(stage: Stage) -> None:
    error = RequestFailedError("x", code="UNAVAILABLE", reason="HTTP 500")
    stage.response.set_exception(error)
    with pytest.raises(AgentRunError) as caught:
        await stage.run.result()
    assert (caught.value.code, caught.value.reason) == ("UNAVAILABLE", "HTTP 500")


async def test_another_error_comes_out_as_it_is(stage: Stage) -> None:
    error = RequestTimeoutError("x")
    stage.response.set_exception(error)
    with pytest.raises(RequestTimeoutError) as caught:
        await stage.run.result()
    assert caught.value is error


async def test_readers_get_the_text_and_then_the_error(stage: Stage) -> None:
    stage.say("Hel", itemId="a")
    stage.response.set_exception(RequestTimeoutError("x"))
    told = aiter(stage.run)
    assert await anext(told) == "Hel"
    with pytest.raises(RequestTimeoutError):
        await anext(told)


@pytest.mark.parametrize("payload", [{"status": "ok"}, {"status": "odd"}])
async def test_a_final_response_is_an_acceptance_too(payload: object) -> None:
    stage = Stage()
    stage.response.set_result(payload)
    stage.run.expect(stage.response)
    assert await stage.run.wait_accepted() is stage.run
    with suppress(AgentRunError):
        await stage.run.result()


async def test_a_run_that_was_not_taken_says_why() -> None:
    stage = Stage()
    error = RequestFailedError("x", code="INVALID_REQUEST")
    stage.response.set_exception(error)
    stage.run.expect(stage.response)
    with pytest.raises(RequestFailedError) as caught:
        await stage.run.wait_accepted()
    assert caught.value is error
    assert stage.runs.snapshot() == ()


@pytest.mark.parametrize("well", [True, False])
async def test_a_run_that_ended_is_forgotten(stage: Stage, *, well: bool) -> None:
    assert len(stage.runs.snapshot()) == 1
    if well:
        await stage.end("Hello")
    else:
        stage.runs.fail_all(ConnectionLostError("x"))
    assert stage.runs.snapshot() == ()
    assert stage.statistics.runs_ended == 1
    stage.say("late", itemId="b")
    assert stage.statistics.foreign_run_events == 1


async def test_what_comes_after_the_end_changes_nothing(stage: Stage) -> None:
    await stage.end("Hello")
    late = {"seq": 9, "stream": "assistant", "data": {"text": "late"}}
    stage.run.feed(late, time.monotonic())
    stage.run.accept()
    stage.run.fail(ConnectionLostError("x"))
    assert (await stage.run.result()).text == "Hello"


async def test_a_final_response_after_the_reply_was_brought_home_changes_nothing(
    stage: Stage,
) -> None:
    stage.response.set_result({"status": "error"})
    stage.run.complete(("Hello",))
    await asyncio.sleep(0)
    assert (await stage.run.result()).text == "Hello"


async def test_a_reply_that_is_brought_home_too_late_changes_nothing(
    stage: Stage,
) -> None:
    stage.run.fail(ConnectionLostError("x"))
    stage.run.complete(("Hello",))
    with pytest.raises(ConnectionLostError):
        await stage.run.result()


async def test_nobody_waits_for_the_response_after_the_loss(stage: Stage) -> None:
    stage.run.fail(ConnectionLostError("x"))
    assert stage.response.cancelled()
    with pytest.raises(ConnectionLostError):
        await stage.run.result()


async def test_runs_of_others_leave_nothing_but_a_count(stage: Stage) -> None:
    for number in range(10_000):
        payload = {"runId": f"other-{number}", "seq": 1, "stream": "assistant"}
        stage.deliver(payload | {"data": {"text": "x"}})
    assert len(stage.runs.snapshot()) == 1
    assert stage.statistics.runs_started == 1
    assert stage.statistics.foreign_run_events == 10_000
    await stage.end("Hello")
    assert await heard(stage.run) == ["Hello"]


async def test_an_abort_ends_the_run_here_and_at_the_gateway(stage: Stage) -> None:
    stage.say("Hel", itemId="a")
    await stage.run.abort()
    assert stage.aborted == [stage.run]
    assert stage.response.cancelled()
    assert stage.runs.snapshot() == ()
    told = aiter(stage.run)
    assert await anext(told) == "Hel"
    with pytest.raises(AgentRunAborted):
        await anext(told)


async def test_an_abort_before_the_request_left_ends_the_run() -> None:
    stage = Stage()
    await stage.run.abort()
    with pytest.raises(AgentRunAborted):
        await stage.run.result()


async def test_a_run_that_ended_cannot_be_aborted(stage: Stage) -> None:
    await stage.end("Hello")
    await stage.run.abort()
    assert stage.aborted == []
    assert (await stage.run.result()).text == "Hello"


async def test_who_stops_waiting_does_not_stop_the_run(stage: Stage) -> None:
    waiter = asyncio.create_task(stage.run.result())
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait([waiter])
    await stage.end("Hello")
    assert (await stage.run.result()).text == "Hello"


async def test_an_error_that_nobody_awaits_is_no_complaint(stage: Stage) -> None:
    stage.run.fail(ConnectionLostError("x"))


async def test_what_is_shown_of_a_run_is_its_size() -> None:
    stage = Stage()
    assert not stage.run.info.accepted
    await stage.start()
    stage.say("the-secret", itemId="a")
    info = stage.run.info
    assert (info.accepted, info.ended, info.size) == (True, False, 10)
    assert info.age >= 0
    assert "the-secret" not in f"{info} {stage.run!r}"
    await stage.end("x")
    assert stage.run.info.ended
