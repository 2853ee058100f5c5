"""Answers without a conversation: a text or data, from a model or an agent."""

import asyncio
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_MODEL
from homeassistant.helpers import config_validation as cv

from ..const import (
    CONF_AGENT,
    CONF_DEADLINE,
    CONF_IDLE_TIMEOUT,
    CONF_THINKING,
    DEFAULT_DEADLINE,
    DEFAULT_IDLE_TIMEOUT,
    TASK_SESSION_PREFIX,
)
from ..coordinator import get_runtime
from ..gateway import (
    MIN_PROTOCOL,
    GatewayConnectionError,
    GatewayError,
    NotConnectedError,
    RunRequest,
    RunTimeoutError,
    Usage,
)
from ..home.service import get_home
from ..util.drill_lock import drill_lock
from .ask import async_ask_error, async_require_agent, async_take_named_turn
from .attachments import async_encode
from .errors import translated_error
from .image_input import async_require_image_input
from .prompt import NO_HOME_ACCESS, NO_POLL, join
from .reply import ReplyFilter
from .rights import Rights, async_rights_of_user
from .run_origins import get_origins
from .session_settings import async_set_session
from .sessions import ChosenSession, async_save_later, get_sessions
from .structure import MAX_REPLY, Structure, StructureError
from .throwaway import throwaway_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant
    from homeassistant.util.json import JsonValueType
    import voluptuous as vol

    from ..coordinator import ClawdConfigEntry, ClawdCoordinator
    from ..gateway import AgentRun, Attachment, Delivery, Hello, RunResult
    from ..home.origin import CallOrigin
    from .attachments import File

REPAIR_TURNS: Final = 1
# Characters of a reply that are read in the event loop: of 1 MB of `<`, the filter
# takes 15 s.
MAX_READ_AT_ONCE: Final = 20_000


@dataclass(slots=True, kw_only=True)
class Task:
    """Question without a conversation.

    Attributes:
        files: to attach; none any more once they are encoded.
        instructions: what the model is told besides.
        origin: of the calls to the home; without one, the agent is told of no access.
        user_id: of the person whose rights it has; None for an automation.
        structure: of the data that is asked for; without one, it is a text.
        with_tools: the agent answers, with its tools and memory.
        model_only: the model alone answers, or nobody.
        session: name of the session, which stays; without one, it is thrown away.
        delivery: where an agent's answer is sent to, besides.
        settings: in place of those of the subentry.

    """

    text: str = field(repr=False)
    instructions: str = field(default="", repr=False)
    origin: CallOrigin | None = None
    user_id: str | None = None
    files: tuple[File, ...] = ()
    structure: vol.Schema | None = None
    with_tools: bool = False
    model_only: bool = False
    session: str | None = field(default=None, repr=False)
    delivery: Delivery | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """Text of an answer, its data if that was asked for, and what it took."""

    text: str = field(repr=False)
    data: JsonValueType = field(repr=False)
    results: tuple[RunResult, ...]

    @property
    def last(self) -> RunResult:
        """Return the result of the last turn."""
        return self.results[-1]

    @property
    def usage(self) -> Usage:
        """Return the usage of all turns."""
        return Usage.sum([result.usage for result in self.results])


async def async_generate(
    hass: HomeAssistant,
    coordinator: ClawdCoordinator,
    subentry: ConfigSubentry,
    task: Task,
) -> Answer:
    """Return the answer to a task.

    A run is stopped when the caller is cancelled. Data of another structure is
    asked for once more.

    Raises:
        HomeAssistantError: there is no answer, or not of the structure.

    """
    entry = coordinator.config_entry
    settings = {**subentry.data, **task.settings}
    chosen = replace(subentry, data=MappingProxyType(settings))
    try:
        async with AsyncExitStack() as stack:
            turns = await _async_prepare(hass, entry, chosen, task, stack)
            if CONF_MODEL in task.settings and task.session is not None:
                stack.push_async_callback(_async_reset_model, entry, subentry, turns)
            return await _async_answer(hass, turns, task)
    except GatewayError as err:
        raise await async_ask_error(coordinator, chosen, err) from err


