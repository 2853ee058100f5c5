"""Additional headers in forms."""

from typing import Any

import pytest

from custom_components.clawd.flows.headers import (
    HIDDEN,
    InvalidHeaderError,
    read_headers,
    shown_headers,
)
from custom_components.clawd.gateway import (
    MAX_HEADERS,
    Endpoint,
    header_secrets,
    is_header,
    valid_headers,
)

ID, SECRET = "CF-Access-Client-Id", "CF-Access-Client-Secret"
STORED = {ID: "4f2.access", SECRET: "s3cr3t-of-the-service"}


def test_lines_become_headers() -> None:
    lines = [f"{ID}: 4f2.access", f" {SECRET} :s3cr3t-of-the-service\t"]

    assert read_headers(lines, {}) == STORED


def test_values_may_hold_colons_and_blanks() -> None:
    assert read_headers(["Cookie: a=b; c=d:e"], {}) == {"Cookie": "a=b; c=d:e"}
    assert read_headers(["authorization: Basic YTpi"], {}) == {
        "authorization": "Basic YTpi"
    }


def test_stored_values_are_hidden_and_kept() -> None:
    shown = shown_headers(STORED)

    assert shown == {"headers": [f"{ID}: {HIDDEN}", f"{SECRET}: {HIDDEN}"]}
    assert read_headers(shown["headers"], STORED) == STORED
    assert read_headers([f"{ID.lower()}: {HIDDEN}"], STORED) == {
        ID.lower(): "4f2.access"
    }
    assert shown_headers({}) == {}


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("no header", "invalid_header"),
        ("", "invalid_header"),
        (": value", "invalid_header"),
        ("X-A:", "invalid_header"),
        ("X A: b", "invalid_header"),
        ("X-\u00c4: b", "invalid_header"),
        ("X-A: \u00e4", "invalid_header"),
        ("X-A: a\r\nX-B: c", "invalid_header"),
        ("X-A: a\nb", "invalid_header"),
        ("X-A: a\x00", "invalid_header"),
        ("X-A: a\u200b", "invalid_header"),
        (f"X-A: {'a' * 5000}", "invalid_header"),
        (f"X-Unknown: {HIDDEN}", "invalid_header"),
        ("Host: a", "reserved_header"),
        ("connection: close", "reserved_header"),
        ("Upgrade: h2c", "reserved_header"),
        ("Transfer-Encoding: chunked", "reserved_header"),
        ("Content-Length: 1", "reserved_header"),
        ("Proxy-Authorization: a", "reserved_header"),
        ("Sec-WebSocket-Protocol: a", "reserved_header"),
        ("X-Forwarded-For: 1.2.3.4", "reserved_header"),
        ("x-real-ip: 1.2.3.4", "reserved_header"),
        (f"{ID}: again", "duplicate_header"),
        (f"{ID.upper()}: again", "duplicate_header"),
    ],
)
def test_a_line_that_may_not_be_sent_is_named(line: str, key: str) -> None:
    with pytest.raises(InvalidHeaderError) as caught:
        read_headers([f"{ID}: 4f2.access", line], {})

    assert (caught.value.key, caught.value.line) == (key, 2)


def test_there_are_not_too_many() -> None:
    lines = [f"X-{number}: a" for number in range(MAX_HEADERS + 1)]

    assert len(read_headers(lines[:-1], {})) == MAX_HEADERS
    with pytest.raises(InvalidHeaderError):
        read_headers(lines, {})


@pytest.mark.parametrize("stored", [None, 7, "X-A: b", ["X-A: b"], {}, {"X-A": 7}])
def test_stored_settings_of_another_type_are_no_headers(stored: object) -> None:
    assert valid_headers(stored) == {}


def test_of_stored_headers_only_those_that_may_be_sent_are_used() -> None:
    stored: dict[Any, Any] = {
        **STORED,
        "Host": "a",
        "X-A": "a\r\nX-B: c",
        ID.lower(): "again",
        7: "x",
        "X-C": ["d"],
    }
    assert valid_headers(stored) == STORED
    many = {f"X-{number}": "a" for number in range(100)}
    assert len(valid_headers(many)) == MAX_HEADERS


def test_a_header_has_a_name_and_a_value() -> None:
    assert is_header("X-A", "b")
    assert not is_header("X-A", "")
    assert not is_header("X-A", " b")
    assert not is_header("x" * 129, "b")
    assert not is_header(None, "b")


def test_values_and_their_parts_are_secrets() -> None:
    values = ["Bearer a-long-token", "short", "session=another-token; lang=en"]
    assert header_secrets(values) == [
        "Bearer a-long-token",
        "a-long-token",
        "session=another-token; lang=en",
        "another-token",
    ]
    endpoint = Endpoint("127.0.0.1", 1, headers=STORED)
    assert endpoint.secrets == ("4f2.access", "s3cr3t-of-the-service")
    assert "s3cr3t" not in repr(endpoint)
