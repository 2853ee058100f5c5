"""Answers for AI tasks and actions."""

from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_MODEL
from homeassistant.helpers import config_validation as cv

from ..const import (
    CONF_AGENT,
    CONF_DEADLINE,
    CONF_IDLE_TIMEOUT,
    DEFAULT_DEADLINE,
    DEFAULT_IDLE_TIMEOUT,
    LOGGER,
)
from ..coordinator import get_runtime
from ..gateway import GatewayError, Message, Timing, Usage
from .errors import translated_error
from .json_reply import is_json
from .media import IMAGE_TIMEOUT, MEDIA_TIMEOUT, Asker, reply_media
from .prompt import join
from .question import is_blank
from .reply import ReplyFilter
from .requirements import async_ask_error
from .sessions import get_sessions
from .structure import MAX_REPLY, Structure, StructureError
from .turns import Task, Turns, async_prepare

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant
    from homeassistant.util.json import JsonValueType

    from ..coordinator import ClawdConfigEntry, ClawdCoordinator
    from ..gateway import Delivery, RunResult
    from .media import ReplyMedia
    from .media_markdown import MediaItem

REPAIR_TURNS: Final = 1
# The Gateway's words for what became of a delivery.
DELIVERED: Final = "sent"
DELIVERY_FAILED: Final = "failed"
# Characters of a reply to filter in the event loop: 1 MB of `<` takes 15 s.
MAX_READ_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Answer:
    """Text of an answer, its data if requested, and its usage.

    Attributes:
        media: pictures and files, if they were asked for.
        delivery: outcome of its delivery to a channel: `sent`, `failed` or
            `suppressed`.

    """

    text: str = field(repr=False)
    data: JsonValueType = field(repr=False)
    results: tuple[RunResult, ...]
    media: tuple[MediaItem, ...] = ()
    delivery: str | None = None

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
    pictures = any(file.is_image for file in task.files)
    try:
        async with AsyncExitStack() as stack:
            turns = await async_prepare(hass, entry, chosen, task, stack)
            if CONF_MODEL in task.settings and task.session is not None:
                stack.push_async_callback(_async_reset_model, entry, subentry, turns)
            media = None
            if task.with_media:
                media = stack.enter_context(_answer_media(hass, entry, turns, task))
            answer = await _async_answer(hass, turns, task)
            if task.delivery and not turns.delivers:
                delivery = await _async_deliver(
                    entry, subentry.data[CONF_AGENT], task.delivery, answer.text
                )
                answer = replace(answer, delivery=delivery)
            if media:
                found = await media.collect(answer.last.media)
                answer = replace(answer, media=tuple(found))
            return answer
    except GatewayError as err:
        delivers = task.delivery is not None
        raise await async_ask_error(
            coordinator, chosen, err, delivers=delivers, pictures=pictures
        ) from err


def max_duration(subentry: ConfigSubentry, task: Task) -> float:
    """Return the longest duration of a task.

    These are the seconds of its turns, of the wait for them, and of what follows.
    """
    settings = {**subentry.data, **task.settings}
    turns = 1 if task.structure is None else 1 + REPAIR_TURNS
    wait: float = settings.get(CONF_IDLE_TIMEOUT, DEFAULT_IDLE_TIMEOUT)
    timeout: float = settings.get(CONF_DEADLINE, DEFAULT_DEADLINE)
    media = MEDIA_TIMEOUT + IMAGE_TIMEOUT if task.with_media else 0.0
    delivery = Timing().request_timeout if task.delivery else 0.0
    return wait + turns * timeout + delivery + media


def read_any_reply(text: str) -> str:
    """Return a reply without thoughts and directives; it may be empty.

    Raises:
        HomeAssistantError: it ended within a thought.

    """
    reply = ReplyFilter()
    shown = (reply.feed(text) + reply.finish()).strip()
    if reply.thinking:
        raise translated_error("unfinished_reply")
    if shown or reply.silent or is_blank(reply.without_words):
        return shown
    # {} and 👍 are answers.
    return reply.without_words.strip()


def read_reply(text: str) -> str:
    """Return a non-empty reply without thoughts and directives.

    Raises:
        HomeAssistantError: it is empty, or ended within a thought.

    """
    if shown := read_any_reply(text):
        return shown
    raise translated_error("empty_reply")


def read_json_reply(text: str) -> str:
    """Return a reply as above; JSON as it is, whatever tags its strings hold.

    Raises:
        HomeAssistantError: it is empty, or ended within a thought.

    """
    return text.strip() if is_json(text) else read_reply(text)


async def _async_reset_model(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, turns: Turns
) -> None:
    """Restore a lasting session's own model."""
    if entry.state is ConfigEntryState.LOADED:
        key, patch = turns.session.key, entry.runtime_data.client.sessions.patch
        get_sessions(entry).forget_model(key)
        with suppress(GatewayError):
            await patch(key, model=subentry.data.get(CONF_MODEL))


def _answer_media(
    hass: HomeAssistant, entry: ClawdConfigEntry, turns: Turns, task: Task
) -> AbstractContextManager[ReplyMedia]:
    """Return the media of the answer that comes within the context.

    Raises:
        NotConnectedError: the entry was unloaded meanwhile.

    """
    get_runtime(entry)
    asker = Asker(task.user_id, hass.config.language)
    return reply_media(hass, entry, turns.session.key, asker)


async def _async_deliver(
    entry: ClawdConfigEntry, agent: str, delivery: Delivery, text: str
) -> str:
    """Send an answer to a channel; return the outcome."""
    message = Message(delivery.target, text, delivery.channel)
    try:
        client = get_runtime(entry).client
        if client.hello and client.hello.can_name_agent:
            message = replace(message, agent=agent)
        await client.messages.send(message)
    except GatewayError as err:
        LOGGER.debug("Answer not delivered: %s", err.code)
        # The traceback would keep a lost connection alive.
        err.with_traceback(None)
        return DELIVERY_FAILED
    return DELIVERED


async def _async_answer(hass: HomeAssistant, turns: Turns, task: Task) -> Answer:
    if task.structure is None:
        result = await turns.ask(task.text)
        # It may consist of nothing but pictures.
        read = read_any_reply if task.with_media and result.media else read_reply
        text = await _async_read(hass, result.text, read)
        return Answer(text, None, (result,), delivery=result.delivery)
    structure = Structure(task.structure)
    question = join(task.text, structure.request)
    results: list[RunResult] = []
    while True:
        results.append(await turns.ask(question))
        text = await _async_read(hass, results[-1].text, read_json_reply)
        try:
            data = await _async_read_data(hass, structure, text)
            return Answer(text, data, tuple(results))
        except StructureError as err:
            if len(results) > REPAIR_TURNS:
                raise _structure_error(err) from None
            repair = structure.repair_request(text, err)
            # A model alone does not remember the task.
            question = join(task.text, repair) if turns.model_run else repair


async def _async_read(
    hass: HomeAssistant, text: str, read: Callable[[str], str]
) -> str:
    """Return a reply without thoughts and directives.

    Raises:
        HomeAssistantError: it is empty, too long, or ended within a thought.

    """
    if len(text) > MAX_REPLY:
        raise translated_error("answer_too_long", size=str(len(text)))
    if len(text) <= MAX_READ_AT_ONCE:
        return read(text)
    return await hass.async_add_executor_job(read, text)


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
