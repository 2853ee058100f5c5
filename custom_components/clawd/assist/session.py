"""Session keys of questions."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
import re
from typing import Final
import unicodedata

from homeassistant.util import slugify

# Between the key of a session and the number of one beside it.
SIDE: Final = "-side"
# As in the keys without a name. Those of other sessions have a `-`, which no name has.
_ANONYMOUS: Final = re.compile(r"[0-9a-f]{32}")
# Characters of a name in a key; the Gateway takes keys of 512.
MAX_SLUG: Final = 200
_SEPARATORS: Final = re.compile(r"[\s_'\u2019-]+")


class Scope(StrEnum):
    """Scope of a session."""

    CONVERSATION = "conversation"
    DEVICE = "device"
    DEVICE_OR_USER = "device_or_user"
    USER = "user"
    SHARED = "shared"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class SessionContext:
    """Origin of a question: Home Assistant ids.

    Attributes:
        restricted: others have more rights, so they must not share its session.

    """

    subentry: str
    conversation: str
    device: str | None
    user: str | None
    restricted: bool = False


def is_beside(side: str, key: str) -> bool:
    """Return whether a session is a side session."""
    return side.startswith(key + SIDE)


def is_reserved_name(name: str) -> bool:
    """Return whether a session name is reserved."""
    return _ANONYMOUS.fullmatch(_slug(name)) is not None


def named_session_key(agent: str, name: str) -> str:
    """Return the key of a named session."""
    return f"agent:{agent.lower()}:ha-{_slug(name)}"


def _slug(name: str) -> str:
    """Return a readable, distinct form of a name.

    Without regard to case, separators and accents.
    """
    # "Jörg's Büro" is jorg_s_buro, as in earlier versions: the Gateway has stored its
    # conversation under this key. But the slugs of "C" and "C++", of 厨房 and 除方, and
    # of all emojis are the same: a hash tells them apart.
    folded = unicodedata.normalize("NFKC", name).casefold().replace("i\u0307", "i")
    plain = _SEPARATORS.sub(" ", folded).strip() or folded.strip()
    slug = slugify(plain)
    if len(slug) <= MAX_SLUG and all(map(_is_in_slug, plain)):
        return slug
    digest = sha256(plain.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{slug[:MAX_SLUG].strip('_')}_{digest}"


def _is_in_slug(character: str) -> bool:
    if character.isascii():
        return character == " " or character.isalnum()
    # Some have no slug: ə.
    latin = unicodedata.name(character, "").startswith("LATIN SMALL")
    return latin and slugify(character) != slugify(" ")


def session_key(agent: str, scope: Scope, context: SessionContext) -> str:
    """Return the anonymous key of a session.

    Without a device or user, the scope is the conversation.
    """
    subject = {
        Scope.DEVICE: context.device,
        Scope.USER: context.user,
        Scope.SHARED: context.subentry,
    }.get(scope)
    if scope is Scope.DEVICE_OR_USER:
        scope = Scope.DEVICE if context.device else Scope.USER
        subject = context.device or context.user
    if subject is None:
        scope, subject = Scope.CONVERSATION, context.conversation
    # Hashed: the key is shown in the Gateway's list of sessions.
    text = f"{scope}\n{context.subentry}\n{subject}"
    # Nobody has more rights on a voice device, or in the session of everyone.
    if context.restricted and scope in (Scope.CONVERSATION, Scope.USER):
        text += "\nrestricted"
    return f"agent:{agent.lower()}:ha-{sha256(text.encode()).hexdigest()[:32]}"
