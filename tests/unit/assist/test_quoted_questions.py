"""Questions that are quoted, and addresses with a question mark."""

import pytest

from custom_components.clawd.assist.questions import is_question


@pytest.mark.parametrize(
    "reply",
    [
        "She asked: “Why?”",
        'She asked: "Why?"',
        'She asked, "Why?".',
        "She asked: *“Why? And when?”* 😀",
        "Sie fragte: „Warum?“",
        "Il a demandé : « Pourquoi ? »",
        "他问\uff1a“为什么\uff1f”",
        "彼女は聞いた\uff1a「なぜ\uff1f」",
        "See https://e.example/search?",
        "See https://e.example/?q=1&r=?.",
        "It is at www.e.example/a?",
        "It is there: (https://e.example/?)",
    ],
)
def test_a_statement_asks_nothing(reply: str) -> None:
    assert not is_question(reply, "en")


@pytest.mark.parametrize(
    "reply",
    [
        "“Shall I?”",
        '**"Shall I?"**',
        "Do you mean “Kitchen?”",
        "Shall I play: “Yesterday”?",
        'He said: "No". Shall I call it "that?"',
        "Which one: “Left” or “right”?",
        "Which one?\n1. Say: “Hello?”\n2. Say: “Why?”",
        "She asked: “Why?” Shall I answer?",
        'Do you mean "https://e.example/a"?',
        "Shall I open (https://e.example/a)?",
        "Shall I open **https://e.example/a**?",
        "https://e.example/a\uff0c要打开吗?",
        "Did you see https://e.example/a ?",
        "See https://e.example/?q=1. Shall I?",
        "Shall I open it? https://e.example/?",
    ],
)
def test_a_question_is_one(reply: str) -> None:
    assert is_question(reply, "en")
