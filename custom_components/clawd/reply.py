"""A reply as a chat log takes it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from homeassistant.components.conversation import AssistantContentDeltaDict

    from .gateway import AgentRun
    from .speech import SpeechText


async def deltas(
    run: AgentRun, speech: SpeechText | None
) -> AsyncGenerator[AssistantContentDeltaDict]:
    """Yield the reply of a run, cleaned by `speech` if it is spoken."""
    yield {"role": "assistant"}
    async for text in run:
        yield {"content": speech.feed(text) if speech else text}
    if speech:
        yield {"content": speech.finish()}
