"""A reply as a chat log takes it."""

from typing import TYPE_CHECKING, Final

from homeassistant.const import MAJOR_VERSION, MINOR_VERSION
from homeassistant.helpers import llm

from .gateway import AgentRun, Part, ToolCall, ToolResult
from .speech import SpeechText

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from homeassistant.components.conversation import (
        AssistantContentDeltaDict,
        ToolResultContentDeltaDict,
    )
    from homeassistant.util.json import JsonObjectType

    type Delta = AssistantContentDeltaDict | ToolResultContentDeltaDict

# Before, a chat log takes the bare data.
TYPED_RESULTS: Final = (MAJOR_VERSION, MINOR_VERSION) >= (2026, 10)


async def deltas(run: AgentRun, speech: SpeechText | None) -> AsyncGenerator[Delta]:
    """Yield the reply of a run, cleaned by `speech` if it is spoken."""
    yield {"role": "assistant"}
    answered = False
    async for part in run.parts():
        if answered and not isinstance(part, ToolResult):
            yield {"role": "assistant"}
        answered = isinstance(part, ToolResult)
        for delta in _part(part, speech):
            yield delta
    for delta in _text(speech.finish() if speech else ""):
        yield delta


def _part(part: Part, speech: SpeechText | None) -> Iterator[Delta]:
    match part:
        case ToolCall():
            yield from _text(speech.finish() if speech else "")
            tool = llm.ToolInput(part.name, part.args, id=part.id, external=True)
            yield {"tool_calls": [tool]}
        case ToolResult():
            yield _tool_result(part)
        case _:
            yield from _text(speech.feed(part) if speech else part)


def _text(text: str) -> Iterator[Delta]:
    if text:
        yield {"content": text}


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
