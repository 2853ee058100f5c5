"""A session's history tells how far one run has come."""

from collections.abc import Callable
from typing import Any

import pytest

from custom_components.clawd.gateway import RunRequest
from custom_components.clawd.gateway.runs.transcript import Transcript, read_transcript
from tests.simulator.recordings import Frame

ASKED_AT = 1_000.0
QUESTION = "Is it on?"
REQUEST = RunRequest(QUESTION, "agent:main:x", run_id="r")


def asked_v4(run_id: str = "r") -> Frame:
    return {"role": "user", "content": QUESTION, "idempotencyKey": f"{run_id}:user"}


def asked_v3(at: float = ASKED_AT, text: str = QUESTION) -> Frame:
    return {
        "role": "user",
        "content": [{"type": "text", "text": f"[Tue] {text}"}],
        "timestamp": at * 1000,
    }


def said(text: str, reason: str = "stop", **more: object) -> Frame:
    content = [{"type": "text", "text": text}]
    return {"role": "assistant", "content": content, "stopReason": reason, **more}


def read(*messages: Frame, **more: Any) -> Transcript:  # noqa: ANN401 - JSON
    history = {"messages": list(messages), **more}
    return read_transcript(history, REQUEST, ASKED_AT, 100)


ASKED = pytest.mark.parametrize("asked", [asked_v3, asked_v4])
type Asked = Callable[[], Frame]


@ASKED
def test_finished_reply_is_read_in_order(asked: Asked) -> None:
    read_now = read(asked(), said("One.", "toolUse"), said("Two."))
    assert read_now == Transcript(known=True, texts=("One.", "Two."), finished=True)


@ASKED
@pytest.mark.parametrize("reason", ["toolUse", "error"])
def test_unfinished_reply(asked: Asked, reason: str) -> None:
    assert read(asked(), said("One.", reason)) == Transcript(
        known=True, texts=("One.",)
    )


@ASKED
def test_message_without_reply_is_known(asked: Asked) -> None:
    assert read(asked()) == Transcript(known=True)


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (said("One."),),
        (asked_v4("other"), said("One.")),
        (asked_v3(ASKED_AT - 1), said("One.")),
        (asked_v3(text="Is it off?"), said("One.")),
        ({**asked_v3(), "timestamp": "now"}, said("One.")),
    ],
)
def test_other_message_is_not_matched(
    messages: tuple[Frame, ...],
) -> None:
    assert read(*messages) == Transcript(known=False)


@ASKED
def test_reply_ends_at_next_user_message(asked: Asked) -> None:
    read_now = read(asked(), said("One."), asked_v4("other"), said("Two."))
    assert read_now.texts == ("One.",)


@ASKED
def test_other_roles_are_skipped(asked: Asked) -> None:
    read_now = read(asked(), {"role": "toolResult", "content": "x"}, said("One."))
    assert read_now.texts == ("One.",)


@ASKED
def test_repeated_text_is_read_once(asked: Asked) -> None:
    assert read(asked(), said("One."), said("One.")).texts == ("One.",)


@ASKED
def test_text_that_reappears_later_is_read_again(asked: Asked) -> None:
    texts = ("One.", "Two.", "One.")
    assert read(asked(), *map(said, texts)).texts == texts


@ASKED
def test_model_error_replaces_empty_text(asked: Asked) -> None:
    assert read(asked(), said("", "error", errorMessage="500")).texts == ("500",)


def test_reply_content_may_be_string() -> None:
    plain = {"role": "assistant", "content": " One. ", "stopReason": "stop"}
    assert read(asked_v4(), plain).texts == ("One.",)


@ASKED
def test_active_run_is_not_finished(asked: Asked) -> None:
    read_now = read(asked(), said("One."), sessionInfo={"activeRunIds": ["r"]})
    assert (read_now.finished, read_now.active) == (False, True)


def test_active_or_queued_run_is_known() -> None:
    assert read(sessionInfo={"activeRunIds": ["r"]}).known
    assert read(pendingInputs={"items": [{"runId": "r"}]}).known
    assert not read(pendingInputs={"items": [{"runId": "other"}]}).known
    assert read(sessionInfo={"activeRunIds": []}).active is False


def test_transcript_repr_hides_reply() -> None:
    assert "secret" not in repr(read(asked_v4(), said("the-secret")))
