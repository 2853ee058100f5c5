"""Steps of a scripted agent run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import json
import re
from typing import Any

ERROR = (
    "⚠️ mock/mock request failed (provider internal error, HTTP 500). "
    "This is usually temporary — try again shortly."
)


@dataclass(frozen=True, slots=True)
class Reply:
    """Stream a text by words, or in the given chunks.

    ``delay`` is in seconds before each chunk; None takes the gateway's.
    Protocol 4 coalesces words as if they came every ``delay`` seconds; given
    chunks are never coalesced.
    """

    text: str = ""
    chunks: tuple[str, ...] = ()
    delay: float | None = None

    @property
    def tokens(self) -> tuple[str, ...]:
        """Return the chunks in order."""
        return self.chunks or tuple(re.findall(r"\s*\S+\s*$|\s*\S+", self.text))


@dataclass(frozen=True, slots=True)
class Media:
    """Show files, as the model does by `MEDIA:` lines."""

    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """Call a tool; following text starts a new segment."""

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)
    result: str = "done"
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start a sub-agent; its session's completion runs in this session."""

    child: tuple[Step, ...] = (Reply("the child is done"),)
    completion: tuple[Step, ...] = (Reply("The sub-agent is done."),)


@dataclass(frozen=True, slots=True)
class CallTool:
    """Call a tool of a connected node (protocol 4), and wait for its result."""

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskUser:
    """Ask the user by ``ask_user`` (protocol 4), and wait for the answer.

    ``questions`` as the model gives them; ``timeout`` in seconds.
    """

    questions: Sequence[Mapping[str, Any]]
    timeout: int = 900

    @property
    def recorded(self) -> list[dict[str, Any]]:
        """Return the questions as the Gateway's event shows them."""
        return [
            {
                "questionId": question["id"],
                "header": question["header"],
                "question": question["question"],
                "options": list(question["options"]),
                **({"multiSelect": True} if question.get("multiSelect") else {}),
                "isOther": question.get("isOther", True),
            }
            for question in self.questions
        ]


@dataclass(frozen=True, slots=True)
class ReplyResult:
    """Stream the result of the last tool of a node."""

    prefix: str = "Tool said: "


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace the text of the current segment."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """Fail one attempt and retry; the text starts again."""

    error: str = ERROR


@dataclass(frozen=True, slots=True)
class Fail:
    """Fail the run."""

    error: str = ERROR


@dataclass(frozen=True, slots=True)
class TimeOut:
    """Exceed the run's time limit."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Respond with an error instead of running; the only step."""

    message: str = 'invalid agent params: unknown agent id "nobody"'
    code: str = "INVALID_REQUEST"


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for ``gateway.proceed()``."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Drop every connection without a close frame.

    The run continues.
    """


@dataclass(frozen=True, slots=True)
class Emit:
    """Broadcast an event, or send raw data, to every connection."""

    event: str | bytes
    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ack:
    """Send the first response here, together with adjacent steps.

    Without this step it is sent as soon as the request arrives.
    """


@dataclass(frozen=True, slots=True)
class End:
    """End the run's events; remaining steps precede the final response."""


type Step = (
    Reply
    | Media
    | Tool
    | Spawn
    | CallTool
    | AskUser
    | ReplyResult
    | Replace
    | Retry
    | Fail
    | TimeOut
    | Refuse
    | Pause
    | Drop
    | Emit
    | Ack
    | End
)
type Script = tuple[Step, ...]


def default_script(message: str) -> Script:
    """Return the script of a message without one.

    As with the recordings' model: ``say: TEXT``, ``slow N`` and ``long N`` (N
    numbered words), ``tool:NAME {…}``, ``FAILNOW``; anything else is echoed.
    ``node:NAME {…}`` calls a tool of a node, ``ask {"questions": […]}`` the user.
    """
    return (
        _spoken_script(message)
        or _called_script(message)
        or (
            Reply(
                f"You said: “{message}”. I am the simulated Gateway, "
                "so this answer is only an echo, but it streams word by word "
                "like a real one."
            ),
        )
    )


def _spoken_script(message: str) -> Script:
    match message.split(" ", 1):
        case ["say:", text]:
            return (Reply(text),)
        case ["slow" | "long", count] if count.isdecimal():
            return (Reply(" ".join(f"w{index}" for index in range(int(count)))),)
        case ["FAILNOW", *_]:
            return (Retry(), Fail())
    return ()


def _called_script(message: str) -> Script:
    if asked := re.fullmatch(r"ask (\{.*\})", message, re.DOTALL):
        return AskUser(**json.loads(asked[1])), ReplyResult()
    if tool := re.fullmatch(r"tool:(\S+) (\{.*\})", message, re.DOTALL):
        call = Tool(tool[1], json.loads(tool[2]))
        return (call, Reply(f"Tool said: {call.result}"))
    if tool := re.fullmatch(r"node:(\S+) (\{.*\})", message, re.DOTALL):
        return CallTool(tool[1], json.loads(tool[2])), ReplyResult()
    return ()
