"""Questions of agents during a run (v4)."""

from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
import logging
from typing import TYPE_CHECKING, Final, Self, override

from ..exceptions import InvalidFrameError
from ..models import QUESTIONS_SCOPE
from .base import Commands, Method
from .models import entries_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ..models import Hello, Json, Payload
    from .base import Request

# Milliseconds since 1970, in the year 9999: the last one that a date can have.
MAX_EXPIRES: Final = 253_370_764_800_000

REQUESTED: Final = "question.requested"
RESOLVED: Final = "question.resolved"

_LOGGER = logging.getLogger(__name__)


class QuestionStatus(StrEnum):
    """Status of a question; only `PENDING` is open."""

    PENDING = "pending"
    ANSWERED = "answered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class QuestionChoice:
    """Choice among the answers to a question."""

    label: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class QuestionItem:
    """Single question of a request.

    Attributes:
        multi_select: several choices may be named.
        is_other: an answer of one's own is accepted.
        is_secret: the answer must not be seen by others.

    """

    id: str
    header: str
    text: str = field(repr=False)
    choices: tuple[QuestionChoice, ...] = field(default=(), repr=False)
    multi_select: bool = False
    is_other: bool = False
    is_secret: bool = False

    @property
    def is_free(self) -> bool:
        """Return whether any text is an answer."""
        return self.is_other or not self.choices

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Parse an entry of `questions`."""
        return cls(
            payload["questionId"],
            _text(payload.get("header")),
            payload["question"],
            tuple(
                QuestionChoice(option["label"], _text(option.get("description")))
                for option in _entries(payload.get("options"), "label")
            ),
            payload.get("multiSelect") is True,
            payload.get("isOther") is True,
            payload.get("isSecret") is True,
        )


@dataclass(frozen=True, slots=True)
class AgentQuestion:
    """Request with one to three questions.

    Attributes:
        expires_at: seconds since 1970, by our clock.

    """

    id: str
    items: tuple[QuestionItem, ...] = field(repr=False)
    agent_id: str
    session_key: str = field(repr=False)
    run_id: str
    expires_at: float

    @classmethod
    def from_payload(cls, payload: Json, clock_skew: float = 0.0) -> Self:
        """Parse an entry of `question.list` or a `question.requested`.

        Raises:
            InvalidFrameError: it is no question.

        """
        match payload:
            case {
                "id": str(question_id),
                "expiresAtMs": int() | float() as expires,
            } if 0 <= expires <= MAX_EXPIRES:
                items = tuple(
                    map(
                        QuestionItem.from_payload,
                        _entries(payload.get("questions"), "questionId", "question"),
                    )
                )
                # An answer is sent by the id of its item.
                if items and len({item.id for item in items}) == len(items):
                    return cls(
                        question_id,
                        items,
                        _text(payload.get("agentId")),
                        _text(payload.get("sessionKey")),
                        _text(payload.get("runId")),
                        expires / 1000 + clock_skew,
                    )
        raise InvalidFrameError("the question cannot be read")


class QuestionCommands(Commands):
    """Commands on the questions of agents."""

    LIST: Final = Method("question.list", QUESTIONS_SCOPE, optional=True)
    RESOLVE: Final = Method("question.resolve", QUESTIONS_SCOPE, optional=True)

    @override
    def __init__(self, request: Request, hello: Callable[[], Hello | None]) -> None:
        """Initialize with the Gateway's clock from `hello`."""
        super().__init__(request)
        self._hello = hello

    def read(self, payload: Json) -> AgentQuestion:
        """Read a `question.requested`.

        Raises:
            InvalidFrameError: it is no question.

        """
        hello = self._hello()
        return AgentQuestion.from_payload(payload, hello.present_skew if hello else 0.0)

    async def list(self) -> tuple[AgentQuestion, ...]:
        """Return all open questions.

        Includes those to other clients.

        Raises:
            GatewayError: the Gateway did not answer, or not with a list.

        """
        match await self._call(self.LIST, {}):
            case {"questions": [*entries]}:
                return tuple(self._read_all(entries))
        raise InvalidFrameError("the response to question.list has no questions")

    def _read_all(self, entries: Iterable[Json]) -> Iterator[AgentQuestion]:
        """Yield the questions that can be read: others may be those of newer agents."""
        for entry in entries:
            with suppress(InvalidFrameError):
                yield self.read(entry)

    async def resolve(
        self, question_id: str, answers: Mapping[str, Sequence[str]]
    ) -> None:
        """Answer all questions of a request.

        Raises:
            GatewayError: the Gateway did not answer, or the question is not open.

        """
        given = {key: [*values] for key, values in answers.items()}
        params = {"id": question_id, "answers": {"answers": given}}
        await self._call(self.RESOLVE, params)
        _LOGGER.debug("Question %s answered", question_id)

    async def cancel(self, question_id: str) -> None:
        """Cancel a request; the run goes on.

        Raises:
            GatewayError: the Gateway did not answer, or the question is not open.

        """
        await self._call(self.RESOLVE, {"id": question_id, "cancel": True})
        _LOGGER.debug("Question %s cancelled", question_id)


def _entries(value: Json, *keys: str) -> list[Payload]:
    return entries_with(value, *keys) if isinstance(value, list) else []


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
