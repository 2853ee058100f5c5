"""Common fields and helpers of actions."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import CONF_MODEL, Platform
from homeassistant.core import ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    config_validation as cv,
    entity_registry as er,
    service,
)
import voluptuous as vol

from ..assist.attachments import async_resolve_files
from ..assist.new_conversation import text_after_command
from ..assist.question import Question, call_origin, not_blank
from ..assist.session import is_reserved_name
from ..assist.structure import structure_schema
from ..assist.system_prompt import async_build_prompt
from ..assist.turns import Task
from ..assist.usage import model_ref, usage_response
from ..const import CONF_DEADLINE, CONF_IDLE_TIMEOUT, CONF_THINKING, DOMAIN
from ..gateway import Delivery
from ..home.users import async_require_control

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant
    from homeassistant.util.json import JsonObjectType

    from ..assist.generation import Answer
    from ..coordinator import ClawdConfigEntry

ATTR_AGENT: Final = "agent"
ATTR_ATTACHMENTS: Final = "attachments"
ATTR_CHANNEL: Final = "channel"
ATTR_CONFIG_ENTRY: Final = "config_entry"
ATTR_MODEL: Final = "model"
ATTR_SESSION: Final = "session"
ATTR_STRUCTURE: Final = "structure"
ATTR_TARGET: Final = "target"
ATTR_TEXT: Final = "text"
ATTR_THINKING: Final = "thinking"
ATTR_TIMEOUT: Final = "timeout"

# Seconds, as the settings of an agent.
MAX_TIMEOUT: Final = 86_400

MEDIA: Final = vol.Any(
    cv.string,
    vol.Schema(
        {
            vol.Required("media_content_id"): cv.string,
            vol.Optional("media_content_type"): cv.string,
        },
        extra=vol.ALLOW_EXTRA,
    ),
)


def _thinking_level(value: object) -> object:
    """Return a thinking level; YAML takes `off` without quotes for false."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return value


NOT_BLANK: Final = vol.All(cv.string, not_blank)
QUESTION: Final = {
    vol.Required(ATTR_AGENT): cv.entity_id,
    vol.Required(ATTR_TEXT): NOT_BLANK,
    vol.Optional(ATTR_SESSION): NOT_BLANK,
    vol.Optional(ATTR_ATTACHMENTS, default=[]): vol.All(cv.ensure_list, [MEDIA]),
    vol.Optional(ATTR_STRUCTURE): vol.All(vol.Length(min=1), structure_schema),
    vol.Optional(ATTR_MODEL): NOT_BLANK,
    vol.Optional(ATTR_THINKING): vol.All(_thinking_level, NOT_BLANK),
    vol.Optional(ATTR_TIMEOUT): vol.All(
        vol.Coerce(float), vol.Range(min=1, max=MAX_TIMEOUT)
    ),
    vol.Inclusive(ATTR_CHANNEL, "delivery"): NOT_BLANK,
    vol.Inclusive(ATTR_TARGET, "delivery"): NOT_BLANK,
}


async def async_get_agent(
    hass: HomeAssistant, call: ServiceCall
) -> tuple[ClawdConfigEntry, ConfigSubentry]:
    """Return the agent of a call.

    Raises:
        ServiceValidationError: the entity is none, or its Gateway is not loaded.
        Unauthorized: the user may not control it.

    """
    entity_id = call.data[ATTR_AGENT]
    found = er.async_get(hass).async_get(entity_id)
    if (
        found is None
        or (found.domain, found.platform) != (Platform.CONVERSATION, DOMAIN)
        or found.config_entry_id is None
        or found.config_subentry_id is None
    ):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_such_agent",
            translation_placeholders={"entity_id": entity_id},
        )
    await async_require_control(hass, call.context, entity_id)
    entry: ClawdConfigEntry = service.async_get_config_entry(
        hass, DOMAIN, found.config_entry_id
    )
    return entry, entry.subentries[found.config_subentry_id]


async def async_require_agent_control(
    hass: HomeAssistant, call: ServiceCall, subentry_id: str
) -> None:
    """Check that the user of a call may control an agent.

    Raises:
        Unauthorized: the user may not.

    """
    entity_id = er.async_get(hass).async_get_entity_id(
        Platform.CONVERSATION, DOMAIN, subentry_id
    )
    await async_require_control(hass, call.context, entity_id or "")


