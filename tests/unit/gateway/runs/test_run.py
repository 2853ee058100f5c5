"""Text, result and end of agent runs."""

import asyncio
from contextlib import suppress

import pytest

from custom_components.clawd.gateway import (
    AgentRun,
    AgentRunAborted,
    AgentRunError,
    ConnectionLostError,
    RequestFailedError,
    RequestTimeoutError,
)
from tests.unit.run_harness import RunHarness

ABORTED = {"durationMs": 5, "aborted": True}


@pytest.fixture
async def harness() -> RunHarness:
    harness = RunHarness()
    await harness.start()
    return harness


async def read_all(run: AgentRun) -> list[str]:
    return [text async for text in run]


async def test_text_is_emitted_while_run_is_active(harness: RunHarness) -> None:
    reader = aiter(harness.run)
    harness.send_text("Hel", itemId="a")
    assert await anext(reader) == "Hel"
    next_text = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    assert not next_text.done()
    harness.send_text("Hello", itemId="a")
    assert await next_text == "lo"
    await harness.end("Hello")
    with pytest.raises(StopAsyncIteration):
        await anext(reader)


async def test_unread_text_is_emitted_in_one_piece(harness: RunHarness) -> None:
    harness.send_text("Hel", itemId="a")
    harness.send_text("Hello", itemId="a")
    await harness.end("Hello")
    assert await read_all(harness.run) == ["Hello"]


async def test_run_ends_with_result(harness: RunHarness) -> None:
    meta = {"durationMs": 250, "agentMeta": {"provider": "p", "model": "m"}}
    final = {"payloads": [{"text": "Hello"}], "meta": meta}
    harness.response.set_result({"status": "ok", "result": final})
    result = await harness.run.result()
    assert (result.run_id, result.text) == ("r", "Hello")
    assert (result.duration, result.provider, result.model) == (0.25, "p", "m")


async def test_text_without_events_is_emitted_at_end(harness: RunHarness) -> None:
    await harness.end("Hello")
    assert await read_all(harness.run) == ["Hello"]


@pytest.mark.parametrize("phase", ["end", "error", "finishing", "model", "odd"])
async def test_lifecycle_phase_does_not_end_run(
    harness: RunHarness, phase: str
) -> None:
    harness.send_event("lifecycle", {"phase": phase})
    await asyncio.sleep(0)
    assert not harness.run.info.ended
    harness.send_text("Hello", itemId="a")
    await harness.end("Hello")
    assert (await harness.run.result()).text == "Hello"


async def test_v3_retry_replaces_text(harness: RunHarness) -> None:
    harness.send_event("lifecycle", {"phase": "start"})
    harness.send_text("Hel")
    harness.send_event("lifecycle", {"phase": "end"})
    harness.send_event("lifecycle", {"phase": "start"})
    harness.send_text("Good day")
    await harness.end("Good day")
    assert (await harness.run.result()).text == "Good day"


async def test_preamble_without_assistant_event_is_emitted(
    harness: RunHarness,
) -> None:
    preamble = {"kind": "preamble", "progressText": "Let me look."}
    harness.send_event("item", {**preamble, "phase": "update"})
    harness.send_event("item", {**preamble, "phase": "end"})
    harness.send_text("It is warm.", itemId="a:2")
    await harness.end("It is warm.")
    assert await read_all(harness.run) == ["Let me look.\n\nIt is warm."]
    assert (await harness.run.result()).text == "Let me look.\n\nIt is warm."


@pytest.mark.parametrize("stream", ["tool", "item", "usage", "thinking", "odd", None])
async def test_unknown_stream_is_ignored(harness: RunHarness, stream: str) -> None:
    harness.send_event(stream, {"text": "secret thought", "phase": "start"})
    await harness.end("Hello")
    assert await read_all(harness.run) == ["Hello"]


async def test_repeated_event_is_ignored(harness: RunHarness) -> None:
    for seq, text in ((1, "a"), (3, "a b"), (3, "a b"), (2, "a"), (1, "a")):
        harness.send_event("assistant", {"text": text, "delta": text[1:] or text}, seq)
    await harness.end("a b")
    assert await read_all(harness.run) == ["a b"]


@pytest.mark.parametrize(
    "payload",
    [{}, {"seq": None}, {"seq": "1", "data": {}}, {"seq": 1}, {"seq": 1, "data": []}],
)
async def test_malformed_event_is_ignored(
    harness: RunHarness, payload: dict[str, object]
) -> None:
    malformed = {"runId": "r", "stream": "assistant", **payload}
    harness.deliver(malformed)
    await harness.end("Hello")
    assert await read_all(harness.run) == ["Hello"]


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
async def test_unsuccessful_status_is_error(
    harness: RunHarness, payload: object, kind: type[AgentRunError], code: str
) -> None:
    harness.response.set_result(payload)
    with pytest.raises(kind) as caught:
        await harness.run.result()
    assert caught.value.code == code


async def test_failed_request_is_agent_run_error(harness: RunHarness) -> None:
    error = RequestFailedError("x", code="UNAVAILABLE", reason="HTTP 500")
    harness.response.set_exception(error)
    with pytest.raises(AgentRunError) as caught:
        await harness.run.result()
    assert (caught.value.code, caught.value.reason) == ("UNAVAILABLE", "HTTP 500")


