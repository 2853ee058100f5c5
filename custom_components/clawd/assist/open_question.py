"""Question of an agent that waits for an answer."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
import time
from typing import Final

from homeassistant.util import dt as dt_util

from ..gateway import AgentQuestion, QuestionItem
from ..util.moment import Moment
from .answers import find_answer
from .run_origins import ConversationInfo, RunOrigin

# Seconds after which nobody who speaks to a device still answers a question in words
# of one's own: they ask something else. Naming a choice is an answer all the same.
MAX_SPOKEN_DELAY: Final = 120.0


class Taken(Enum):
    """Result of offering an utterance to a question.

    Attributes:
        DONE: the Gateway has the answer or the refusal; the run goes on.
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
    """Open question of an agent.

    Attributes:
        answers: of the items so far, by the id of the item.
        asked_at: time of the question to the user, on the monotonic clock.
        repeated: it was asked again after an unclear answer.
        reader: a turn of a conversation sees to the run.
        unheard: the person was only notified, and may not know of it.
        sending: the Gateway is told the answers: no other is taken meanwhile.
        said: characters of the reply already given to the user.
        expires: time of the expiry.

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
    expires: Moment = field(init=False)

    def __post_init__(self) -> None:
        """Note the expiry, which the system's time does not move."""
        self.expires = Moment.at(self.request.expires_at)

    @property
    def item(self) -> QuestionItem:
        """Return the current item."""
        items = self.request.items
        return items[min(len(self.answers), len(items) - 1)]

    @property
    def complete(self) -> bool:
        """Return whether every item has an answer."""
        return len(self.answers) == len(self.request.items)

    @property
    def expires_at(self) -> str:
        """Return the expiry time."""
        at = datetime.fromtimestamp(self.expires.timestamp, dt_util.UTC)
        return at.isoformat()

    @property
    def late(self) -> float:
        """Return the seconds since the expiry.

        Negative before it.
        """
        return self.expires.age

    @property
    def waited_long(self) -> bool:
        """Return whether a spoken answer is unlikely."""
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
        """Record the answer to the item.

        Return whether the text is one.
        """
        if (found := find_answer(self.item, text)) is None:
            return False
        self.answers[self.item.id] = found
        self.repeated = False
        return True
