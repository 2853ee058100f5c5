"""Progress of a run in the session history."""

from collections.abc import Callable
from typing import Any

import pytest

from custom_components.clawd.gateway import RunRequest
from custom_components.clawd.gateway.runs.transcript import Transcript, read_transcript
from tests.simulator.recordings import Frame

SENT_AT = 1_000.0
MESSAGE = "Is it on?"
REQUEST = RunRequest(MESSAGE, "agent:main:x", run_id="r")


def user_message_v4(run_id: str = "r") -> Frame:
    return {"role": "user", "content": MESSAGE, "idempotencyKey": f"{run_id}:user"}


def user_message_v3(at: float = SENT_AT, text: str = MESSAGE) -> Frame:
    return {
        "role": "user",
        "content": [{"type": "text", "text": f"[Tue] {text}"}],
        "timestamp": at * 1000,
    }


def assistant_message(text: str, reason: str = "stop", **more: object) -> Frame:
    content = [{"type": "text", "text": text}]
    return {"role": "assistant", "content": content, "stopReason": reason, **more}


def read_messages(*messages: Frame, **more: Any) -> Transcript:  # noqa: ANN401 - JSON
    history = {"messages": list(messages), **more}
    return read_transcript(history, REQUEST, SENT_AT, 100)


USER_MESSAGES = pytest.mark.parametrize("message", [user_message_v3, user_message_v4])
type UserMessage = Callable[[], Frame]


@USER_MESSAGES
def test_finished_reply_is_read_in_order(message: UserMessage) -> None:
    transcript = read_messages(
        message(), assistant_message("One.", "toolUse"), assistant_message("Two.")
    )
    assert transcript == Transcript(known=True, texts=("One.", "Two."), finished=True)


@USER_MESSAGES
@pytest.mark.parametrize("reason", ["toolUse", "error"])
def test_unfinished_reply(message: UserMessage, reason: str) -> None:
    assert read_messages(message(), assistant_message("One.", reason)) == Transcript(
        known=True, texts=("One.",)
    )


@USER_MESSAGES
def test_message_without_reply_is_known(message: UserMessage) -> None:
    assert read_messages(message()) == Transcript(known=True)


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (assistant_message("One."),),
        (user_message_v4("other"), assistant_message("One.")),
        (user_message_v3(SENT_AT - 1), assistant_message("One.")),
        (user_message_v3(text="Is it off?"), assistant_message("One.")),
        ({**user_message_v3(), "timestamp": "now"}, assistant_message("One.")),
    ],
)
def test_other_message_is_not_matched(
    messages: tuple[Frame, ...],
) -> None:
    assert read_messages(*messages) == Transcript(known=False)


@USER_MESSAGES
def test_reply_ends_at_next_user_message(message: UserMessage) -> None:
    transcript = read_messages(
        message(),
        assistant_message("One."),
        user_message_v4("other"),
        assistant_message("Two."),
    )
    assert transcript.texts == ("One.",)


@USER_MESSAGES
def test_other_roles_are_skipped(message: UserMessage) -> None:
    transcript = read_messages(
        message(), {"role": "toolResult", "content": "x"}, assistant_message("One.")
    )
    assert transcript.texts == ("One.",)


@USER_MESSAGES
def test_repeated_text_is_read_once(message: UserMessage) -> None:
    assert read_messages(
        message(), assistant_message("One."), assistant_message("One.")
    ).texts == ("One.",)


@USER_MESSAGES
def test_text_that_reappears_later_is_read_again(message: UserMessage) -> None:
    texts = ("One.", "Two.", "One.")
    assert read_messages(message(), *map(assistant_message, texts)).texts == texts


@USER_MESSAGES
def test_model_error_replaces_empty_text(message: UserMessage) -> None:
    assert read_messages(
        message(), assistant_message("", "error", errorMessage="500")
    ).texts == ("500",)


def test_reply_content_may_be_string() -> None:
    plain = {"role": "assistant", "content": " One. ", "stopReason": "stop"}
    assert read_messages(user_message_v4(), plain).texts == ("One.",)


@USER_MESSAGES
def test_active_run_is_not_finished(message: UserMessage) -> None:
    transcript = read_messages(
        message(), assistant_message("One."), sessionInfo={"activeRunIds": ["r"]}
    )
    assert (transcript.finished, transcript.active) == (False, True)


def test_active_or_queued_run_is_known() -> None:
    assert read_messages(sessionInfo={"activeRunIds": ["r"]}).known
    assert read_messages(pendingInputs={"items": [{"runId": "r"}]}).known
    assert not read_messages(pendingInputs={"items": [{"runId": "other"}]}).known
    assert read_messages(sessionInfo={"activeRunIds": []}).active is False


def test_transcript_repr_hides_reply() -> None:
    assert "secret" not in repr(
        read_messages(user_message_v4(), assistant_message("the-secret"))
    )