async def test_other_errors_are_raised_unchanged(harness: RunHarness) -> None:
    error = RequestTimeoutError("x")
    harness.response.set_exception(error)
    with pytest.raises(RequestTimeoutError) as caught:
        await harness.run.result()
    assert caught.value is error


async def test_reader_gets_text_then_error(harness: RunHarness) -> None:
    harness.send_text("Hel", itemId="a")
    harness.response.set_exception(RequestTimeoutError("x"))
    reader = aiter(harness.run)
    assert await anext(reader) == "Hel"
    with pytest.raises(RequestTimeoutError):
        await anext(reader)


@pytest.mark.parametrize("payload", [{"status": "ok"}, {"status": "odd"}])
async def test_final_response_accepts_run(payload: object) -> None:
    harness = RunHarness()
    harness.response.set_result(payload)
    harness.run.attach_response(harness.response)
    assert await harness.run.wait_accepted() is harness.run
    with suppress(AgentRunError):
        await harness.run.result()


async def test_refused_run_raises_error() -> None:
    harness = RunHarness()
    error = RequestFailedError("x", code="INVALID_REQUEST")
    harness.response.set_exception(error)
    harness.run.attach_response(harness.response)
    with pytest.raises(RequestFailedError) as caught:
        await harness.run.wait_accepted()
    assert caught.value is error
    assert harness.runs.snapshot() == ()


@pytest.mark.parametrize("success", [True, False])
async def test_ended_run_is_removed(harness: RunHarness, *, success: bool) -> None:
    assert len(harness.runs.snapshot()) == 1
    if success:
        await harness.end("Hello")
    else:
        harness.runs.fail_all(ConnectionLostError("x"))
    assert harness.runs.snapshot() == ()
    assert harness.statistics.runs_ended == 1
    harness.send_text("late", itemId="b")
    assert harness.statistics.foreign_run_events == 1


async def test_late_updates_are_ignored(harness: RunHarness) -> None:
    await harness.end("Hello")
    late = {"seq": 9, "stream": "assistant", "data": {"text": "late"}}
    harness.run.stream.feed(late)
    harness.run.accept()
    harness.run.fail(ConnectionLostError("x"))
    assert (await harness.run.result()).text == "Hello"


async def test_final_response_after_recovery_is_ignored(
    harness: RunHarness,
) -> None:
    harness.response.set_result({"status": "error"})
    harness.run.complete(("Hello",))
    await asyncio.sleep(0)
    assert (await harness.run.result()).text == "Hello"


async def test_late_recovery_is_ignored(
    harness: RunHarness,
) -> None:
    harness.run.fail(ConnectionLostError("x"))
    harness.run.complete(("Hello",))
    with pytest.raises(ConnectionLostError):
        await harness.run.result()


async def test_failed_run_cancels_response(
    harness: RunHarness,
) -> None:
    harness.run.fail(ConnectionLostError("x"))
    assert harness.response.cancelled()
    with pytest.raises(ConnectionLostError):
        await harness.run.result()


async def test_foreign_runs_are_only_counted(harness: RunHarness) -> None:
    for number in range(10_000):
        payload = {"runId": f"other-{number}", "seq": 1, "stream": "assistant"}
        harness.deliver(payload | {"data": {"text": "x"}})
    assert len(harness.runs.snapshot()) == 1
    assert harness.statistics.runs_started == 1
    assert harness.statistics.foreign_run_events == 10_000
    await harness.end("Hello")
    assert await read_all(harness.run) == ["Hello"]


async def test_abort_ends_run_and_aborts_it_on_gateway(
    harness: RunHarness,
) -> None:
    harness.send_text("Hel", itemId="a")
    await harness.run.abort()
    assert harness.aborted == [harness.run]
    assert harness.response.cancelled()
    assert harness.runs.snapshot() == ()
    reader = aiter(harness.run)
    assert await anext(reader) == "Hel"
    with pytest.raises(AgentRunAborted):
        await anext(reader)


async def test_abort_before_request_ends_run() -> None:
    harness = RunHarness()
    await harness.run.abort()
    with pytest.raises(AgentRunAborted):
        await harness.run.result()


async def test_ended_run_is_not_aborted(harness: RunHarness) -> None:
    await harness.end("Hello")
    await harness.run.abort()
    assert harness.aborted == []
    assert (await harness.run.result()).text == "Hello"


async def test_cancelled_waiter_does_not_stop_run(harness: RunHarness) -> None:
    waiter = asyncio.create_task(harness.run.result())
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait([waiter])
    await harness.end("Hello")
    assert (await harness.run.result()).text == "Hello"


async def test_unawaited_error_is_not_reported(harness: RunHarness) -> None:
    harness.run.fail(ConnectionLostError("x"))


async def test_run_info_contains_size_but_no_text() -> None:
    harness = RunHarness()
    assert not harness.run.info.accepted
    await harness.start()
    harness.send_text("the-secret", itemId="a")
    info = harness.run.info
    assert (info.accepted, info.ended, info.size) == (True, False, 10)
    assert info.age >= 0
    assert "the-secret" not in f"{info} {harness.run!r}"
    await harness.end("x")
    assert harness.run.info.ended
