"""Question to an agent, and its origin."""

from dataclasses import dataclass, field
import time
from typing import TYPE_CHECKING, Final
from unicodedata import category

from homeassistant.exceptions import HomeAssistantError
import voluptuous as vol

from ..const import CONF_SESSION_NAME, CONF_SESSION_SCOPE, DOMAIN
from ..home.announcements import Listener
from ..home.origin import CallOrigin
from ..util.moment import Moment
from .listeners import Owner
from .session import Scope

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry

# Categories of a character that nobody sees: spaces, ends of lines, controls, and
# formats such as the direction of writing; and fillers of Hangul.
_INVISIBLE: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
_FILLERS: Final = "\u115f\u1160\u3164\uffa0"


def is_blank(text: str) -> bool:
    """Return whether there is nothing to be seen in a text."""
    return all(char in _FILLERS or category(char) in _INVISIBLE for char in text)


def not_blank(text: str) -> str:
    """Validate a text, and strip it.

    Raises:
        vol.Invalid: it is blank.

    """
    if is_blank(text):
        raise vol.Invalid("the text must not be blank")
    return text.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Question to an agent, and its origin.

    Attributes:
        conversation_id: of Home Assistant's conversation.
        device_id: of the device it was asked through.
        satellite_id: of the satellite, with or without a device.
        context_id: of Home Assistant's context.
        asked_at: time of the monotonic clock.
        by_person: a person said or wrote it, no automation.
        history: messages that the agent's session lacks.
        extra_system_prompt: additional instructions of the caller.
        session_key: session to ask in, instead of that of the settings.

    """

    text: str = field(repr=False)
    conversation_id: str
    language: str
    device_id: str | None = None
    satellite_id: str | None = None
    user_id: str | None = None
    context_id: str | None = None
    by_person: bool = False
    asked_at: float = field(default_factory=time.monotonic)
    history: str = field(default="", repr=False)
    extra_system_prompt: str | None = field(default=None, repr=False)
    session_key: str | None = field(default=None, repr=False)

    @property
    def voice_device(self) -> str | None:
        """Return the voice device, if any."""
        return self.device_id or self.satellite_id

    @property
    def listener(self) -> Listener:
        """Return the listener of the answer."""
        return Listener(
            device_id=self.voice_device,
            satellite_id=self.satellite_id,
            user_id=self.user_id,
            language=self.language,
        )

    @property
    def chosen_session(self) -> str:
        """Return the key of the chosen session."""
        assert self.session_key  # noqa: S101 - chosen before a run is made of it
        return self.session_key


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumedRun:
    """Resumed run.

    Attributes:
        asked: time of the question.
        timeout: seconds from the question.
        accepted: the Gateway had accepted it.

    """

    run_id: str
    asked: Moment
    timeout: float
    accepted: bool


class RunLostError(HomeAssistantError):
    """Run lost with the connection."""

    def __init__(self) -> None:
        """Initialize the error."""
        super().__init__(translation_domain=DOMAIN, translation_key="run_lost")


def call_origin(subentry: ConfigSubentry, question: Question) -> CallOrigin:
    """Return the origin of a run's calls."""
    return CallOrigin(
        subentry.subentry_id,
        question.conversation_id,
        question.language,
        user_id=question.user_id,
        device_id=question.device_id,
        context_id=question.context_id,
        by_person=question.by_person,
    )


def owner_of(subentry: ConfigSubentry, question: Question) -> Owner:
    """Return the owner of a question's session."""
    settings = subentry.data
    shared = Scope(settings[CONF_SESSION_SCOPE]) is Scope.SHARED
    return Owner(
        question.listener,
        subentry.title,
        shared or CONF_SESSION_NAME in settings,
        subentry.subentry_id,
    )
