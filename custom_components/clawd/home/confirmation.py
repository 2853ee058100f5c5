"""Confirmation of sensitive actions."""

from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ..util.bounded import remember
from .text import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .origin import CallOrigin

# Seconds for the user's answer.
MAX_AGE: Final = 120.0
MAX_QUESTIONS: Final = 256


def call_digest(
    name: str, arguments: Mapping[str, object], *entity_ids: Iterable[str]
) -> str:
    """Return the digest of a call.

    Its tool, arguments and targets.
    """
    text = canonical([name, dict(arguments), *map(sorted, entity_ids)])
    return sha256(text.encode()).hexdigest()


class Confirmations:
    """Calls awaiting a confirmation.

    By session and conversation.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Initialize without questions."""
        self._clock = clock
        self._asked: OrderedDict[tuple[str, str, str], tuple[float, int]] = (
            OrderedDict()
        )

    def __len__(self) -> int:
        """Return the number of open questions."""
        now = self._clock()
        return sum(now - at <= MAX_AGE for at, _ in self._asked.values())

    def ask(self, session_key: str, digest: str, origin: CallOrigin) -> None:
        """Remember a call awaiting confirmation."""
        key = session_key, origin.conversation_id, digest
        remember(self._asked, key, (self._clock(), origin.turn), MAX_QUESTIONS)

    def take(self, session_key: str, digest: str, origin: CallOrigin) -> bool:
        """Return whether a call is confirmed, once.

        A person has spoken since: the run is a later one of the session, and a person
        started it.
        """
        key = session_key, origin.conversation_id, digest
        if key not in self._asked:
            return False
        asked_at, turn = self._asked[key]
        if not origin.by_person or origin.turn <= turn:
            return False
        del self._asked[key]
        return self._clock() - asked_at <= MAX_AGE
