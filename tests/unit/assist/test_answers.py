"""Matching of utterances to answers."""

from hypothesis import given, strategies as st
import pytest

from custom_components.clawd.assist.answers import find_answer, is_refusal, names_choice
from custom_components.clawd.gateway import QuestionChoice, QuestionItem

ROOMS = ("Living room", "Kitchen", "Guest bath")


def item(
    *labels: str, free: bool = True, several: bool = False, text: str = "Which?"
) -> QuestionItem:
    """Return a question with choices."""
    choices = tuple(map(QuestionChoice, labels))
    return QuestionItem("q", "", text, choices, several, free)


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("Kitchen", "Kitchen"),
        ("kitchen.", "Kitchen"),
        ("  KITCHEN! ", "Kitchen"),
        ("kitchin", "Kitchen"),
        ("livingroom", "Living room"),
        ("living-room", "Living room"),
        ("the second one", "Kitchen"),
        ("number 3, please", "Guest bath"),
        ("3.", "Guest bath"),
        ("two", "Kitchen"),
        ("das zweite bitte", "Kitchen"),
        ("la primera", "Living room"),
        ("le troisième", "Guest bath"),
        ("optie twee", "Kitchen"),
        ("le troisie\u0300me", "Guest bath"),
    ],
)
def test_a_choice(said: str, label: str) -> None:
    for free in (True, False):
        assert find_answer(item(*ROOMS, free=free), said) == [label]
        assert names_choice(item(*ROOMS, free=free), said)


@pytest.mark.parametrize(
    "said",
    [
        *("not the kitchen", "the chicken", "the fourth", "the first and the second"),
        *("two lamps", "in the kitchen, but only at night"),
    ],
)
def test_words_of_ones_own(said: str) -> None:
    assert find_answer(item(*ROOMS), said) == [said]
    assert not names_choice(item(*ROOMS), said)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("in the kitchen, but only at night", ["Kitchen"]),
        ("not the kitchen", None),
        ("kitchen or guest bath", None),
        ("the cellar", None),
        ("", None),
    ],
)
def test_without_words_of_ones_own(said: str, answer: list[str] | None) -> None:
    assert find_answer(item(*ROOMS, free=False), said) == answer


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("no thanks", ["No"]),
        ("No, not now", ["No"]),
        ("yes please", ["Yes"]),
        ("not yes", None),
        ("no, yes", None),
    ],
)
def test_a_choice_that_is_a_negation(said: str, answer: list[str] | None) -> None:
    assert find_answer(item("Yes", "No", free=False), said) == answer


def test_without_choices_any_text_is_an_answer() -> None:
    assert find_answer(item(free=False), " at eight ") == ["at eight"]
    assert find_answer(item(free=False), "  ") is None


def test_choices_that_are_numbers() -> None:
    assert find_answer(item("2", "1"), "2") == ["2"]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("kitchen and living room", ["Kitchen", "Living room"]),
        ("Kitchen, Kitchen", ["Kitchen"]),
        ("the first, 3", ["Living room", "Guest bath"]),
        ("kitchen and cellar", ["kitchen and cellar"]),
        (" , ", [","]),
    ],
)
def test_several(said: str, answer: list[str]) -> None:
    assert find_answer(item(*ROOMS, several=True), said) == answer


@pytest.mark.parametrize(
    "said",
    [
        *("Never mind!", "cancel", "Vergiss es.", "cancélalo", "Laisse tomber"),
        *("laat maar", "u\u0308berspringen"),
    ],
)
def test_a_refusal(said: str) -> None:
    assert is_refusal(said)


@pytest.mark.parametrize("said", ["cancel the party", "kitchen", "", "egal"])
def test_no_refusal(said: str) -> None:
    assert not is_refusal(said)


@given(st.text(max_size=40), st.booleans(), st.booleans())
def test_any_text(said: str, free: bool, several: bool) -> None:  # noqa: FBT001
    question = item(*ROOMS, free=free, several=several)
    answer = find_answer(question, said)
    assert answer is None or all(answer)
    if not free and answer:
        assert set(answer) <= {*ROOMS}
