"""Replies that end in a question."""

import pytest

from custom_components.clawd.assist.questions import is_question


@pytest.mark.parametrize(
    ("reply", "language"),
    [
        ("Shall I?", "en"),
        ("**Shall I close it?**", "en"),
        ("Really?!", "en"),
        ("(Shall I?)", "en"),
        ("[Shall I?](https://a.b/c)", "en"),
        ("Shall I?<br>", "en"),
        ("Shall I? [y/N]", "en"),
        ("Shall I? [Y/n]:", "en"),
        ("Shall I? :)", "en"),
        ("Shall I? ;-)", "en"),
        ("Shall I? <3", "en"),
        ("Shall I? ^^", "en"),
        ("Shall I?\n\n---", "en"),
        ("Shall I?\n\n* * *\n", "en"),
        ("Shall I?\n\n[1]: https://e.example/a\n[2]: /b", "en"),
        ("Shall I?[^1]\n\n[^1]: A note.", "en"),
        ("It is open.\n\nWhich one?\n- The left\n- The right", "en"),
        ("Which one?\n1. The left\n2. The right\n", "en"),
        ("Soll ich? (ja/nein)", "de"),
        ("„Bereit?“", "de"),
        ("« Prêt ? »", "fr"),
        ("¿Cierro? 😊", "es"),
        ("¿Cierro? 👍🏽\ufe0f\u200b", "es"),
        ("هل تريد المزيد؟", "ar"),
        ("\u0398\u03ad\u03bb\u03b5\u03b9\u03c2;", "el"),
        ("\u0398\u03ad\u03bb\u03b5\u03b9\u03c2\u037e", "en"),
        ("OK;", "el"),
        ("Փակե՞մ\u0589", "hy"),
        ("ልዝጋ፧", "am"),
        ("要关吗\uff1f", "zh"),
        ("要关吗。", "zh"),
        ("何をしましょうか。", "ja"),
        ("閉めますか", "ja"),
        ("닫을까요.", "ko"),
        ("닫습니까", "ko"),
        ("ปิดไหมครับ", "th"),
        ("x" * 2000 + ". Shall I?", "en"),
    ],
)
def test_a_question_is_one(reply: str, language: str) -> None:
    assert is_question(reply, language)


@pytest.mark.parametrize(
    ("reply", "language"),
    [
        ("", "en"),
        ("Set it to x;", "en"),
        ("Set x; y ;)", "en"),
        ("These are open:\n\n---", "en"),
        ("[1]: https://e.example/?", "en"),
        ("Shall I? No.\n\n[1]: https://e.example/a", "en"),
        ("Open:", "en"),
        ("Is it? Yes.", "en"),
        ("Is it on (or off)", "en"),
        ("Run `ls ?`", "en"),
        ("Do:\n```\nwhat?\n```\n", "en"),
        ("These are open:\n- one?\n- two", "en"),
        ("静か。", "ja"),
        ("いいですね。", "ja"),
        ("하니까.", "ko"),
    ],
)
def test_anything_else_is_none(reply: str, language: str) -> None:
    assert not is_question(reply, language)