def max_duration(subentry: ConfigSubentry, task: Task) -> float:
    """Return the longest duration of a task.

    These are the seconds of its turns, and of the wait for them.
    """
    settings = {**subentry.data, **task.settings}
    turns = 1 if task.structure is None else 1 + REPAIR_TURNS
    wait: float = settings.get(CONF_IDLE_TIMEOUT, DEFAULT_IDLE_TIMEOUT)
    timeout: float = settings.get(CONF_DEADLINE, DEFAULT_DEADLINE)
    return wait + turns * timeout


def read_reply(text: str) -> str:
    """Return a reply without thoughts and directives.

    Raises:
        HomeAssistantError: it is empty, or ended within a thought.

    """
    reply = ReplyFilter()
    shown = (reply.feed(text) + reply.finish()).strip()
    if reply.thinking:
        raise translated_error("unfinished_reply")
    # The filter also takes out what has no words; but {} and 👍 are answers.
    if shown or (shown := "" if reply.silent else text.strip()):
        return shown
    raise translated_error("empty_reply")


async def async_require_hello(entry: ClawdConfigEntry) -> Hello:
    """Return the hello of a connected Gateway, once no drill interrupts it.

    Raises:
        NotConnectedError: it is not connected.

    """
    async with drill_lock(entry).question():
        # The drill has reloaded the entry.
        loaded = entry.state is ConfigEntryState.LOADED
        if loaded and (hello := entry.runtime_data.client.hello):
            return hello
    raise NotConnectedError("the Gateway is not connected")


class _Turns:
    """Turns of a task: questions in the same session, with the same files."""

    def __init__(  # noqa: PLR0913 - what a run takes
        self,
        entry: ClawdConfigEntry,
        subentry: ConfigSubentry,
        task: Task,
        session: ChosenSession,
        attachments: tuple[Attachment, ...],
        *,
        model_run: bool,
    ) -> None:
        """Ask in a session."""
        self._entry = entry
        self._subentry = subentry
        self._task = task
        self.session = session
        self._attachments = attachments
        self.model_run = model_run

    async def ask(self, text: str) -> RunResult:
        """Ask, and wait for the end of the run."""
        with ExitStack() as stack:
            run = await self._start(text, stack)
            origins = get_origins(self._entry)
            stack.enter_context(origins.keep(run, self._subentry, None))
            try:
                result = await run.result()
            except asyncio.CancelledError:
                with suppress(GatewayError):
                    await run.abort()
                raise
            except RunTimeoutError:
                raise
            except GatewayConnectionError as err:
                raise translated_error("run_lost") from err
        if result.usage == Usage() and not self.model_run:
            # The end of a run with files tells none, but its session's history does.
            with suppress(GatewayError):
                fetch = get_runtime(self._entry).client.fetch_usage
                told = await fetch(run.session_key, run.run_id, run.gateway_id)
                return result.with_usage(told)
        return result

    async def _start(self, text: str, stack: ExitStack) -> AgentRun:
        entry, settings, task = self._entry, self._subentry.data, self._task
        instructions = task.instructions
        if self.model_run:
            # The message is all that the model is told.
            text, instructions = join(instructions, text), ""
        elif task.origin is None:
            instructions = join(NO_POLL, NO_HOME_ACCESS, instructions)
        async with drill_lock(entry).question():
            if entry.state is not ConfigEntryState.LOADED:
                raise NotConnectedError("the entry is not loaded")
            client = entry.runtime_data.client
            await async_set_session(entry, self._subentry, self.session)
            if task.origin and (home := get_home(entry)):
                stack.enter_context(home.origins.run(self.session.key, task.origin))
            return await client.start_run(
                RunRequest(
                    text,
                    self.session.key,
                    extra_system_prompt=instructions,
                    thinking=settings.get(CONF_THINKING),
                    idle_timeout=settings.get(CONF_IDLE_TIMEOUT, DEFAULT_IDLE_TIMEOUT),
                    timeout=settings.get(CONF_DEADLINE, DEFAULT_DEADLINE),
                    attachments=self._attachments,
                    model_run=self.model_run,
                    delivery=task.delivery,
                )
            )


