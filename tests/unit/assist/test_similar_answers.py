"""Answers that are like a choice, and are another one."""

import pytest

from custom_components.clawd.assist.answers import find_answer, names_choice

from .test_answers import item


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (("10 minutes", "30 minutes"), "20 minutes"),
        (("10 minutes", "30 minutes"), "13 minutes"),
        (("21 degrees", "23 degrees"), "22 degrees"),
        (("At 7:00", "At 8:00"), "at 9:00"),
        (("Room 3", "Room 4", "Room 5"), "room 2"),
        (("Option A", "Option B"), "option C"),
        (("Turn on the light", "Leave it"), "turn off the light"),
        (("Lock it", "Leave it"), "unlock it"),
        (("Lock", "Leave it"), "unlock"),
        (("Active", "Paused"), "inactive"),
        (("Anschalten", "Später"), "ausschalten"),
        (("Abschließen", "Später"), "aufschließen"),
        (("Thursday", "Friday"), "Tuesday"),
        (("Lights on", "Lights off"), "lights"),
        (("Do lock the door", "Leave it"), "do not lock the door"),
        (("Turn on the light", "Leave it"), "turn off light"),
    ],
)
def test_the_opposite_is_no_choice(labels: tuple[str, ...], said: str) -> None:
    assert find_answer(item(*labels), said) == [said]
    assert find_answer(item(*labels, free=False), said) is None
    assert not names_choice(item(*labels), said)


@pytest.mark.parametrize(
    ("labels", "said", "label"),
    [
        (("2 hours", "4 hours", "8 hours"), "two", "2 hours"),
        (("2 hours", "4 hours", "8 hours"), "4", "4 hours"),
        (("2 hours", "4 hours", "8 hours"), "8, please", "8 hours"),
        (("2 hours", "4 hours", "8 hours"), "two hours", "2 hours"),
        (("2 hours", "4 hours", "8 hours"), "the second one", "4 hours"),
        (("2 hours", "4 hours", "8 hours"), "option 3", "8 hours"),
        (("1 Stunde", "3 Stunden"), "drei", "3 Stunden"),
        (("1 Stunde", "3 Stunden"), "eins", "1 Stunde"),
        (("Two", "Four", "Six"), "2", "Two"),
        (("2", "4", "6"), "two", "2"),
        (("7:00", "8:00"), "8", "8:00"),
        (("Room 3", "Room 4"), "3", "Room 3"),
        (("This one", "That one"), "two", "That one"),
        (
            ("Turn on the light", "Turn off the light"),
            "turn on the lights",
            "Turn on the light",
        ),
        (("Living room", "Kitchen"), "livin room", "Living room"),
        (("Living room", "Kitchen"), "livinroom", "Living room"),
        (("Einschalten", "Später"), "einschlaten", "Einschalten"),
    ],
)
def test_the_choice_with_this_number(
    labels: tuple[str, ...], said: str, label: str
) -> None:
    for free in (True, False):
        assert find_answer(item(*labels, free=free), said) == [label]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (("2 hours", "4 hours"), "three"),
        (("2 hours", "2 days"), "2"),
        (("1.5 km", "5 km"), "5"),
    ],
)
def test_a_number_of_no_single_choice(labels: tuple[str, ...], said: str) -> None:
    assert find_answer(item(*labels), said) == [said]
    assert find_answer(item(*labels, free=False), said) is None


def test_choices_without_words() -> None:
    assert find_answer(item("👍", "👎"), " 👎 ") == ["👎"]
    assert find_answer(item("👍", "👎", free=False), "…") is None
    assert find_answer(item("👍", "No", free=False), "") is None
    assert find_answer(item("👍", "👎", free=False, several=True), " ") is None


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("salt and pepper and cheese", ["Salt and pepper", "Cheese"]),
        ("both onions and cheese, please", ["Onions", "Cheese"]),
        ("the onions", ["Onions"]),
        ("onions but no cheese", None),
        ("everything", None),
    ],
)
def test_several_in_a_sentence(said: str, answer: list[str] | None) -> None:
    labels = ("Salt and pepper", "Onions", "Cheese")
    assert find_answer(item(*labels, free=False, several=True), said) == answer
    # The model understands more than these rules.
    assert find_answer(item(*labels, several=True), said) == [said]
