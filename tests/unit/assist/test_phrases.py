"""Phrases as people say them."""

import pytest

from custom_components.clawd.assist.answers import find_answer, is_refusal, names_choice
from custom_components.clawd.assist.stop import is_stop

from .test_answers import item

ROOMS = ("Kitchen", "Living room", "Bath")


def answer(text: str, *labels: str, several: bool = False) -> list[str] | None:
    """Return the answer to a question that takes nothing but its choices."""
    return find_answer(item(*labels, free=False, several=several), text)


@pytest.mark.parametrize(
    "text",
    [
        *("Hör bitte auf!", "Stopp das bitte", "Brich das bitte ab.", "Hör auf damit"),
        *("Stop, stop!", "OK, stop.", "Nein, halt!", "No, no, cancel that"),
        *("Stop, thanks", "Laat maar, dank je wel", "Arrête, merci"),
    ],
)
def test_courtesy_changes_no_stop(text: str) -> None:
    assert is_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        *("Thank you", "No", "OK, please", "Nein danke", "Oh"),
        *("Don't stop", "Stop bitte nicht", "Please stop the music", "Stopuhr"),
    ],
)
def test_other_words_do_not_stop(text: str) -> None:
    assert not is_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        *("Never mind, please", "Please, never mind.", "Vergiss es bitte"),
        *(
            "Olvídalo, gracias",
            "Laisse tomber, s\u2019il te plaît",
            "Laat maar, dank u",
        ),
    ],
)
def test_courtesy_changes_no_refusal(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize("text", ["No, stop it", "OK, cancel it", "Nein, halt"])
def test_after_a_question_it_may_be_an_answer(text: str) -> None:
    assert is_stop(text)
    assert not is_stop(text, asked=True)
    assert not is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        *("I don't want the kitchen", "I dont want the kitchen"),
        *("anything but the bath", "All except the bath", "everything without Bath"),
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_what_is_left_out_is_not_chosen(text: str, several: bool) -> None:  # noqa: FBT001
    assert answer(text, *ROOMS, several=several) is None


@pytest.mark.parametrize(
    ("text", "labels", "chosen"),
    [
        ("Außer der Küche", ("Küche", "Bad"), None),
        ("nur die Küche", ("Küche", "Bad"), "Küche"),
        ("No, don't", ("Yes", "No"), "No"),
        ("Nein, lieber nicht", ("Ja", "Nein"), "Nein"),
        ("I don't know", ("Yes", "No"), None),
        ("the bath, but not now", ROOMS, None),
        ("the bath, but warm", ROOMS, "Bath"),
        ("Not now, thanks", ("Now", "Not now"), "Not now"),
        ("now, please", ("Now", "Not now"), "Now"),
        ("the kitchen table, I think", ("Kitchen", "Kitchen table"), "Kitchen table"),
    ],
)
def test_a_choice_within_a_sentence(
    text: str, labels: tuple[str, ...], chosen: str | None
) -> None:
    assert answer(text, *labels) == (None if chosen is None else [chosen])


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("Cancel, please", "Cancel"),
        ("Please stop", "Stop"),
        ("no, thanks", "No thanks"),
        ("the first one, please", "Stop"),
        ("please", None),
        ("thanks", None),
    ],
)
def test_courtesy_changes_no_choice(text: str, chosen: str | None) -> None:
    asked = item("Stop", "Cancel", "No thanks")
    assert names_choice(asked, text) == (chosen is not None)
    assert find_answer(asked, text) == [chosen or text]


PLACES = (
    "Kitchen (Recommended)",
    "Bath (upstairs)",
    "Bath (downstairs)",
    "\u53a8\u623f",
)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("kitchen", "Kitchen (Recommended)"),
        ("kitchin", "Kitchen (Recommended)"),
        ("the kitchen, please", "Kitchen (Recommended)"),
        ("kitchen recommended", "Kitchen (Recommended)"),
        ("the second one", "Bath (upstairs)"),
        ("bath downstairs", "Bath (downstairs)"),
        ("bath", None),
        ("the bath, please", None),
    ],
)
def test_what_is_in_parentheses_need_not_be_said(text: str, chosen: str | None) -> None:
    assert answer(text, *PLACES) == (None if chosen is None else [chosen])
