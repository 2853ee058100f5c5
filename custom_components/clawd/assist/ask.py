"""Asking an agent: session, prompt, model, and the run that answers."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState
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
from ..drill_lock import drill_lock
from ..error_mapping import action_error
from ..gateway import (
    GatewayConnectionError,
    GatewayError,
    NotConnectedError,
    RequestFailedError,
    RunRequest,
    RunTimeoutError,
)
from ..home.origin import CallOrigin
from ..home.prompt import async_home_prompt, async_home_states_prompt
from ..home.service import get_home
from ..home.settings import AgentHome, HomeAccess
from .prompt import (
    NO_HOME_ACCESS,
    NO_POLL,
    async_get_user_context,
    describe_user,
    join,
    render_instructions,
)
from .session import Scope, SessionContext, named_session_key, session_key

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry, ClawdCoordinator, ClawdRuntime
    from ..gateway import AgentRun, ThinkingLevel

MAX_SESSIONS: Final = 256

# Seconds in which who speaks to a device expects an answer, or why there is none.
SPOKEN_TURN_TIMEOUT: Final = 8.0

# Characters that a text may consist of and still be blank.
_INVISIBLE: Final = "\u00ad\u200b\u200c\u200d\u2060\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Question to an agent, and its origin.

    Attributes:
        conversation_id: of Home Assistant's conversation.
        device_id: of the device it was asked through.
        satellite_id: of the satellite, where there is no device.
        context_id: of Home Assistant's context.
        by_person: a person said or wrote it, no automation.
        history: messages that the agent's session lacks.
        extra_system_prompt: additional instructions of the caller.

    """

    text: str = field(repr=False)
    conversation_id: str
    language: str
    device_id: str | None = None
    satellite_id: str | None = None
    user_id: str | None = None
    context_id: str | None = None
    by_person: bool = False
    history: str = field(default="", repr=False)
    extra_system_prompt: str | None = field(default=None, repr=False)

    @property
    def voice_device(self) -> str | None:
        """Return the id of the voice device, if it was spoken."""
        return self.device_id or self.satellite_id


@asynccontextmanager
async def async_run(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
) -> AsyncGenerator[AgentRun]:
    """Start the run that answers a question; its session is busy within the context.

    A drill of the self-test is waited for: it would cost the reply.

    Raises:
        HomeAssistantError: there is no question, the agent is gone or busy, or its
            instructions are broken.
        GatewayError: the Gateway refused, or there is no connection.

    """
    if not question.text.translate(dict.fromkeys(map(ord, _INVISIBLE))).strip():
        raise _error(translation_key="blank_question")
    async with AsyncExitStack() as stack:
        async with drill_lock(entry).question():
            # The drill has reloaded the entry.
            if entry.state is not ConfigEntryState.LOADED:
                raise NotConnectedError("the entry is not loaded")
            run = await _async_start_run(hass, entry, subentry, question, stack)
        try:
            yield run
        except RunTimeoutError:
            raise
        except GatewayConnectionError as err:
            raise _error(translation_key="run_lost") from err


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
    if isinstance(err, RequestFailedError):
        try:
            with suppress(GatewayError):
                await _async_refresh_agent(coordinator, subentry)
                await _async_require_thinking_level(coordinator, subentry)
        except HomeAssistantError as reason:
            return reason
    return action_error(err)


async def async_build_prompt(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
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
        NO_POLL,
        await _async_home_prompt(hass, entry, subentry, question),
        render_instructions(hass, subentry, settings[CONF_INSTRUCTIONS], context),
        question.history,
        question.extra_system_prompt,
    )


async def _async_home_prompt(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
) -> str:
    """Return the part of the prompt on the home."""
    home, agent = get_home(entry), AgentHome.from_subentry(subentry)
    if home is None or agent.access is HomeAccess.NONE:
        return NO_HOME_ACCESS
    origin = call_origin(subentry, question)
    # Clawdbot and older Gateways never have the tools.
    if entry.runtime_data.node is None:
        return await async_home_states_prompt(hass, origin)
    # Until the Gateway has the tools, they cannot be called.
    if not home.published:
        return NO_HOME_ACCESS
    return await async_home_prompt(hass, agent, origin, home.prefix)


