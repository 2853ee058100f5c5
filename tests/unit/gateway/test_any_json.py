"""Robustness against arbitrary JSON."""

from contextlib import suppress

from hypothesis import given, strategies as st

from custom_components.clawd.gateway import GatewayError, Hello, Statistics
from custom_components.clawd.gateway.models import Challenge
from custom_components.clawd.gateway.protocol.frames import Response
from custom_components.clawd.gateway.protocol.pending import PendingRequests
from custom_components.clawd.gateway.run_result import final_texts, run_result
from custom_components.clawd.gateway.runs.request import RunRequest
from custom_components.clawd.gateway.runs.transcript import read_transcript
from tests.simulator.recordings import Frame, payload, recording
from tests.unit.json_values import with_changed_value
from tests.unit.run_harness import RunHarness


def mutated_payloads(name: str, method: str) -> st.SearchStrategy[Frame]:
    """Return a recorded response of either protocol, mutated."""
    return with_changed_value(payload(3, name, method)) | with_changed_value(
        payload(4, name, method)
    )


META = {"durationMs": 5, "agentMeta": {"provider": "p", "model": "m"}}
FINAL = {"status": "ok", "result": {"payloads": [{"text": "a"}], "meta": META}}
HISTORY = ("agent_wait_and_history", "chat.history")
SENT_AT = 1_795_000_000.0
EVENTS = [
    line["frame"]["payload"]
    for line in recording(4, "agent_run_text_tool_text")
    if line.get("frame", {}).get("event") == "agent"
]
RUN_ID = EVENTS[0]["runId"]


@given(mutated_payloads("hello_ok", "connect"))
def test_any_hello_raises_only_gateway_errors(hello: Frame) -> None:
    with suppress(GatewayError):
        parsed = Hello.from_payload(hello)
        assert all(isinstance(text, str) for text in (parsed.role, *parsed.scopes))


@given(
    with_changed_value({"nonce": "n", "ts": 1}).filter(
        lambda value: isinstance(value, dict)
    )
)
def test_any_challenge_raises_only_gateway_errors(
    challenge: Frame,
) -> None:
    with suppress(GatewayError):
        assert isinstance(Challenge.from_payload(challenge).nonce, str)


@given(with_changed_value(FINAL).filter(lambda value: isinstance(value, dict)))
def test_any_result_is_read(final: Frame) -> None:
    result = run_result("r", final, "".join(final_texts(final)))
    assert isinstance(result.duration, int | float | None)
    assert isinstance(result.provider, str | None)
    assert isinstance(result.model, str | None)


@given(mutated_payloads(*HISTORY), st.sampled_from(["slow 40", ""]))
def test_any_history_is_read(history: Frame, message: str) -> None:
    request = RunRequest(message, "agent:main:x", run_id="r")
    transcript = read_transcript(history, request, SENT_AT, 100)
    assert all(isinstance(text, str) for text in transcript.texts)


@given(
    st.lists(st.sampled_from(EVENTS).flatmap(with_changed_value), max_size=6),
    with_changed_value(FINAL),
)
async def test_any_run_event_or_response_ends_run(
    events: list[Frame], final: Frame
) -> None:
    harness = RunHarness(RUN_ID)
    await harness.start()
    for event in events:
        if isinstance(event, dict):
            harness.deliver(event)
    harness.response.set_result(final)
    with suppress(GatewayError):
        await harness.run.result()
    assert harness.run.ended


@given(with_changed_value({"status": "accepted", "runId": "r"}))
async def test_any_payload_lets_request_end(first: Frame) -> None:
    pending = PendingRequests(Statistics())
    request = pending.open("agent", 60, lambda _: 60)
    pending.resolve(Response(request.id, ok=True, payload=first, error=None))
    pending.resolve(Response(request.id, ok=True, payload={}, error=None))
    assert request.future.done()
