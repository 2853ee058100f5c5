"""Every address that people have is understood."""

from base64 import urlsafe_b64encode
import json

import pytest

from custom_components.clawd.address import Address, Candidate, read_address

PORT = 18789
HOST = "gateway.local"
PIN = "ab" * 32


def _setup_code(content: dict[str, str]) -> str:
    text = json.dumps(content, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _places(text: str) -> list[str]:
    return [candidate.url for candidate in read_address(text).candidates]


@pytest.mark.parametrize(
    ("text", "places"),
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
def test_an_address_says_where_to_look(text: str, places: list[str]) -> None:
    assert _places(text) == places


def test_an_ipv6_address_is_kept_without_brackets() -> None:
    assert read_address("ws://[fd00::5]:81").candidates == (
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
def test_a_dashboard_link_brings_its_token(link: str) -> None:
    place = Candidate("127.0.0.1", 81, ssl=False)
    assert read_address(link) == Address((place,), token="se+cret")


@pytest.mark.parametrize(
    ("link", "lets_in"),
    [
        ("http://10.0.0.5/#token=a", {"token": "a"}),
        ("http://10.0.0.5#bootstrapToken=b", {"bootstrap_token": "b"}),
        ("http://10.0.0.5#token=a%2Fb&gatewayUrl=ws%3A%2F%2Fx", {"token": "a/b"}),
        ("http://10.0.0.5?token=c", {"token": "c"}),
    ],
)
def test_a_dashboard_link_leads_where_any_link_leads(
    link: str, lets_in: dict[str, str]
) -> None:
    places = read_address("http://10.0.0.5").candidates
    assert read_address(link) == Address(places, **lets_in)


def test_an_address_does_not_show_its_secrets() -> None:
    assert "hush" not in repr(read_address("http://a/#token=hush&bootstrapToken=hush"))


def test_a_place_has_a_page() -> None:
    assert (
        Candidate("fd00::5", 81, ssl=True, path="/a").page == "https://[fd00::5]:81/a"
    )


def test_what_a_place_is_called_leads_there_again() -> None:
    for text in ("wss://[fd00::5]:81/a", "ws://gateway.local:18789"):
        assert _places(text) == [text]


@pytest.mark.parametrize("prefix", ["oc-pair://", ""])
def test_a_setup_link_brings_what_lets_in_and_the_fingerprint(prefix: str) -> None:
    content = {
        "url": "wss://10.0.0.5:18789",
        "bootstrapToken": "secret",
        "tlsFingerprint": PIN.upper(),
    }

    assert read_address(prefix + _setup_code(content)) == Address(
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
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of the standard library or ours
        read_address(text)
