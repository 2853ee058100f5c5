"""Answers during the delivery of another."""

import asyncio
from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.gateway.commands.questions import QuestionCommands
from tests.simulator import AskUser, GatewaySimulator, Reply

from .asking import ROOM, entry, questions_of
from .assist_client import Conversation, speech

__all__ = ["entry"]
CLOSED = "That question does not need an answer anymore."


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return settings with a short hand-off."""
    return {"handoff_after": 30}


class SlowLine:
    """Line on which answers wait until it is opened."""

    def __init__(self) -> None:
        """Initialize a line that is closed."""
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    def slow[**P](self, method: Callable[P, Any]) -> Callable[P, Any]:
        """Return a method that waits for the line."""

        async def send(*args: P.args, **kwargs: P.kwargs) -> object:
            self.reached.set()
            await self.opened.wait()
            return await method(*args, **kwargs)

        return send


@pytest.fixture
def slow_line(monkeypatch: pytest.MonkeyPatch) -> SlowLine:
    """Let the answers to questions be on their way for as long as a test likes."""
    slow_line = SlowLine()
    for name in ("resolve", "cancel"):
        method = slow_line.slow(getattr(QuestionCommands, name))
        monkeypatch.setattr(QuestionCommands, name, method)
    return slow_line


async def answer(hass: HomeAssistant, question_id: str, **data: str) -> None:
    """Call the action."""
    data["question_id"] = question_id
    await hass.services.async_call(DOMAIN, "answer", data, blocking=True)


@pytest.mark.parametrize(
    ("said", "outcome"), [("Kitchen", "answered"), ("never mind", "cancelled")]
)
async def test_a_second_answer_finds_the_question_closed(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    slow_line: SlowLine,
    said: str,
    outcome: str,
) -> None:
    gateway.script(AskUser([ROOM]), Reply("It is on."))
    await conversation.say("Turn it on", device=satellite)
    [question_id] = questions_of(entry).open
    first = asyncio.create_task(conversation.say(said, device=satellite))
    await slow_line.reached.wait()

    for again in ("Bath", "never mind", "the cellar"):
        second = await conversation.say(again, device=satellite)
        assert speech(second) == CLOSED
    for data in ({"answer": "Bath"}, {}):
        with pytest.raises(ServiceValidationError) as raised:
            await answer(hass, question_id, **data)
        assert raised.value.translation_key == "question_not_open"

    slow_line.opened.set()
    assert speech(await first) == "It is on."
    assert len(gateway.received("question.resolve")) == 1
    assert questions_of(entry).outcomes == {outcome: 1}


async def test_a_question_that_is_answered_is_described_all_the_same(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    slow_line: SlowLine,
) -> None:
    gateway.script(AskUser([ROOM]), Reply("It is on."))
    await conversation.say("Turn it on", device=satellite)
    [one] = questions_of(entry).open.values()
    task = asyncio.create_task(answer(hass, one.request.id, answer="Bath"))
    await slow_line.reached.wait()
    assert one.item.text == "Which room?"
    slow_line.opened.set()
    await task
