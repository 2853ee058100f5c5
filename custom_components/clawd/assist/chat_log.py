"""Reply of a run as deltas of Home Assistant's chat log."""

from typing import TYPE_CHECKING, Final

from homeassistant.const import MAJOR_VERSION, MINOR_VERSION
from homeassistant.helpers import llm

from ..gateway import AgentRun, Part, ToolCall, ToolResult
from .speech import SpeechText

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from homeassistant.components.conversation import (
        AssistantContentDeltaDict,
        ToolResultContentDeltaDict,
    )
    from homeassistant.util.json import JsonObjectType

    type Delta = AssistantContentDeltaDict | ToolResultContentDeltaDict

# Earlier versions take the bare data of a tool result.
TYPED_RESULTS: Final = (MAJOR_VERSION, MINOR_VERSION) >= (2026, 10)


async def deltas(run: AgentRun, speech: SpeechText | None) -> AsyncGenerator[Delta]:
    """Yield the reply of a run, cleaned by `speech`."""
    yield {"role": "assistant"}
    after_result = False
    async for part in run.parts():
        # A chat log starts a new message after a tool result, or it raises.
        if after_result and not isinstance(part, ToolResult):
            yield {"role": "assistant"}
        after_result = isinstance(part, ToolResult)
        for delta in _deltas_of(part, speech):
            yield delta
    for delta in _content(speech.finish() if speech else ""):
        yield delta


def _deltas_of(part: Part, speech: SpeechText | None) -> Iterator[Delta]:
    match part:
        case ToolCall():
            yield from _content(speech.finish() if speech else "")
            tool = llm.ToolInput(part.name, part.args, id=part.id, external=True)
            yield {"tool_calls": [tool]}
        case ToolResult():
            yield _tool_result(part)
        case _:
            yield from _content(speech.feed(part) if speech else part)


def _content(text: str) -> Iterator[Delta]:
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
