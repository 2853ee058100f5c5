"""Reply text for arbitrary event streams."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.clawd.gateway import AgentRun, AgentRunAborted, AgentRunError
from custom_components.clawd.gateway.protocol.frames import Response, decode_frame
from custom_components.clawd.gateway.protocol.pending import PendingRequests
from custom_components.clawd.gateway.runs.text import SEPARATOR
from tests.simulator.recordings import WIRE, Frame, recording
from tests.unit.run_harness import RunHarness

type StreamEvent = tuple[str, Frame]


@dataclass(frozen=True)
class Segment:
    """Text in chunks, after failed attempts."""

    attempts: tuple[tuple[str, ...], ...]
    chunks: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the final text."""
        return "".join(self.chunks)

    @property
    def emitted(self) -> list[str]:
        """Return the emitted paragraphs in order."""
        paragraphs = [""]
        for chunks in (*self.attempts, self.chunks):
            text = "".join(chunks)
            if text.startswith(paragraphs[-1]):
                paragraphs[-1] = text
            elif not paragraphs[-1].startswith(text):
                paragraphs.append(text)
        return paragraphs


CHUNKS = st.lists(st.text("ab ", max_size=2), min_size=1, max_size=4).map(tuple)
SOME_CHUNKS = CHUNKS.filter(lambda chunks: bool("".join(chunks).strip()))
SEGMENTS = st.lists(
    st.builds(Segment, st.lists(SOME_CHUNKS, max_size=2).map(tuple), SOME_CHUNKS),
    min_size=1,
    max_size=3,
)


def cumulative_events(chunks: tuple[str, ...], **more: object) -> Iterator[StreamEvent]:
    text = ""
    for chunk in chunks:
        text += chunk
        yield "assistant", {"text": text, "delta": chunk, **more}


def v3_events(segments: list[Segment]) -> Iterator[StreamEvent]:
    yield "lifecycle", {"phase": "start"}
    for segment in segments:
        for attempt in segment.attempts:
            yield from cumulative_events(attempt)
            yield "lifecycle", {"phase": "end"}
            yield "lifecycle", {"phase": "start"}
        yield from cumulative_events(segment.chunks)
        yield "tool", {"phase": "start"}
    yield "lifecycle", {"phase": "end"}


def v4_events(segments: list[Segment]) -> Iterator[StreamEvent]:
    yield "lifecycle", {"phase": "start"}
    for number, segment in enumerate(segments):
        for count, attempt in enumerate(segment.attempts):
            item = f"{number}-{count}"
            yield from cumulative_events(attempt, itemId=item)
            yield "lifecycle", {"phase": "finishing", "error": "x"}
            yield "run_status", {"phase": "retrying"}
            yield (
                "assistant",
                {"text": "", "delta": "", "itemId": item, "replace": True},
            )
            yield "lifecycle", {"phase": "start"}
        yield from cumulative_events(segment.chunks, itemId=f"{number}")
        yield "tool", {"phase": "start"}
    yield "lifecycle", {"phase": "end"}


SHAPES = pytest.mark.parametrize("shape", [v3_events, v4_events])
type Shape = Callable[[list[Segment]], Iterator[StreamEvent]]


def final_texts(shape: Shape, segments: list[Segment]) -> list[str]:
    """Return the texts of the final response.

    Protocol 4 sends only the last one.
    """
    texts = [segment.text for segment in segments]
    return texts if shape is v3_events else texts[-1:]


async def read_all(harness: RunHarness) -> str:
    return "".join([text async for text in harness.run])


@SHAPES
@given(segments=SEGMENTS, repeat=st.sets(st.integers(0, 40)))
async def test_any_stream_emits_whole_text(
    shape: Shape, segments: list[Segment], repeat: set[int]
) -> None:
    harness = RunHarness()
    await harness.start()
    listener = asyncio.create_task(read_all(harness))
    for seq, (stream, data) in enumerate(shape(segments), start=1):
        harness.send_event(stream, data, seq)
        if seq in repeat:
            harness.send_event(stream, data, seq)
            await asyncio.sleep(0)
    await harness.end(*final_texts(shape, segments))
    paragraphs = [text for segment in segments for text in segment.emitted if text]
    assert (await harness.run.result()).text == SEPARATOR.join(s.text for s in segments)
    assert await listener == SEPARATOR.join(paragraphs)


