"""Message tools: schemas and arguments."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
import unicodedata

from ..gateway import NodeTool
from .arguments import given_arguments, invalid_argument, read_text
from .tools import ACTION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..gateway import NodeCall

# Characters. An announcement takes about a minute, see `announcements.MAX_SPOKEN`; a
# push notification has at most 4,096 bytes.
MAX_ANNOUNCEMENT: Final = 800
MAX_QUESTION: Final = 300
MAX_NOTIFICATION: Final = 1000
MAX_TITLE: Final = 100
MAX_PLACE: Final = 100
MAX_ANSWER: Final = 100
MAX_ANSWERS: Final = 10

MESSAGE: Final = "message"
QUESTION: Final = "question"
ANSWERS: Final = "answers"
TITLE: Final = "title"
PERSON: Final = "person"
AREA: Final = "area"
DEVICE: Final = "device"
EVERYWHERE: Final = "everywhere"


class MessageTool(StrEnum):
    """Tool for sending a message."""

    ANNOUNCE = "home_announce"
    ASK = "home_ask"
    NOTIFY = "home_notify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Arguments of a message tool.

    Attributes:
        text: announcement, question or notification, of limited length.
        answers: expected ones, each with its variants.
        area: with `device`, and without both and `person`: everywhere.

    """

    tool: MessageTool
    text: str
    title: str | None = None
    answers: tuple[tuple[str, ...], ...] = ()
    area: str | None = None
    device: str | None = None
    person: str | None = None


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


_PLACE: Final = {
    AREA: _text("Name of an area: its voice devices"),
    DEVICE: _text("Name of one voice device"),
}
# Distinct sets of arguments: the Gateway does not always name the called tool.
_PROPERTIES: Final[Mapping[MessageTool, Mapping[str, Any]]] = {
    MessageTool.ANNOUNCE: {
        MESSAGE: _text(
            f"Plain sentences to be spoken, at most {MAX_ANNOUNCEMENT} characters"
        ),
        **_PLACE,
        EVERYWHERE: {"type": "boolean", "description": "True: all voice devices"},
    },
    MessageTool.ASK: {
        QUESTION: _text(
            f"Question to be spoken, at most {MAX_QUESTION} characters; it has to be "
            "answered within seconds"
        ),
        ANSWERS: {
            "type": "array",
            "items": {"type": "string"},
            "maxItems": MAX_ANSWERS,
            "description": "Expected answers, each with its variants: yes|yeah|sure",
        },
        **_PLACE,
    },
    MessageTool.NOTIFY: {
        MESSAGE: _text(f"Text, at most {MAX_NOTIFICATION} characters"),
        TITLE: _text(f"Title, at most {MAX_TITLE} characters"),
        PERSON: _text(
            "Name of the person; without it the user who asked, or else the "
            "administrators of the home"
        ),
    },
}
_DESCRIPTIONS: Final[Mapping[MessageTool, str]] = {
    MessageTool.ANNOUNCE: (
        "Say something on voice devices of the home: message, and one of area, device "
        "or everywhere. Not for the answer to the user you are talking with."
    ),
    MessageTool.ASK: (
        "Ask a person near a voice device a question and wait for the answer: "
        "question, [answers], and one of area or device."
    ),
    MessageTool.NOTIFY: (
        "Send a notification to the phones of a person of the home: message, [title], "
        "[person]."
    ),
}
_REQUIRED: Final = {
    MessageTool.ANNOUNCE: MESSAGE,
    MessageTool.ASK: QUESTION,
    MessageTool.NOTIFY: MESSAGE,
}
_LIMITS: Final = {
    MessageTool.ANNOUNCE: MAX_ANNOUNCEMENT,
    MessageTool.ASK: MAX_QUESTION,
    MessageTool.NOTIFY: MAX_NOTIFICATION,
}


def build_message_tool(tool: MessageTool) -> NodeTool:
    """Build the node tool of a message tool."""
    return NodeTool(
        tool.value,
        _DESCRIPTIONS[tool],
        {
            "type": "object",
            "properties": dict(_PROPERTIES[tool]),
            "required": [_REQUIRED[tool]],
            "additionalProperties": False,
        },
    )


def called_message_tool(call: NodeCall) -> MessageTool | None:
    """Return the message tool of a call, if any.

    Where the Gateway does not say it, the arguments do; an announcement without a
    place is a notification then.
    """
    if call.tool is not None:
        return MessageTool(call.tool) if call.tool in MessageTool else None
    if ACTION in call.arguments:
        return None
    if QUESTION in call.arguments:
        return MessageTool.ASK
    if MESSAGE not in call.arguments:
        return None
    if {AREA, DEVICE, EVERYWHERE} & call.arguments.keys():
        return MessageTool.ANNOUNCE
    return MessageTool.NOTIFY


def read_message(tool: MessageTool, call: NodeCall) -> Message:
    """Read the arguments of a call.

    Raises:
        NodeCallError: one is missing or not valid.

    """
    given = given_arguments(tool, call, _PROPERTIES[tool])
    limit = _LIMITS[tool]
    text = read_text(given, _REQUIRED[tool], limit)
    if text is None:
        raise invalid_argument(f"{tool} lacks the argument {_REQUIRED[tool]}.")
    area, device = (read_text(given, key, MAX_PLACE) for key in (AREA, DEVICE))
    everywhere = given.get(EVERYWHERE, False)
    if not isinstance(everywhere, bool):
        raise invalid_argument("The argument everywhere has to be true or false.")
    places = [place for place in (area, device, everywhere) if place]
    if tool is not MessageTool.NOTIFY and len(places) != 1:
        names = (
            "area or device"
            if tool is MessageTool.ASK
            else "area, device or everywhere"
        )
        raise invalid_argument(f"{tool} takes one of the arguments {names}.")
    return Message(
        tool=tool,
        text=text,
        title=read_text(given, TITLE, MAX_TITLE),
        answers=_read_answers(given.get(ANSWERS, [])),
        area=area,
        device=device,
        person=read_text(given, PERSON, MAX_PLACE),
    )


def _read_answers(value: object) -> tuple[tuple[str, ...], ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise invalid_argument("The argument answers has to be a list of texts.")
    if len(value) > MAX_ANSWERS or any(len(one) > MAX_ANSWER for one in value):
        raise invalid_argument(
            f"At most {MAX_ANSWERS} answers of {MAX_ANSWER} characters are taken."
        )
    answers = (tuple(filter(None, map(_plain_words, one.split("|")))) for one in value)
    return tuple(filter(None, answers))


def _plain_words(text: str) -> str:
    """Remove template syntax from a sentence."""
    words = "".join(
        " " if one != "'" and unicodedata.category(one)[0] in "PSCZ" else one
        for one in text.replace("\u2019", "'")
    )
    return " ".join(words.split())
