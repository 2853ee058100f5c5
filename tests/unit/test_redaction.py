"""Detection and redaction of secrets."""

from base64 import b64encode, urlsafe_b64encode
import json
from typing import Any
from urllib.parse import quote

import pytest

from custom_components.clawd.gateway import (
    ClientInfo,
    Credentials,
    DeviceIdentity,
    DeviceToken,
)
from custom_components.clawd.redaction import (
    REDACTED,
    contains_secret,
    known_secrets,
    redact_texts,
)

SECRET = 'tok"en/with+everything ü>>>???'
DEVICE_TOKEN = "the-token-of-the-device"
FORMS = {
    "raw": SECRET,
    "beginning": SECRET[:12],
    "quoted": quote(SECRET, safe=""),
    "base64": b64encode(SECRET.encode()).decode(),
    "base64url": urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    "escaped": json.dumps(SECRET)[1:-1],
    "escaped as UTF-8": json.dumps(SECRET, ensure_ascii=False)[1:-1],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text,
        lambda text: [1, None, (text,)],
        lambda text: {"a": {"b": [text]}},
        lambda text: {text: 1},
    ],
    ids=["text", "list", "mapping", "key"],
)
def test_secret_is_found_in_any_place_and_form(wrap: object, form: str) -> None:
    assert callable(wrap)
    assert contains_secret(wrap(f"before {form} after"), [SECRET])


@pytest.mark.parametrize("document", ["", SECRET[:11], {"tok": 'en/with"'}, 12, None])
def test_text_without_secret_is_kept(document: object) -> None:
    assert not contains_secret(document, [SECRET])


def test_only_text_with_secret_is_redacted() -> None:
    document: dict[str, Any] = {
        "a": [1, None, f"with {SECRET}"],
        "b": {"c": "harmless", "d": 0.5},
    }

    assert redact_texts(document, [SECRET]) == {
        "a": [1, None, REDACTED],
        "b": {"c": "harmless", "d": 0.5},
    }


def test_known_secrets_contain_tokens_and_key() -> None:
    identity = DeviceIdentity.generate()
    credentials = Credentials(
        identity, ClientInfo("0"), device_token=DeviceToken(DEVICE_TOKEN, ())
    )

    secrets = known_secrets({"token": SECRET}, {}, credentials)

    assert secrets == [SECRET, identity.secret, DEVICE_TOKEN]
    assert known_secrets({"token": SECRET}, {}) == [SECRET]
    assert known_secrets({"password": SECRET}, {}) == [SECRET]


@pytest.mark.parametrize("data", [{}, {"token": None}, {"token": "clawd"}])
def test_short_token_is_not_a_known_secret(
    data: dict[str, str | None],
) -> None:
    assert known_secrets(data, {}) == []


def test_values_of_headers_and_their_parts_are_known_secrets() -> None:
    headers = {"Authorization": "Bearer a-bearer-token", "X-Short": "clawd"}

    assert known_secrets({}, {"headers": headers}) == [
        "Bearer a-bearer-token",
        "a-bearer-token",
    ]
    assert known_secrets({}, {"headers": ["X: by-hand-in-a-list"]}) == [
        "X: by-hand-in-a-list",
        "by-hand-in-a-list",
    ]