@SHAPES
@given(segments=SEGMENTS, missed=st.sets(st.integers(1, 40)))
async def test_missed_events_do_not_change_final_text(
    shape: Shape, segments: list[Segment], missed: set[int]
) -> None:
    harness = RunHarness()
    await harness.start()
    for seq, (stream, data) in enumerate(shape(segments), start=1):
        if stream != "assistant" or seq not in missed:
            harness.send_event(stream, data, seq)
    texts = final_texts(shape, segments)
    await harness.end(*texts)
    assert (await harness.run.result()).text.endswith(SEPARATOR.join(texts))


def recorded_runs(status: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield protocol, scenario, run and request of recorded runs."""
    for path in sorted(WIRE.glob("*/*.jsonl")):
        protocol = int(path.parent.name[1:])
        frames = [line.get("frame", {}) for line in recording(protocol, path.stem)]
        for request_frame in (f for f in frames if f.get("method") == "agent"):
            *first, last = [f for f in frames if f.get("id") == request_frame["id"]][1:]
            if first and last["payload"]["status"] == status:
                run_id = request_frame["params"]["idempotencyKey"]
                yield protocol, path.stem, run_id, request_frame["id"]


RUN = ("protocol", "name", "run_id", "request_id")
# Clawdbot (v3) calls it `ok` when the model's provider fails.
FAILED = [run for run in recorded_runs("ok") if run[1] == "agent_run_model_error"]


async def replay(protocol: int, name: str, run_id: str, request_id: str) -> AgentRun:
    """Return a run after its recorded frames."""
    harness = RunHarness(run_id)

    def accept(_: object) -> float:
        harness.run.accept()
        return 60

    pending = PendingRequests(harness.statistics)
    request = pending.open("agent", 60, accept)
    for line in recording(protocol, name):
        if line.get("dir") != "in":
            continue
        frame = decode_frame(orjson.dumps(line["frame"]))
        if isinstance(frame, Response):
            if frame.id == request_id:
                pending.resolve(replace(frame, id=request.id))
        elif frame.name == "agent":
            harness.deliver(frame.payload)
    harness.run.attach_response(request.future)
    return await harness.run.wait_accepted()


def recorded_text(protocol: int, name: str, run_id: str) -> str:
    """Return the recorded reply.

    Protocol 3 has it in the result, protocol 4 in the `chat` event.
    """
    text = ""
    for line in recording(protocol, name):
        match line.get("frame"):
            case {"payload": {"runId": id_, "result": {"payloads": list(payloads)}}}:
                if id_ == run_id and protocol == 3:
                    text = SEPARATOR.join(payload["text"] for payload in payloads)
            case {"event": "chat", "payload": {"runId": id_, "message": message}}:
                if id_ == run_id and protocol == 4:
                    text = message["content"][0]["text"]
    return text


@pytest.mark.parametrize(RUN, [run for run in recorded_runs("ok") if run not in FAILED])
async def test_recorded_run_emits_whole_text(
    protocol: int, name: str, run_id: str, request_id: str
) -> None:
    run = await replay(protocol, name, run_id, request_id)
    emitted = "".join([text async for text in run])
    expected = recorded_text(protocol, name, run_id)
    assert expected
    assert emitted == expected
    assert (await run.result()).text == expected


@pytest.mark.parametrize(
    (*RUN, "kind"),
    [
        *((*run, AgentRunError) for run in [*recorded_runs("error"), *FAILED]),
        *((*run, AgentRunAborted) for run in recorded_runs("timeout")),
    ],
)
async def test_recorded_failed_run_raises_error(
    protocol: int, name: str, run_id: str, request_id: str, kind: type[AgentRunError]
) -> None:
    run = await replay(protocol, name, run_id, request_id)
    with pytest.raises(kind):
        await run.result()
