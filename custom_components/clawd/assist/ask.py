"""Asking an agent: its session, and the run that answers."""

from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from homeassistant.config_entries import ConfigEntryState

from ..const import (
    CONF_AGENT,
    CONF_DEADLINE,
    CONF_FAST_VOICE,
    CONF_HANDOFF_AFTER,
    CONF_IDLE_TIMEOUT,
    CONF_SESSION_NAME,
    CONF_SESSION_SCOPE,
    CONF_THINKING,
    CONF_TOOL_PROGRESS,
    MAX_HANDOFF_AGE,
)
from ..gateway import (
    GatewayConnectionError,
    NotConnectedError,
    RunRequest,
    RunTimeoutError,
)
from ..home.service import get_home
from ..util.drill_lock import drill_lock
from .errors import translated_error
from .first_words import async_add_first_word
from .listeners import get_listeners
from .question import (
    Question,
    ResumedRun,
    RunLostError,
    call_origin,
    is_blank,
    owner_of,
)
from .requirements import async_require_agent
from .rights import Rights, async_rights, depends_on_user
from .run_origins import get_origins
from .session import Scope, SessionContext, is_beside, session_key
from .session_settings import async_set_session
from .session_turns import async_take_turn, async_take_turn_in
from .sessions import (
    ChosenSession,
    async_save_later,
    choose_named_session,
    choose_other_session,
    choose_session,
)
from .system_prompt import async_build_prompt
from .throwaway import async_delete_later

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from ..gateway import AgentRun

# Seconds within which a voice device must get an answer or an error.
SPOKEN_TURN_TIMEOUT: Final = 8.0


@asynccontextmanager
async def async_run(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
    run_id: str | None = None,
) -> AsyncGenerator[AgentRun]:
    """Start the run of a question.

    Its session is busy within the context. A drill in progress ends first: it would
    cost the reply. `run_id` has to be new.

    Raises:
        HomeAssistantError: there is no question, the agent is gone or busy, or its
            instructions are broken.
        GatewayError: the Gateway refused, or there is no connection.

    """
    if is_blank(question.text):
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
    """Resume the run of a question.

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
            request, resumed.asked.timestamp, accepted=resumed.accepted
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
    """Record the answer, or a lost run.

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
    """Record the answer and its sub-agents."""
    if result := run.result_now:
        owner = owner_of(subentry, question)
        get_listeners(entry).async_answered(run.session_key, owner, result)


async def async_choose_session(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
) -> ChosenSession:
    """Return the session of a question.

    A side session has the same rights.
    """
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
    """Start the run.

    Its session is busy until the stack is closed.
    """
    coordinator, settings = entry.runtime_data.coordinator, subentry.data
    await async_require_agent(coordinator, subentry)
    prompt = await async_build_prompt(hass, entry, subentry, question)
    spoken = question.voice_device is not None
    if not spoken:
        timeout = settings[CONF_IDLE_TIMEOUT]
    else:
        # The user gets a sentence earlier: the question is handed off.
        handed_off = settings[CONF_HANDOFF_AFTER]
        timeout = MAX_HANDOFF_AGE if handed_off else SPOKEN_TURN_TIMEOUT
    choose = partial(async_choose_session, hass, entry, subentry, question)
    session = await stack.enter_async_context(
        async_take_turn_in(entry, subentry, choose, timeout)
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
    """Return whether the lightweight mode applies.

    The agent answers without its persona, but sooner.
    """
    hello = entry.runtime_data.client.hello
    return bool(
        subentry.data[CONF_FAST_VOICE]
        and question.voice_device
        and hello
        and hello.can_run_lightweight
    )
