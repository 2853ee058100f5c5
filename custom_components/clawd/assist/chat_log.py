"""Deltas for Home Assistant's chat log."""

from typing import TYPE_CHECKING, Final, cast

from homeassistant.const import MAJOR_VERSION, MINOR_VERSION
from homeassistant.helpers import llm

from ..gateway import ToolCall, ToolResult
from ..sentences import async_get_text
from .errors import translated_error
from .reply import ReplyFilter, has_words

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    from homeassistant.components.conversation import (
        AssistantContentDeltaDict,
        ToolResultContentDeltaDict,
    )
    from homeassistant.core import HomeAssistant
    from homeassistant.util.json import JsonObjectType

    from ..gateway import AgentRun, Part

    type Delta = AssistantContentDeltaDict | ToolResultContentDeltaDict
    type ShowMedia = Callable[[tuple[str, ...]], Awaitable[str]]

# Earlier versions take the bare data of a tool result.
TYPED_RESULTS: Final = (MAJOR_VERSION, MINOR_VERSION) >= (2026, 10)


class ReplyStream:
    """Filtered reply of a run, with tools.

    Attributes:
        waiting_since: time of the event loop's clock since when a player that has begun
            to speak has had no words of the agent.
        media: its pictures and files as Markdown, once a chat has them.

    """

    def __init__(self, run: AgentRun) -> None:
        """Read a run."""
        self.media = ""
        self._run = run
        self.waiting_since: float | None = None
        self._reply = ReplyFilter()
        self._texts: list[str] = []
        self._newlines = ""
        self._message_started = self._after_result = False

    @property
    def text(self) -> str:
        """Return the whole reply with formatting."""
        return "".join(self._texts).strip()

    @property
    def shown(self) -> str:
        """Return the whole reply for the user."""
        return self.text

    @property
    def references(self) -> tuple[str, ...]:
        """Return the media references of the reply."""
        result = self._run.result_now
        return result.media if result else ()

    @property
    def silent(self) -> bool:
        """Return whether the reply was a silent token."""
        return self._reply.silent and not has_words(self.text) and not self.references

    async def deltas(self) -> AsyncGenerator[Delta]:
        """Yield the reply as deltas.

        Raises:
            GatewayError: the run failed.
            HomeAssistantError: the reply ended within a thought.

        """
        yield {"role": "assistant"}
        async for part in self._run.parts():
            for delta in self._deltas_of(part):
                yield delta
        for delta in self._add(self._finish_reply()):
            yield delta

    async def media_deltas(self, show: ShowMedia) -> AsyncGenerator[Delta]:
        """Yield the media of the ended run.

        They are below its text.
        """
        self.media = await show(self.references)
        if self.media:
            for delta in self._content(f"\n\n{self.media}"):
                yield delta

    def _deltas_of(self, part: Part) -> Iterator[Delta]:
        match part:
            case ToolCall():
                yield from self._add(self._reply.end_segment())
                yield from self._start_message()
                tool = llm.ToolInput(part.name, part.args, id=part.id, external=True)
                yield {"tool_calls": [tool]}
            case ToolResult():
                yield _tool_result(part)
                self._after_result = True
                self._newlines, self._message_started = "", False
            case _:
                yield from self._add(self._reply.feed(cast("str", part)))

    def _finish_reply(self) -> str:
        """Return the end of the reply.

        Raises:
            HomeAssistantError: the reply ended within a thought.

        """
        rest = self._reply.finish()
        if self._reply.thinking:
            raise translated_error("unfinished_reply")
        return rest

    def _add(self, text: str) -> Iterator[Delta]:
        """Yield text of the reply."""
        self._texts.append(text)
        yield from self._content(text)

    def _content(self, text: str) -> Iterator[Delta]:
        """Yield text without empty lines around it."""
        text = self._newlines + text
        content = text.rstrip("\n")
        self._newlines = text[len(content) :]
        if not self._message_started:
            content = content.lstrip("\n")
        if content:
            yield from self._start_message()
            self._message_started = True
            yield {"content": content}

    def _start_message(self) -> Iterator[Delta]:
        """Start a message after a tool result.

        A chat log requires it.
        """
        if self._after_result:
            self._after_result = False
            yield {"role": "assistant"}


async def async_get_words(
    hass: HomeAssistant, language: str, reply: ReplyStream
) -> str:
    """Return the reply, or a replacement.

    An empty or silent reply gets a sentence.

    Raises:
        HomeAssistantError: there is nothing to say.

    """
    if has_words(reply.shown):
        return reply.shown
    if reply.references:
        return await async_get_text(hass, language, "media_only")
    if reply.silent:
        # NO_REPLY, as to a poll; but a person has asked.
        return await async_get_text(hass, language, "nothing_to_add")
    raise translated_error("unspeakable_reply" if reply.text else "empty_reply")


def _tool_result(part: ToolResult) -> Delta:
    data: JsonObjectType = (
        part.result if isinstance(part.result, dict) else {"result": part.result}
    )
    if not TYPED_RESULTS:
        return {
            "role": "tool_result",
            "tool_call_id": part.id,
            "tool_name": part.name,
            "tool_result": data,
        }
    return {
        "role": "tool_result",
        "tool_call_id": part.id,
        "tool_name": part.name,
        "result": llm.ToolResult(data, error=part.is_error),
    }
