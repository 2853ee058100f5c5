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


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("text", ["", " \n", "?", "```\ncode\n```"])
async def test_the_header_asks_where_the_question_has_no_words(
    hass: HomeAssistant, text: str
) -> None:
    item = QuestionItem("room", "Room", text, (QuestionChoice("Bath"),))

    spoken = await async_describe_question(hass, item, "en", spoken=True)

    assert spoken == "Room? You can say: Bath."


async def asked(hass: HomeAssistant, *labels: str, **how: bool) -> str:
    """Return a question with choices."""
    item = QuestionItem("room", "Room", "Which?", tuple(map(QuestionChoice, labels)))
    return await async_describe_question(hass, item, "en", **{"spoken": True, **how})


@pytest.mark.usefixtures("entry")
async def test_choices_are_spoken_within_half_a_minute(hass: HomeAssistant) -> None:
    labels = [f"Choice {number} of {'many words ' * 200}" for number in range(20)]

    said = await asked(hass, *labels, shortened=True)

    assert said.startswith("Which? You can say: Choice 0 of many words")
    assert "Choice 4" in said
    assert "Choice 5" not in said
    assert said.endswith("…. The rest is in a notification.")
    assert len(said) < 500
    whole = await asked(hass, *labels)
    assert all(label.strip() in whole for label in labels)
    chat = await asked(hass, *labels, spoken=False, shortened=True)
    assert all(f"\n- **{label}**" in chat for label in labels)


@pytest.mark.usefixtures("entry")
async def test_many_short_choices_are_spoken_in_part(hass: HomeAssistant) -> None:
    said = await asked(hass, *(f"Choice {n:02}" for n in range(60)), shortened=True)

    assert said.endswith("Choice 42, Choice 43. The rest is in a notification.")


@pytest.mark.usefixtures("entry")
async def test_few_choices_are_spoken_as_a_whole(hass: HomeAssistant) -> None:
    labels = [f"Choice {number} {'x' * 69}" for number in range(5)]

    said = await asked(hass, *labels, shortened=True)

    assert said == await asked(hass, *labels)
    assert said.endswith(f" or {labels[-1]}.")
