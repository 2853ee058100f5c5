"""What an agent is told about a question besides its words."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from homeassistant.components.conversation import AssistantContent, UserContent
from homeassistant.exceptions import HomeAssistantError, TemplateError
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.helpers.template import Template

from .const import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from homeassistant.components.conversation import Content, ConversationInput
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks, and where; the variables of the instructions."""

    language: str
    user: str | None = None
    device: str | None = None
    area: str | None = None


async def async_get_speaker(
    hass: HomeAssistant, question: ConversationInput, *, share_user_name: bool
) -> Speaker:
    """Return what may be told of whoever asks."""
    user_id = question.context.user_id if share_user_name else None
    user = await hass.auth.async_get_user(user_id) if user_id else None
    devices, device_id = dr.async_get(hass), question.device_id
    device = devices.async_get(device_id) if device_id else None
    area_id = device.area_id if device else None
    area = ar.async_get(hass).async_get_area(area_id) if area_id else None
    return Speaker(
        question.language,
        user.name if user else None,
        (device.name_by_user or device.name) if device else None,
        area.name if area else None,
    )


def describe(speaker: Speaker) -> Iterator[str]:
    """Yield what is known of the speaker, as sentences."""
    yield f"The language of the conversation is {speaker.language}."
    if speaker.device:
        yield f"The user speaks through the device {speaker.device}."
    if speaker.area:
        yield f"The user is in the area {speaker.area}."
    if speaker.user:
        yield f"The name of the user is {speaker.user}."


def recount(content: Iterable[Content], agent: str) -> str:
    """Return what was said before the question and after the agent's last word.

    Home Assistant answers what it can, and asks what an automation wants to know.
    """
    said: list[str] = []
    for part in content:
        match part:
            case AssistantContent(agent_id=speaker) if speaker == agent:
                said.clear()
            case AssistantContent(content=str(text)):
                said.append(f"Home Assistant: {text}")
            case UserContent(content=text):
                said.append(f"User: {text}")
    before = said[:-1]  # without the question
    return "\n".join(["Said before:", *before]) if before else ""


def render_instructions(
    hass: HomeAssistant, subentry: ConfigSubentry, instructions: str, speaker: Speaker
) -> str:
    """Return the instructions of an agent for a speaker.

    Raises:
        HomeAssistantError: the template cannot be rendered.

    """
    template = Template(instructions, hass)
    try:
        return str(template.async_render(asdict(speaker), parse_result=False))
    except TemplateError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="instructions_failed",
            translation_placeholders={"agent": subentry.title},
        ) from err


def join(*parts: str | None) -> str:
    """Return the parts that say something as one prompt."""
    return "\n\n".join(part.strip() for part in parts if part and part.strip())