def call_origin(subentry: ConfigSubentry, question: Question) -> CallOrigin:
    """Return the origin of the calls in a run."""
    return CallOrigin(
        subentry.subentry_id,
        question.conversation_id,
        question.language,
        user_id=question.user_id,
        device_id=question.device_id,
        context_id=question.context_id,
        by_person=question.by_person,
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


async def _async_start_run(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
    stack: AsyncExitStack,
) -> AgentRun:
    """Return the run; its session is busy until the stack is closed."""
    coordinator, settings = entry.runtime_data.coordinator, subentry.data
    await async_require_agent(coordinator, subentry)
    key = session_key_for(subentry, question)
    prompt = await async_build_prompt(hass, entry, subentry, question)
    spoken = question.voice_device is not None
    timeout = SPOKEN_TURN_TIMEOUT if spoken else settings[CONF_IDLE_TIMEOUT]
    await stack.enter_async_context(
        async_take_turn(entry.runtime_data, subentry, key, timeout)
    )
    await async_set_model(entry, subentry, key)
    if home := get_home(entry):
        stack.enter_context(home.origins.run(key, call_origin(subentry, question)))
    return await coordinator.client.start_run(
        RunRequest(
            question.text,
            key,
            extra_system_prompt=prompt,
            thinking=settings.get(CONF_THINKING),
            idle_timeout=settings[CONF_IDLE_TIMEOUT],
            timeout=settings[CONF_DEADLINE],
            include_tools=settings[CONF_TOOL_PROGRESS] and not spoken,
        )
    )


@asynccontextmanager
async def async_take_turn(
    runtime: ClawdRuntime, subentry: ConfigSubentry, key: str, timeout: float
) -> AsyncGenerator[None]:
    """Wait until a session answers nobody else.

    What a Gateway does with a second question in a session depends on its version and
    settings: it waits, steers the first run, is collected with it, or is dropped.
    """
    turn = runtime.session_turns.setdefault(key, asyncio.Lock())
    try:
        async with asyncio.timeout(timeout):
            await turn.acquire()
    except TimeoutError:
        raise _error(translation_key="session_busy", agent=subentry.title) from None
    try:
        yield
    finally:
        turn.release()


async def _async_require_thinking_level(
    coordinator: ClawdCoordinator, subentry: ConfigSubentry
) -> None:
    """Raise if the agent's model lacks the chosen thinking level."""
    # OpenClaw takes a run with any level, and then fails with `UNAVAILABLE`.
    if (level := subentry.data.get(CONF_THINKING)) is None:
        return
    levels = await _async_thinking_levels(coordinator, subentry)
    known = [known.id for known in levels]
    if known and level not in known:
        raise _error(
            translation_key="thinking_unsupported",
            agent=subentry.title,
            level=level,
            levels=", ".join(known),
        )


async def _async_thinking_levels(
    coordinator: ClawdCoordinator, subentry: ConfigSubentry
) -> tuple[ThinkingLevel, ...]:
    client = coordinator.client
    if ref := subentry.data.get(CONF_MODEL):
        models = await client.models.list()
        if model := next((model for model in models if model.ref == ref), None):
            return model.thinking_levels
    agent = coordinator.agents.get(subentry.data[CONF_AGENT])
    return agent.thinking_levels if agent else ()


async def _async_refresh_agent(
    coordinator: ClawdCoordinator, subentry: ConfigSubentry
) -> None:
    await coordinator.async_refresh_agents()
    if not _has_agent(coordinator, subentry):
        raise _error(translation_key="agent_deleted", agent=subentry.title)


def _error(*, translation_key: str, **placeholders: str) -> HomeAssistantError:
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders=placeholders or None,
    )


def _has_agent(coordinator: ClawdCoordinator, subentry: ConfigSubentry) -> bool:
    return coordinator.agents.get(subentry.data[CONF_AGENT]) is not None