async def _async_prepare(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    task: Task,
    stack: AsyncExitStack,
) -> _Turns:
    """Check the agent and the files; return the turns."""
    hello = await async_require_hello(entry)
    agent = subentry.data[CONF_AGENT]
    await async_require_agent(entry.runtime_data.coordinator, subentry)
    if any(file.is_image for file in task.files):
        await async_require_image_input(entry, subentry)
    attachments = await async_encode(hass, task.files, hello)
    # Of up to 100 MB, which a task would keep for hours.
    task.files = ()
    model_run = (
        hello.protocol > MIN_PROTOCOL
        and not task.with_tools
        and all(file.is_image for file in attachments)
    )
    if task.model_only and not model_run:
        raise translated_error("needs_model_alone")
    if model_run:
        # No session is made, unless for the choice of a model.
        digest = sha256(subentry.subentry_id.encode()).hexdigest()[:32]
        key = f"agent:{agent.lower()}:{TASK_SESSION_PREFIX}{digest}"
        session = ChosenSession(key, key, named=False, rights=Rights.GATEWAY)
    elif task.session is not None:
        timeout = subentry.data.get(CONF_IDLE_TIMEOUT, DEFAULT_IDLE_TIMEOUT)
        session = await stack.enter_async_context(
            async_take_named_turn(entry, subentry, task.session, timeout)
        )
        async_save_later(hass, entry)
    else:
        key = await stack.enter_async_context(throwaway_session(hass, entry, agent))
        rights = await async_rights_of_user(hass, subentry, task.user_id)
        session = ChosenSession(key, key, named=False, rights=rights)
    return _Turns(entry, subentry, task, session, attachments, model_run=model_run)


async def _async_reset_model(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, turns: _Turns
) -> None:
    """Give a session that stays its own model back."""
    if entry.state is ConfigEntryState.LOADED:
        key, patch = turns.session.key, entry.runtime_data.client.sessions.patch
        get_sessions(entry).forget_model(key)
        with suppress(GatewayError):
            await patch(key, model=subentry.data.get(CONF_MODEL))


async def _async_answer(hass: HomeAssistant, turns: _Turns, task: Task) -> Answer:
    if task.structure is None:
        result = await turns.ask(task.text)
        return Answer(await _async_read(hass, result.text), None, (result,))
    structure = Structure(task.structure)
    question = join(task.text, structure.request)
    results: list[RunResult] = []
    while True:
        results.append(await turns.ask(question))
        text = await _async_read(hass, results[-1].text)
        try:
            data = await _async_read_data(hass, structure, text)
            return Answer(text, data, tuple(results))
        except StructureError as err:
            if len(results) > REPAIR_TURNS:
                raise _structure_error(err) from None
            repair = structure.repair_request(text, err)
            # A model alone does not remember the task.
            question = join(task.text, repair) if turns.model_run else repair


async def _async_read(hass: HomeAssistant, text: str) -> str:
    """Return a reply without thoughts and directives.

    Raises:
        HomeAssistantError: it is empty, too long, or ended within a thought.

    """
    if len(text) > MAX_REPLY:
        raise translated_error("answer_too_long", size=str(len(text)))
    if len(text) <= MAX_READ_AT_ONCE:
        return read_reply(text)
    return await hass.async_add_executor_job(read_reply, text)


async def _async_read_data(
    hass: HomeAssistant, structure: Structure, text: str
) -> JsonValueType:
    """Return the data in a text.

    Raises:
        StructureError: there is none, or it differs from the structure.

    """
    if len(text) <= MAX_READ_AT_ONCE:
        return structure.read(text)
    # Selectors of templates need Home Assistant, which this tells them in the executor.
    data: JsonValueType = await cv.async_validate(
        hass, cv.not_async_friendly(structure.read), text
    )
    return data


def _structure_error(err: StructureError) -> Exception:
    if not err.is_json:
        return translated_error("answer_no_json")
    return translated_error("answer_not_valid", field=err.path or "-")
