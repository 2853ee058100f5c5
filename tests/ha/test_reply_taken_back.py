"""Tool calls written as text."""

import pytest

from tests.simulator import GatewaySimulator, Replace, Reply

from .assist_client import Conversation, speech

WRITTEN = '<tool_call>{"name":"x"}</tool_call> It is on.'


@pytest.mark.parametrize("spoken", [True, False])
@pytest.mark.parametrize(
    ("protocol", "end"), [(3, ()), (4, ()), (4, (Replace("It is on."),))]
)
async def test_a_tool_call_is_neither_shown_nor_told_twice(
    gateway: GatewaySimulator,
    conversation: Conversation,
    satellite: str,
    end: tuple[Replace, ...],
    spoken: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    gateway.script(Reply(WRITTEN), *end)

    result = await conversation.say("Go", device=satellite if spoken else None)

    assert speech(result) == "It is on."
    assert "".join(conversation.deltas) == "It is on."
    assert getattr(conversation.content[-1], "content", None) == "It is on."
