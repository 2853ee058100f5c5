"""Asking an agent: session, prompt, model, and the start of the run."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from homeassistant.const import CONF_MODEL
from homeassistant.exceptions import HomeAssistantError

from ..const import (
    CONF_AGENT,
    CONF_DEADLINE,
    CONF_IDLE_TIMEOUT,
    CONF_INSTRUCTIONS,
    CONF_SESSION_NAME,
    CONF_SESSION_SCOPE,
    CONF_SHARE_USER_NAME,
    CONF_THINKING,
    CONF_TOOL_PROGRESS,
    DOMAIN,
)
from ..error_mapping import action_error
from ..gateway import AgentRunError, GatewayError, RequestFailedError, RunRequest
from .prompt import async_get_user_context, describe_user, join, render_instructions
from .session import Scope, SessionContext, named_session_key, session_key

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry, ClawdCoordinator
    from ..gateway import AgentRun

MAX_SESSIONS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Question to an agent, and its origin.

    Attributes:
        conversation_id: of Home Assistant's conversation.
        device_id: of the device it was asked through.
        satellite_id: of the satellite, where there is no device.
        history: messages that the agent's session lacks.
        extra_system_prompt: additional instructions of the caller.

    """

    text: str = field(repr=False)
    conversation_id: str
    language: str
    device_id: str | None = None
    satellite_id: str | None = None
    user_id: str | None = None
    history: str = field(default="", repr=False)
    extra_system_prompt: str | None = field(default=None, repr=False)

    @property
    def voice_device(self) -> str | None:
        """Return the id of the voice device, if it was spoken."""
        return self.device_id or self.satellite_id


async def async_start_run(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
) -> AgentRun:
    """Start the run that answers a question.

    Raises:
        HomeAssistantError: the agent is gone, or its instructions are broken.
        GatewayError: the Gateway refused, or there is no connection.

    """
    coordinator, settings = entry.runtime_data.coordinator, subentry.data
    await async_require_agent(coordinator, subentry)
    key = session_key_for(subentry, question)
    prompt = await async_build_prompt(hass, subentry, question)
    await async_set_model(entry, subentry, key)
    return await coordinator.client.start_run(
        RunRequest(
            question.text,
            key,
            extra_system_prompt=prompt,
            thinking=settings.get(CONF_THINKING),
            idle_timeout=settings[CONF_IDLE_TIMEOUT],
            timeout=settings[CONF_DEADLINE],
            include_tools=settings[CONF_TOOL_PROGRESS],
        )
    )


async def async_require_agent(
    coordinator: ClawdCoordinator, subentry: ConfigSubentry
) -> None:
    """Raise if the agent is gone.

    Raises:
        HomeAssistantError: the Gateway does not have the agent any more.
        GatewayError: the Gateway did not answer.

    """
    # Clawdbot (v3) would run an unknown agent, and create a workspace for it.
    if not (coordinator.agents_current and _has_agent(coordinator, subentry)):
        await _async_refresh_agent(coordinator, subentry)


async def async_ask_error(
    coordinator: ClawdCoordinator, subentry: ConfigSubentry, err: GatewayError
) -> HomeAssistantError:
    """Return the error to show for a failed question."""
    if isinstance(err, RequestFailedError | AgentRunError):
        try:
            with suppress(GatewayError):
                await _async_refresh_agent(coordinator, subentry)
        except HomeAssistantError as deleted:
            return deleted
    return action_error(err)


async def async_build_prompt(
    hass: HomeAssistant, subentry: ConfigSubentry, question: Question
) -> str:
    """Return the system prompt of a question.

    Raises:
        HomeAssistantError: the instructions cannot be rendered.

    """
    settings = subentry.data
    user_id = question.user_id if settings[CONF_SHARE_USER_NAME] else None
    context = await async_get_user_context(
        hass, question.language, question.device_id, user_id
    )
    return join(
        " ".join(describe_user(context)),
        render_instructions(hass, subentry, settings[CONF_INSTRUCTIONS], context),
        question.history,
        question.extra_system_prompt,
    )


def session_key_for(subentry: ConfigSubentry, question: Question) -> str:
    """Return the session key of a question."""
    settings = subentry.data
    agent = settings[CONF_AGENT]
    if CONF_SESSION_NAME in settings:
        return named_session_key(agent, settings[CONF_SESSION_NAME])
    context = SessionContext(
        subentry.subentry_id,
        question.conversation_id,
        question.voice_device,
        question.user_id,
    )
    return session_key(agent, Scope(settings[CONF_SESSION_SCOPE]), context)


async def async_set_model(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, key: str
) -> None:
    """Set the chosen model of a session, once per connection.

    Raises:
        GatewayError: the Gateway refused, or there is no connection.

    """
    runtime, model = entry.runtime_data, subentry.data.get(CONF_MODEL)
    hello = runtime.client.hello
    if model is None or hello is None or not hello.can_choose_model:
        return
    known, chosen = runtime.session_models, (runtime.client.statistics.connects, model)
    if known.get(key) == chosen:
        return
    await runtime.client.sessions.patch(key, model=model)
    if len(known) >= MAX_SESSIONS:
        known.clear()
    known[key] = chosen


async def _async_refresh_agent(
    coordinator: ClawdCoordinator, subentry: ConfigSubentry
) -> None:
    await coordinator.async_refresh_agents()
    if not _has_agent(coordinator, subentry):
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="agent_deleted",
            translation_placeholders={"agent": subentry.title},
        )


def _has_agent(coordinator: ClawdCoordinator, subentry: ConfigSubentry) -> bool:
    return coordinator.agents.get(subentry.data[CONF_AGENT]) is not None
