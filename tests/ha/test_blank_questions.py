"""Questions without anything to be seen."""

import pytest

from tests.simulator import GatewaySimulator

from .assist_client import Conversation, speech


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \t\n",
        "\xa0\u3000",
        "\u200b",
        # Marks of the direction of writing, which keyboards add; and fillers.
        "\u200f",
        "\u202e \u202c",
        "\u2066\u2069",
        "\u3164",
        "\x00",
    ],
)
async def test_it_is_not_sent(
    conversation: Conversation, gateway: GatewaySimulator, text: str
) -> None:
    result = await conversation.say(text)

    assert speech(result) == "There was no question"
    assert not gateway.received("agent")


@pytest.mark.parametrize("text", ["?", "👍", "\u200fא", "\ue000"])
async def test_anything_else_is_sent(
    conversation: Conversation, gateway: GatewaySimulator, text: str
) -> None:
    await conversation.say(text)

    [request] = gateway.received("agent")
    assert request.params["message"] == text
