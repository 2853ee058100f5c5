"""Errors of failing providers."""

import pytest

from custom_components.clawd.gateway.runs.failure import MAX_LENGTH, provider_message

LIMIT = "You've hit your session limit · resets 8:30am"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("500 mock failure", "500 mock failure"),
        ("⚠️ mock/mock  request\nfailed.", "mock/mock request failed."),
        ("Error: error: no credit left", "no credit left"),
        (
            f'Error: {{"is_error":true,"api_error_status":429,"result":"{LIMIT}"}}',
            LIMIT,
        ),
        (
            '429 {"type":"error","error":{"type":"x","message":"Slow down"}}',
            "Slow down",
        ),
        ('{"error": "{\\"message\\": \\"Slow down\\"}"}', "Slow down"),
        ('{"message": "Use {x}"}', "Use {x}"),
        ('{"detail": null, "error": {}, "code": 7}', ""),
        ('503 Overloaded {"code": 7}', "503 Overloaded"),
        ("Wrong {brace", "Wrong"),
        ("", ""),
        ("a " * MAX_LENGTH, "a " * (MAX_LENGTH // 2 - 1) + "a…"),
    ],
)
def test_only_its_sentence_is_kept(text: str, sentence: str) -> None:
    assert provider_message(text) == sentence
