"""Question of an agent that waits for an answer."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
import time
from typing import Final

from homeassistant.util import dt as dt_util

from ..gateway import AgentQuestion, QuestionItem
from .answers import find_answer
from .run_origins import ConversationInfo, RunOrigin

# Seconds after which nobody who speaks to a device still answers a question in words
# of one's own: they ask something else. Naming a choice is an answer all the same.
MAX_SPOKEN_DELAY: Final = 120.0


class Taken(Enum):
    """What was made of an utterance while a question is open.

    Attributes:
        DONE: the Gateway has the answer, or that there is none; the run goes on.
        ASKED: a question is to be asked, the next one or the same again.
        CLOSED: the question was not open any more.
        NO_ANSWER: it is about something else.

    """

    DONE = auto()
    ASKED = auto()
    CLOSED = auto()
    NO_ANSWER = auto()


@dataclass(eq=False)
class OpenQuestion:
    """Question of an agent that waits for an answer.

    Attributes:
        answers: of the items so far, by the id of the item.
        asked_at: time of the monotonic clock at which a person was asked.
        repeated: it was asked again, as nobody understood the answer.
        reader: a turn of a conversation sees to the run.
        unheard: the person was only notified, and may not know of it.
        sending: the Gateway is told the answers: no other is taken meanwhile.
        said: characters of the reply that the person has had before.

    """

    request: AgentQuestion
    origin: RunOrigin
    answers: dict[str, list[str]] = field(default_factory=dict, repr=False)
    asked_at: float | None = None
    repeated: bool = False
    reader: bool = False
    unheard: bool = False
    sending: bool = False
    said: int = 0

    @property
    def item(self) -> QuestionItem:
        """Return the item that is asked next; the last one while it is answered."""
        items = self.request.items
        return items[min(len(self.answers), len(items) - 1)]

    @property
    def complete(self) -> bool:
        """Return whether every item has an answer."""
        return len(self.answers) == len(self.request.items)

    @property
    def expires_at(self) -> str:
        """Return the time of its expiry."""
        expires = datetime.fromtimestamp(self.request.expires_at, dt_util.UTC)
        return expires.isoformat()

    @property
    def late(self) -> float:
        """Return the seconds since its expiry; negative before."""
        return time.time() - self.request.expires_at

    @property
    def waited_long(self) -> bool:
        """Return whether who was asked aloud will hardly answer any more."""
        asked = self.origin.question
        if asked is None or asked.voice_device is None or self.asked_at is None:
            return False
        return self.unheard or time.monotonic() - self.asked_at > MAX_SPOKEN_DELAY

    def was_asked_in(self, question: ConversationInfo) -> bool:
        """Return whether it was asked where an utterance comes from."""
        asked = self.origin.question
        if asked is None or self.asked_at is None:
            return False
        if asked.voice_device or question.voice_device:
            return asked.voice_device == question.voice_device
        return asked.conversation_id == question.conversation_id

    def answer(self, text: str) -> bool:
        """Take the answer to the item; return whether the text is one."""
        if (found := find_answer(self.item, text)) is None:
            return False
        self.answers[self.item.id] = found
        self.repeated = False
        return True
