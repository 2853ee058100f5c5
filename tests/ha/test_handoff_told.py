"""Tasks that are handed off, as the agent is told of them."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.ongoing import get_ongoing
from tests.simulator import GatewaySimulator, Pause, Reply

from .assist_client import Conversation
from .handoff_scenario import (
    AFTER,
    ANSWER,
    SENTENCE,
    WORDS,
    HandoffScenario,
    prompts,
    sessions,
)


@pytest.fixture
def agent_settings() -> dict[str, object]:
    """Let each conversation have a session."""
    return {"handoff_after": AFTER, "session_scope": "conversation"}


def sent(gateway: GatewaySimulator) -> list[tuple[str, bool]]:
    """Return the session of each question, and whether it tells of the task."""
    told = [WORDS in prompt for prompt in prompts(gateway)]
    return [*zip(sessions(gateway), told, strict=True)]


async def test_the_next_conversation_on_the_device_knows(
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await scenario.ask() == SENTENCE

    gateway.script(Reply("Looking for a painter."))
    await conversation.say("What are you doing?", device=satellite)
    gateway.script(Reply("Nothing."))
    await conversation.say("What are you doing?", device="bathroom")
    gateway.script(Reply("Nothing."))
    await conversation.say("What are you doing?")

    keys, told = zip(*sent(gateway), strict=True)
    assert told == (False, True, False, False)
    assert len({*keys}) == len(keys)
    gateway.proceed()
    await scenario.wait_ended()
    assert scenario.messages == [ANSWER]


@pytest.mark.parametrize(
    "agent_settings", [{"handoff_after": AFTER, "session_scope": "device"}]
)
async def test_a_conversation_begun_anew_knows(
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await scenario.ask() == SENTENCE
    await conversation.say("/new", device=satellite)

    gateway.script(Reply("Looking for a painter."))
    await conversation.say("What are you doing?", device=satellite)

    [(main, _), (new, told)] = sent(gateway)
    assert (new, told) == (f"{main}-1", True)
    gateway.proceed()
    await scenario.wait_ended()
    await conversation.say("And now?", device=satellite)
    assert sent(gateway)[-1] == (new, False)


@pytest.mark.parametrize(
    "agent_settings", [{"handoff_after": AFTER, "session_scope": "device"}]
)
async def test_a_session_that_is_free_again_knows_of_those_beside_it(
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
) -> None:
    gateway.script_once(Pause(), Reply("First."))
    assert await scenario.ask("One") == SENTENCE
    gateway.script_once(Pause(), Reply(ANSWER))
    assert await scenario.ask() == SENTENCE
    first, _ = get_ongoing(entry).handoffs.values()
    gateway.proceed()
    await first

    gateway.script_once(Reply("Looking for a painter."))
    await conversation.say("What are you doing?", device=satellite)

    (main, _), (side, _), last = sent(gateway)
    assert side == f"{main}-side1"
    assert last == (main, True)
    gateway.proceed()
    await scenario.wait_ended()
    assert scenario.messages == ["First.", ANSWER]
