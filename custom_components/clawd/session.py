"""The session that a question belongs to."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from homeassistant.util import slugify


class Scope(StrEnum):
    """What shares one session."""

    CONVERSATION = "conversation"
    DEVICE = "device"
    USER = "user"
    SHARED = "shared"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a question comes from, by Home Assistant's ids."""

    subentry: str
    conversation: str
    device: str | None
    user: str | None


def named_session_key(agent: str, name: str) -> str:
    """Return the canonical key of the session that the user gave a name."""
    return f"agent:{agent.lower()}:ha-{slugify(name)}"


def session_key(agent: str, scope: Scope, origin: Origin) -> str:
    """Return the canonical key of a session; it tells nothing of its origin.

    Without a device or user to go by, a question belongs to its conversation.
    """
    subject = {
        Scope.DEVICE: origin.device,
        Scope.USER: origin.user,
        Scope.SHARED: origin.subentry,
    }.get(scope)
    if subject is None:
        scope, subject = Scope.CONVERSATION, origin.conversation
    text = f"{scope}\n{origin.subentry}\n{subject}"
    return f"agent:{agent.lower()}:ha-{sha256(text.encode()).hexdigest()[:32]}"
