"""Session keys of questions."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from homeassistant.util import slugify


class Scope(StrEnum):
    """Scope of a session."""

    CONVERSATION = "conversation"
    DEVICE = "device"
    USER = "user"
    SHARED = "shared"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class SessionContext:
    """Origin of a question: Home Assistant ids."""

    subentry: str
    conversation: str
    device: str | None
    user: str | None


def named_session_key(agent: str, name: str) -> str:
    """Return the canonical key of a session named by the user."""
    return f"agent:{agent.lower()}:ha-{slugify(name)}"


def session_key(agent: str, scope: Scope, context: SessionContext) -> str:
    """Return the canonical, anonymous key of a session.

    Without a device or user, the scope is the conversation.
    """
    subject = {
        Scope.DEVICE: context.device,
        Scope.USER: context.user,
        Scope.SHARED: context.subentry,
    }.get(scope)
    if subject is None:
        scope, subject = Scope.CONVERSATION, context.conversation
    # Hashed: the key is shown in the Gateway's list of sessions.
    text = f"{scope}\n{context.subentry}\n{subject}"
    return f"agent:{agent.lower()}:ha-{sha256(text.encode()).hexdigest()[:32]}"
