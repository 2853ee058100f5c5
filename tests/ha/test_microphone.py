"""The microphone after a spoken reply."""

import pytest

from tests.simulator import Fail, GatewaySimulator, Reply, Tool

from .assist_client import Conversation

pytestmark = pytest.mark.parametrize("protocol", [3, 4])

LONG = "It is warm in the kitchen and cold in the bath. " * 6


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize(
    ("reply", "opens"),
    [
        ("Soll ich? (ja/nein)", True),
        ("Which one?\n1. Left\n2. Right", True),
        (f"{LONG}Shall I?", True),
        (f"{LONG}Shall I? No.", False),
        ("Set it to x;", False),
        ("She asked: “Why?”", False),
        ("See https://e.example/search?", False),
    ],
)
async def test_it_opens_after_a_question_however_it_comes(  # noqa: PLR0913 - the row of the table
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
    reply: str,
    *,
    opens: bool,
    streamed: bool,
) -> None:
    gateway.script(Reply(reply) if streamed else Reply(chunks=(reply,)))

    result = await conversation.say("Hello", device=satellite)

    assert result.continue_conversation is opens


@pytest.mark.parametrize(
    "agent_settings", [{"spoken_part": "answer"}, {"spoken_part": "everything"}]
)
@pytest.mark.parametrize(
    ("first", "last", "opens"),
    [("Shall I look?", "It is open.", False), ("Let me look.", "Shall I?", True)],
)
async def test_only_the_last_sentence_opens_it(  # noqa: PLR0913 - the row of the table
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
    first: str,
    last: str,
    *,
    opens: bool,
) -> None:
    gateway.script(Reply(first), Tool("look"), Reply(last))

    result = await conversation.say("Hello", device=satellite)

    assert result.continue_conversation is opens


async def test_an_error_does_not_open_it(
    conversation: Conversation, gateway: GatewaySimulator, satellite: str
) -> None:
    gateway.script(Fail("Why?"))

    result = await conversation.say("Hello", device=satellite)

    assert result.response.response_type.value == "error"
    assert not result.continue_conversation
