"""System prompt of a question."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from homeassistant.components.conversation import (
    HOME_ASSISTANT_AGENT,
    AssistantContent,
    UserContent,
)
from homeassistant.exceptions import HomeAssistantError, TemplateError
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.helpers.template import Template

from ..const import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from homeassistant.components.conversation import Content
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant

# Who speaks for Home Assistant itself, besides satellites: they say what an automation
# lets them say.
HOME_ASSISTANT: Final = (HOME_ASSISTANT_AGENT, "sentence_trigger")
SATELLITES: Final = "assist_satellite."

NO_POLL: Final = (
    "A person asks this through Home Assistant and waits for your words. It is no "
    "heartbeat and no poll: never reply HEARTBEAT_OK or NO_REPLY."
)
NO_HOME_ACCESS: Final = (
    "Home Assistant gives you no access to the home here: you cannot see or change any "
    "of its devices through it. If you are asked to and no tool of your own can do it, "
    "say so. Never say that something was done that no tool has done."
)


@dataclass(frozen=True, slots=True)
class UserContext:
    """User, device and area of a question; the variables of the instructions."""

    language: str
    user: str | None = None
    device: str | None = None
    area: str | None = None


async def async_get_user_context(
    hass: HomeAssistant, language: str, device_id: str | None, user_id: str | None
) -> UserContext:
    """Return the user context of a question."""
    user = await hass.auth.async_get_user(user_id) if user_id else None
    device = dr.async_get(hass).async_get(device_id) if device_id else None
    area_id = device.area_id if device else None
    area = ar.async_get(hass).async_get_area(area_id) if area_id else None
    return UserContext(
        language,
        user.name if user else None,
        (device.name_by_user or device.name) if device else None,
        area.name if area else None,
    )


def describe_user(context: UserContext) -> Iterator[str]:
    """Yield the context as sentences."""
    yield f"The language of the conversation is {context.language}."
    if context.device:
        yield f"The user speaks through the device {context.device}."
    if context.area:
        yield f"The user is in the area {context.area}."
    if context.user:
        yield f"The name of the user is {context.user}."


def format_history_since_last_reply(content: Iterable[Content], agent: str) -> str:
    """Return the messages before the question and after the agent's last reply.

    Home Assistant answers some questions itself, and an automation may have asked
    one: the agent's session lacks both. What another agent was asked is not told.
    """
    messages: list[str] = []
    asked: list[str] = []
    for part in content:
        match part:
            # Home Assistant logs its own intents without text, in the agent's name.
            case AssistantContent(content=str(text), agent_id=speaker):
                if speaker == agent:
                    messages = []
                elif speaker in HOME_ASSISTANT or speaker.startswith(SATELLITES):
                    messages += [*asked, f"Home Assistant: {text}"]
                asked = []
            case UserContent(content=text):
                asked.append(f"User: {text}")
    before = messages + asked[:-1]  # without the question
    return "\n".join(["Said before:", *before]) if before else ""


def render_instructions(
    hass: HomeAssistant,
    subentry: ConfigSubentry,
    instructions: str,
    context: UserContext,
) -> str:
    """Render the instructions of an agent.

    Raises:
        HomeAssistantError: the template cannot be rendered.

    """
    template = Template(instructions, hass)
    try:
        return str(template.async_render(asdict(context), parse_result=False))
    except TemplateError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="instructions_failed",
            translation_placeholders={"agent": subentry.title},
        ) from err


def join(*parts: str | None) -> str:
    """Join the non-empty parts of a prompt."""
    return "\n\n".join(part.strip() for part in parts if part and part.strip())
