"""Addresses entered by users."""

from base64 import urlsafe_b64encode
import json

import pytest

from custom_components.clawd.flows.address import (
    Candidate,
    ParsedAddress,
    parse_address,
)

PORT = 18789
HOST = "gateway.local"
PIN = "ab" * 32


def _setup_code(content: dict[str, str]) -> str:
    text = json.dumps(content, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _candidate_urls(text: str) -> list[str]:
    return [candidate.url for candidate in parse_address(text).candidates]


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("ws://gateway.local:1234", ["ws://gateway.local:1234"]),
        ("wss://gateway.local:1234", ["wss://gateway.local:1234"]),
        ("http://gateway.local:1234", ["ws://gateway.local:1234"]),
        ("https://gateway.local:1234", ["wss://gateway.local:1234"]),
        ("WSS://Gateway.Local:1234", ["wss://gateway.local:1234"]),
        (
            "ws://gateway.local",
            ["ws://gateway.local:18789", "ws://gateway.local:80"],
        ),
        (
            "https://gateway.local",
            ["wss://gateway.local:443", "wss://gateway.local:18789"],
        ),
        (
            "wss://gateway.local",
            ["wss://gateway.local:443", "wss://gateway.local:18789"],
        ),
        ("wss://gateway.local:1/a/b/", ["wss://gateway.local:1/a/b"]),
        (
            "https://gateway.local:1/chat?session=agent:main:main",
            ["wss://gateway.local:1/chat", "wss://gateway.local:1"],
        ),
        ("ws://gateway.local:1/", ["ws://gateway.local:1"]),
        (
            "gateway.local",
            ["wss://gateway.local:18789", "ws://gateway.local:18789"],
        ),
        ("gateway", ["wss://gateway:18789", "ws://gateway:18789"]),
        ("localhost:81", ["wss://localhost:81", "ws://localhost:81"]),
        ("192.168.1.5", ["wss://192.168.1.5:18789", "ws://192.168.1.5:18789"]),
        ("192.168.1.5:81", ["wss://192.168.1.5:81", "ws://192.168.1.5:81"]),
        ("192.168.1.5:81/a", ["wss://192.168.1.5:81/a", "ws://192.168.1.5:81/a"]),
        ("fd00::5", ["wss://[fd00::5]:18789", "ws://[fd00::5]:18789"]),
        ("[fd00::5]", ["wss://[fd00::5]:18789", "ws://[fd00::5]:18789"]),
        ("[fd00::5]:81", ["wss://[fd00::5]:81", "ws://[fd00::5]:81"]),
        ("ws://[fd00::5]:81", ["ws://[fd00::5]:81"]),
        (
            "  gateway.local:81 \r\n",
            ["wss://gateway.local:81", "ws://gateway.local:81"],
        ),
    ],
)
def test_address_yields_candidates(text: str, urls: list[str]) -> None:
    assert _candidate_urls(text) == urls


def test_ipv6_host_is_stored_without_brackets() -> None:
    assert parse_address("ws://[fd00::5]:81").candidates == (
        Candidate("fd00::5", 81, ssl=False),
    )


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:81/#token=se%2Bcret",
        "http://127.0.0.1:81#token=se%2Bcret",
        "http://127.0.0.1:81?token=se%2Bcret",
    ],
)
def test_dashboard_link_contains_token(link: str) -> None:
    candidate = Candidate("127.0.0.1", 81, ssl=False)
    assert parse_address(link) == ParsedAddress((candidate,), token="se+cret")


@pytest.mark.parametrize(
    ("link", "credentials"),
    [
        ("http://10.0.0.5/#token=a", {"token": "a"}),
        ("http://10.0.0.5#bootstrapToken=b", {"bootstrap_token": "b"}),
        ("http://10.0.0.5#token=a%2Fb&gatewayUrl=ws%3A%2F%2Fx", {"token": "a/b"}),
        ("http://10.0.0.5?token=c", {"token": "c"}),
    ],
)
def test_dashboard_link_yields_candidates_of_url(
    link: str, credentials: dict[str, str]
) -> None:
    candidates = parse_address("http://10.0.0.5").candidates
    assert parse_address(link) == ParsedAddress(candidates, **credentials)


def test_address_repr_hides_secrets() -> None:
    assert "hush" not in repr(parse_address("http://a/#token=hush&bootstrapToken=hush"))


def test_candidate_has_control_ui_url() -> None:
    assert (
        Candidate("fd00::5", 81, ssl=True, path="/a").control_ui_url
        == "https://[fd00::5]:81/a"
    )


def test_candidate_url_is_parsed_back() -> None:
    for text in ("wss://[fd00::5]:81/a", "ws://gateway.local:18789"):
        assert _candidate_urls(text) == [text]


@pytest.mark.parametrize("prefix", ["oc-pair://", ""])
def test_setup_link_contains_bootstrap_token_and_fingerprint(prefix: str) -> None:
    content = {
        "url": "wss://10.0.0.5:18789",
        "bootstrapToken": "secret",
        "tlsFingerprint": PIN.upper(),
    }

    assert parse_address(prefix + _setup_code(content)) == ParsedAddress(
        (Candidate("10.0.0.5", 18789, ssl=True),),
        bootstrap_token="secret",
        fingerprint=PIN,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "http://",
        "https://#token=x",
        "http://a:b#token=x",
        "ftp://gateway.local",
        "two words",
        "gateway.local:port",
        "gateway.local:0",
        "gateway.local:99999",
        "ws://user:password@gateway.local",
        "ws://[fd00::5",
        "fe80::1%eth0",
        ":81",
        "oc-pair://",
        "oc-pair://no code",
        "oc-pair://AAAA",
        _setup_code({"url": "nothing like it", "bootstrapToken": "secret" * 9}),
    ],
)
def test_invalid_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of the standard library or ours
        parse_address(text)
