"""Turns of a task: its session, its files and its runs."""

import asyncio
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryState

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
    GatewayConnectionError,
    GatewayError,
    NotConnectedError,
    RunRequest,
    RunTimeoutError,
    Usage,
)
from ..home.service import get_home
from ..util.drill_lock import drill_lock
from .attachments import async_encode
from .errors import translated_error
from .image_input import async_require_image_input
from .prompt import NO_HOME_ACCESS, NO_POLL, join
from .requirements import (
    async_require_agent,
    async_require_hello,
    async_require_thinking_level,
)
from .rights import Rights, async_rights_of_user
from .run_origins import get_origins
from .session_settings import async_set_session
from .session_turns import async_take_named_turn
from .sessions import ChosenSession, async_save_later
from .stop import async_abort, unstopped
from .throwaway import throwaway_session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant
    import voluptuous as vol

    from ..coordinator import ClawdConfigEntry
    from ..gateway import AgentRun, Attachment, Delivery, RunResult
    from ..home.origin import CallOrigin
    from .attachments import File


@dataclass(slots=True, kw_only=True)
class Task:
    """Question without a conversation.

    Attributes:
        files: to attach; none any more once they are encoded.
        instructions: additional system prompt.
        origin: of the calls to the home; without one, the agent is told of no access.
        user_id: of the user with the rights of the task; None for an automation.
        structure: of the requested data; None for a text.
        with_tools: the agent answers, with its tools and memory.
        model_only: use the model without an agent, and without fallback.
        session: name of a lasting session; None for a temporary one.
        delivery: additional channel for an agent's answer.
        with_media: the pictures and files of the answer are fetched.
        settings: in place of those of the subentry.
        unstopped: keys of the texts on what may go on after it was cancelled.

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
    with_media: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    unstopped: list[str] = field(default_factory=list)


class Turns:
    """Turns of a task: questions in the same session, with the same files.

    Attributes:
        model_run: the model alone is asked, which has no memory.
        delivers: the Gateway delivers each reply itself.

    """

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
        self._throwaway = task.session is None and not model_run
        # Not a reply that is asked for once more; and `chat.send` does not deliver.
        by_agent = all(file.is_image for file in attachments)
        self.delivers = by_agent and task.structure is None

    async def ask(self, text: str) -> RunResult:
        """Ask and return the result."""
        with ExitStack() as stack:
            run = await self._start(text, stack)
            runtime, origins = get_runtime(self._entry), get_origins(self._entry)
            stack.enter_context(origins.keep(run, self._subentry, None))
            try:
                result = await run.result()
            except asyncio.CancelledError:
                # Nobody would be told of what its sub-agents find.
                report = await async_abort(runtime, run, alone=self._throwaway)
                self._task.unstopped += unstopped(report)
                raise
            except RunTimeoutError:
                raise
            except GatewayConnectionError as err:
                raise translated_error("run_lost") from err
        if result.usage == Usage() and not self.model_run:
            # The end of a run with files has no usage: read the session's history.
            with suppress(GatewayError):
                fetch = get_runtime(self._entry).client.fetch_usage
                usage = await fetch(run.session_key, run.run_id, run.gateway_id)
                return result.with_usage(usage)
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
                    delivery=task.delivery if self.delivers else None,
                )
            )


async def async_prepare(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    task: Task,
    stack: AsyncExitStack,
) -> Turns:
    """Return the turns of a validated task."""
    hello = await async_require_hello(entry)
    agent, coordinator = subentry.data[CONF_AGENT], entry.runtime_data.coordinator
    await async_require_agent(coordinator, subentry)
    if not all(file.is_image for file in task.files):
        # The reply of `chat.send` would tell the levels in place of an answer.
        await async_require_thinking_level(coordinator, subentry)
    if any(file.is_image for file in task.files):
        await async_require_image_input(entry, subentry)
    attachments = await async_encode(hass, task.files, hello)
    # Drop the files, up to 100 MB: the task would keep them for hours.
    task.files = ()
    model_run = (
        hello.can_run_model_alone
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
    return Turns(entry, subentry, task, session, attachments, model_run=model_run)
