"""Asking an agent: session, prompt, model, and the run that answers."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
import time
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_MODEL
from homeassistant.exceptions import HomeAssistantError

from ..const import (
    CONF_AGENT,
    CONF_DEADLINE,
    CONF_FAST_VOICE,
    CONF_HANDOFF_AFTER,
    CONF_IDLE_TIMEOUT,
    CONF_INSTRUCTIONS,
    CONF_SESSION_NAME,
    CONF_SESSION_SCOPE,
    CONF_SHARE_USER_NAME,
    CONF_THINKING,
    CONF_TOOL_PROGRESS,
    DOMAIN,
    MAX_HANDOFF_AGE,
)
from ..coordinator import get_runtime
from ..error_mapping import action_error
from ..gateway import (
    MIN_PROTOCOL,
    GatewayConnectionError,
    GatewayError,
    NotConnectedError,
    RequestFailedError,
    RunRequest,
    RunTimeoutError,
)
from ..home.announcements import Listener
from ..home.origin import CallOrigin
from ..home.prompt import async_home_prompt, async_home_states_prompt
from ..home.service import get_home
from ..home.settings import AgentHome, HomeAccess
from ..util.drill_lock import drill_lock
from .errors import translated_error
from .first_words import async_add_first_word
from .listeners import Owner, get_listeners
from .prompt import (
    NO_HOME_ACCESS,
    NO_POLL,
    async_get_user_context,
    describe_user,
    join,
    render_instructions,
)
from .rights import Rights, async_rights, depends_on_user
from .run_origins import get_origins
from .session import Scope, SessionContext, is_beside, session_key
from .session_settings import async_set_session
from .sessions import (
    ChosenSession,
    async_save_later,
    choose_named_session,
    choose_other_session,
    choose_session,
)
from .throwaway import async_delete_later

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry, ClawdCoordinator
    from ..gateway import AgentRun, ThinkingLevel

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
        """Return the id of the voice device, if it was spoken."""
        return self.device_id or self.satellite_id

    @property
    def listener(self) -> Listener:
        """Return the person to whom the answer belongs."""
        return Listener(
            device_id=self.voice_device, user_id=self.user_id, language=self.language
        )

    @property
    def chosen_session(self) -> str:
        """Return the key of the session that was chosen before."""
        assert self.session_key  # noqa: S101 - chosen before a run is made of it
        return self.session_key


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumedRun:
    """Run that was started before; times in seconds.

    Attributes:
        asked_at: since 1970.
        timeout: from the question.
        accepted: the Gateway had accepted it.

    """

    run_id: str
    asked_at: float
    timeout: float
    accepted: bool


class RunLostError(HomeAssistantError):
    """Run that was lost with the connection, and may go on."""

    def __init__(self) -> None:
        """Initialize the error."""
        super().__init__(translation_domain=DOMAIN, translation_key="run_lost")


@asynccontextmanager
async def async_run(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
    run_id: str | None = None,
) -> AsyncGenerator[AgentRun]:
    """Start the run that answers a question; its session is busy within the context.

    A drill of the self-test is waited for: it would cost the reply. `run_id` has to
    be new.

    Raises:
        HomeAssistantError: there is no question, the agent is gone or busy, or its
            instructions are broken.
        GatewayError: the Gateway refused, or there is no connection.

    """
    if not question.text.translate(dict.fromkeys(map(ord, _INVISIBLE))).strip():
        raise translated_error("blank_question")
    async with AsyncExitStack() as stack:
        async with drill_lock(entry).question():
            # The drill has reloaded the entry.
            if entry.state is not ConfigEntryState.LOADED:
                raise NotConnectedError("the entry is not loaded")
            run = await _async_start_run(
                hass, entry, subentry, question, run_id or uuid4().hex, stack
            )
        try:
            with _answered(entry, subentry, question, run):
                yield run
        finally:
            if (at := run.stream.first_text_at) is not None:
                seconds = at - question.asked_at
                async_add_first_word(entry, subentry.subentry_id, seconds)


@asynccontextmanager
async def async_resume(
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
    resumed: ResumedRun,
) -> AsyncGenerator[AgentRun]:
    """Resume a run of a question whose first words are known.

    Raises:
        HomeAssistantError: the session is busy.

    """
    key = question.chosen_session
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            async_take_turn(entry, subentry, key, resumed.timeout)
        )
        if home := get_home(entry):
            stack.enter_context(home.origins.run(key, call_origin(subentry, question)))
        request = RunRequest(
            question.text,
            key,
            idle_timeout=resumed.timeout,
            timeout=resumed.timeout,
            include_segments=question.voice_device is not None,
            run_id=resumed.run_id,
        )
        run = entry.runtime_data.client.resume_run(
            request, resumed.asked_at, accepted=resumed.accepted
        )
        run.extend(resumed.timeout)
        with _answered(entry, subentry, question, run):
            yield run


@contextmanager
def _answered(
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
    run: AgentRun,
) -> Iterator[None]:
    """Remember who hears what comes later; say so where a run may go on.

    Raises:
        RunLostError: the run was lost with the connection.

    """
    try:
        with get_origins(entry).keep(run, subentry, question):
            yield
    except RunTimeoutError:
        raise
    except GatewayConnectionError as err:
        raise RunLostError from err
    finally:
        _note_answer(entry, subentry, question, run)


def _note_answer(
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
    run: AgentRun,
) -> None:
    """Remember what was told, and what the run has started."""
    if result := run.result_now:
        owner = owner_of(subentry, question)
        get_listeners(entry).async_answered(run.session_key, owner, result)


def owner_of(subentry: ConfigSubentry, question: Question) -> Owner:
    """Return who is to be told what comes later in the session of a question."""
    settings = subentry.data
    shared = Scope(settings[CONF_SESSION_SCOPE]) is Scope.SHARED
    return Owner(
        question.listener,
        subentry.title,
        shared or CONF_SESSION_NAME in settings,
        subentry.subentry_id,
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
    context = await async_get_user_context(
        hass,
        question.language,
        device_id=question.device_id,
        satellite_id=question.satellite_id,
        user_id=question.user_id if settings[CONF_SHARE_USER_NAME] else None,
    )
    return join(
        " ".join(describe_user(context, spoken=question.voice_device is not None)),
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
    tools = home.published_for(agent)
    return await async_home_prompt(hass, agent, origin, home.prefix, tools)


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


async def async_choose_session(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
) -> ChosenSession:
    """Return the session of a question; one beside it has the same rights."""
    session = await _async_choose_main_session(hass, entry, subentry, question)
    key = question.session_key
    # Unless a new conversation was begun since it was chosen.
    if key is not None and is_beside(key, session.key):
        return choose_other_session(entry, subentry, session, key)
    return session


async def _async_choose_main_session(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
) -> ChosenSession:
    settings = subentry.data
    if (name := settings.get(CONF_SESSION_NAME)) is not None:
        return choose_named_session(entry, subentry, name)
    rights = await async_rights(hass, subentry, question)
    context = SessionContext(
        subentry.subentry_id,
        question.conversation_id,
        question.voice_device,
        question.user_id,
        restricted=depends_on_user(subentry) and rights is not Rights.GATEWAY,
    )
    scope = Scope(settings[CONF_SESSION_SCOPE])
    base = session_key(settings[CONF_AGENT], scope, context)
    return choose_session(entry, subentry, base, rights)


async def _async_start_run(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
    run_id: str,
    stack: AsyncExitStack,
) -> AgentRun:
    """Return the run; its session is busy until the stack is closed."""
    coordinator, settings = entry.runtime_data.coordinator, subentry.data
    await async_require_agent(coordinator, subentry)
    prompt = await async_build_prompt(hass, entry, subentry, question)
    spoken = question.voice_device is not None
    if not spoken:
        timeout = settings[CONF_IDLE_TIMEOUT]
    else:
        # Who waits is told so before: the question is handed off.
        handed_off = settings[CONF_HANDOFF_AFTER]
        timeout = MAX_HANDOFF_AGE if handed_off else SPOKEN_TURN_TIMEOUT
    choose = partial(async_choose_session, hass, entry, subentry, question)
    session = await stack.enter_async_context(
        _async_take_turn_in(entry, subentry, choose, timeout)
    )
    key = session.key
    await async_set_session(entry, subentry, session)
    async_save_later(hass, entry)
    async_delete_later(hass, entry)
    if home := get_home(entry):
        stack.enter_context(home.origins.run(key, call_origin(subentry, question)))
    get_listeners(entry).async_asked(key, owner_of(subentry, question))
    return await coordinator.client.start_run(
        RunRequest(
            question.text,
            key,
            extra_system_prompt=prompt,
            thinking=settings.get(CONF_THINKING),
            idle_timeout=settings[CONF_IDLE_TIMEOUT],
            timeout=settings[CONF_DEADLINE],
            include_tools=settings[CONF_TOOL_PROGRESS] and not spoken,
            include_segments=spoken,
            run_id=run_id,
            lightweight=_is_lightweight(entry, subentry, question),
        )
    )


def _is_lightweight(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, question: Question
) -> bool:
    """Return whether the agent answers without its persona, but sooner."""
    hello = entry.runtime_data.client.hello
    return bool(
        subentry.data[CONF_FAST_VOICE]
        and question.voice_device
        and hello
        and hello.protocol > MIN_PROTOCOL
    )


@asynccontextmanager
async def async_take_turn(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, key: str, timeout: float
) -> AsyncGenerator[None]:
    """Wait until a session answers nobody else.

    What a Gateway does with a second question in a session depends on its version and
    settings: it waits, steers the first run, is collected with it, or is dropped.

    Raises:
        HomeAssistantError: the session is busy for too long.
        NotConnectedError: the entry is unloaded.

    """
    runtime = get_runtime(entry)
    turn = runtime.session_turn(key)
    try:
        async with asyncio.timeout(timeout):
            await turn.acquire()
    except TimeoutError:
        raise translated_error("session_busy", agent=subentry.title) from None
    try:
        yield
    finally:
        turn.release()
        loaded = entry.state is ConfigEntryState.LOADED
        # A new conversation was begun, which has left the session to its run.
        if loaded and key in runtime.ended_sessions:
            async_delete_later(runtime.coordinator.hass, entry)


@asynccontextmanager
async def async_take_named_turn(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, name: str, timeout: float
) -> AsyncGenerator[ChosenSession]:
    """Wait until a named session answers nobody else; return it."""

    async def choose() -> ChosenSession:
        return choose_named_session(entry, subentry, name)

    async with _async_take_turn_in(entry, subentry, choose, timeout) as session:
        yield session


@asynccontextmanager
async def _async_take_turn_in(
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    choose: Callable[[], Awaitable[ChosenSession]],
    timeout: float,
) -> AsyncGenerator[ChosenSession]:
    """Wait until the session that is chosen answers nobody else; return it."""
    session = await choose()
    while True:
        turn = async_take_turn(entry, subentry, session.key, timeout)
        async with turn:
            current = await choose()
            # Unless a new conversation was begun meanwhile.
            if current.key == session.key:
                yield current
                return
        session = current


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
        raise translated_error(
            "thinking_unsupported",
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
        raise translated_error("agent_deleted", agent=subentry.title)


def _has_agent(coordinator: ClawdCoordinator, subentry: ConfigSubentry) -> bool:
    return coordinator.agents.get(subentry.data[CONF_AGENT]) is not None