def async_get_entry(hass: HomeAssistant, call: ServiceCall) -> ClawdConfigEntry:
    """Return the entry of a call.

    Without an id, the only one.

    Raises:
        ServiceValidationError: there is none, or it is not loaded, or not clear.

    """
    if entry_id := call.data.get(ATTR_CONFIG_ENTRY):
        return service.async_get_config_entry(hass, DOMAIN, entry_id)
    match hass.config_entries.async_loaded_entries(DOMAIN):
        case [entry]:
            return entry
        case []:
            key = "no_gateway_loaded"
        case _:
            key = "several_gateways"
    raise ServiceValidationError(translation_domain=DOMAIN, translation_key=key)


def openclaw_required_error(field: str) -> ServiceValidationError:
    """Return the error of a field that Clawdbot cannot serve."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="needs_openclaw",
        translation_placeholders={"field": field},
    )


def read_session_name(call: ServiceCall) -> str | None:
    """Return the session name of a call.

    Raises:
        ServiceValidationError: it is reserved for sessions of users and devices.

    """
    name: str | None = call.data.get(ATTR_SESSION)
    if name is not None and is_reserved_name(name):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="session_name_reserved"
        )
    return name


async def async_read_question(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    call: ServiceCall,
) -> Task:
    """Return the question of a call.

    Raises:
        HomeAssistantError: an attachment cannot be read, the instructions of the
            agent are broken, the name of the session is reserved, or the text is a
            command for a new conversation.

    """
    data, session = call.data, read_session_name(call)
    if text_after_command(data[ATTR_TEXT]) is not None:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="new_conversation_command"
        )
    hello = entry.runtime_data.client.hello
    if ATTR_MODEL in data and hello and not hello.has_session_settings:
        raise openclaw_required_error(ATTR_MODEL)
    question = Question(
        text=data[ATTR_TEXT],
        conversation_id="",
        language=hass.config.language,
        user_id=call.context.user_id,
        context_id=call.context.id,
    )
    delivery = None
    if ATTR_CHANNEL in data:
        # The answer is not lost with its delivery; Clawdbot has no such choice.
        best_effort = hello is not None and hello.can_deliver_best_effort
        delivery = Delivery(data[ATTR_CHANNEL], data[ATTR_TARGET], best_effort)
    return Task(
        text=question.text,
        instructions=await async_build_prompt(hass, entry, subentry, question),
        origin=call_origin(subentry, question),
        # A script or an automation has the context of its trigger as parent.
        user_id=None if call.context.parent_id else call.context.user_id,
        files=await async_resolve_files(hass, data[ATTR_ATTACHMENTS], call.context),
        structure=data.get(ATTR_STRUCTURE),
        with_tools=True,
        session=session,
        delivery=delivery,
        with_media=True,
        settings=_settings(data, subentry.data[CONF_IDLE_TIMEOUT]),
    )


def answer_response(answer: Answer) -> JsonObjectType:
    """Return the action response for an answer."""
    last = answer.last
    return {
        "text": answer.text,
        "data": answer.data,
        "run_id": last.run_id,
        "model": model_ref(last),
        "usage": {**usage_response(answer.usage)},
        "delivery": answer.delivery,
        # Named as in the response of `ai_task.generate_image`.
        "media": [
            {"name": item.name, "mime_type": item.mime_type, "url": item.url}
            for item in answer.media
            if not item.problem
        ],
        "media_errors": [item.problem for item in answer.media if item.problem],
    }


def _settings(data: dict[str, Any], idle_timeout: float) -> dict[str, Any]:
    """Return the settings of a call."""
    settings: dict[str, Any] = {}
    for field, setting in ((ATTR_MODEL, CONF_MODEL), (ATTR_THINKING, CONF_THINKING)):
        if field in data:
            settings[setting] = data[field]
    if ATTR_TIMEOUT in data:
        settings[CONF_DEADLINE] = data[ATTR_TIMEOUT]
        settings[CONF_IDLE_TIMEOUT] = min(idle_timeout, data[ATTR_TIMEOUT])
    return settings
