"""Messages that are too long to be spoken."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.clawd.home.announcements import MAX_SPOKEN, async_shorten

REST = " The rest is in a notification."


@pytest.mark.parametrize(
    "message",
    [
        "Dear Dr. Miller, these are open: " + "the window of room A, " * 200,
        "Done! " + "word " * 900,
        "1. Kitchen\n" + "word " * 900,
        "\u62a5\u544a \u5982\u4e0b\u3002" + "\u5b57" * 3000,
    ],
    ids=["abbreviation", "exclamation", "number", "without spaces"],
)
async def test_a_period_at_the_start_does_not_cut_the_message(
    hass: HomeAssistant, message: str
) -> None:
    spoken = await async_shorten(hass, message, "en")

    assert spoken.endswith(REST)
    told = spoken.removesuffix(REST)
    assert message.startswith(told)
    assert MAX_SPOKEN - 10 < len(told) <= MAX_SPOKEN


@pytest.mark.parametrize("mark", ["\u061f", "\u0964", "\u06d4", "!", "\u3002"])
async def test_sentences_of_other_scripts_stay_whole(
    hass: HomeAssistant, mark: str
) -> None:
    sentence = f"آب گرم است{mark} "

    spoken = await async_shorten(hass, sentence * 200, "fa")

    told = spoken.removesuffix(REST)
    assert told.endswith(mark)
    assert len(told) > MAX_SPOKEN - len(sentence)
