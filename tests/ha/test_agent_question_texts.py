"""Texts by which questions of agents are asked aloud."""

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.question_texts import async_describe_question
from custom_components.clawd.gateway import QuestionChoice, QuestionItem


@pytest.mark.parametrize(
    ("labels", "asked"),
    [
        (["**Kitchen**", "`Bath`"], "Which? You can say: Kitchen or Bath."),
        (["", "\u200b", "Bath"], "Which? You can say: Bath."),
        (["", "👍"], "Which?"),
        ([], "Which?"),
    ],
)
async def test_choices_are_words(
    hass: HomeAssistant, entry: MockConfigEntry, labels: list[str], asked: str
) -> None:
    assert entry
    choices = tuple(map(QuestionChoice, labels))
    item = QuestionItem("room", "Room", "Which?", choices)

    assert await async_describe_question(hass, item, "en", spoken=True) == asked
