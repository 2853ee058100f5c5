"""The session that a question belongs to."""

from enum import StrEnum
from hashlib import sha256
from typing import Final

from homeassistant.util import slugify


class Scope(StrEnum):
    """What shares one session."""

    CONVERSATION = "conversation"
    DEVICE = "device"
    USER = "user"
    SHARED = "shared"
    NAMED = "named"


DEFAULT_SCOPE: Final = Scope.CONVERSATION


def session_key(agent: str, scope: Scope, subject: str) -> str:
    """Return the canonical key of a session; only a name is in it in clear.

    `subject` is the id of the conversation, device, user or subentry, by the scope,
    or the name that the user chose.
    """
    return f"agent:{agent.lower()}:ha-{_slug(scope, subject)}"


def _slug(scope: Scope, subject: str) -> str:
    if scope is Scope.NAMED:
        return slugify(subject)
    return sha256(f"{scope}:{subject}".encode()).hexdigest()[:32]
