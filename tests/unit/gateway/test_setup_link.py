"""Setup links."""

from base64 import urlsafe_b64encode
import json

import pytest

from custom_components.clawd.gateway import (
    is_setup_link,
    read_fingerprint,
    read_setup_link,
)
from custom_components.clawd.gateway.models import Json
from custom_components.clawd.gateway.setup_link import LinkAddress, SetupLink

TOKEN = "qgP4y0sniBgm6CtzIL6kWYpdIcYOApO2YmOwGMHZDFY"
DIGITS = "0123456789abcdef" * 4


def code_of(**payload: Json) -> str:
    """Return a setup code."""
    content = {"url": "ws://10.0.0.2:18789", "bootstrapToken": TOKEN, **payload}
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize("form", ["{}", "oc-pair://{}", "OC-PAIR://{}", " {}\n"])
def test_code_is_read_with_and_without_prefix(form: str) -> None:
    text = form.format(code_of(expiresAtMs=1))
    address = LinkAddress("10.0.0.2", 18789, ssl=False, path="")
    link = SetupLink((address,), bootstrap_token=TOKEN, expires_at=0.001)
    assert is_setup_link(text)
    assert read_setup_link(text) == link


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("wss://gateway.example", ("gateway.example", 443, True, "")),
        ("wss://gateway.example/ws/", ("gateway.example", 443, True, "/ws")),
        ("ws://[fd00::1]:8080", ("fd00::1", 8080, False, "")),
        ("ws://gateway.local", ("gateway.local", 80, False, "")),
    ],
)
def test_code_contains_host_port_and_path(
    url: str, expected: tuple[str, int, bool, str]
) -> None:
    assert read_setup_link(code_of(url=url)).addresses == (expected,)


@pytest.mark.parametrize("urls", [None, "ws://b:2", {}, []])
def test_code_without_other_addresses_has_one(urls: Json) -> None:
    assert len(read_setup_link(code_of(url="ws://a:1", urls=urls)).addresses) == 1


def test_code_contains_other_addresses_but_not_too_many() -> None:
    urls: list[Json] = [f"ws://a:{port}" for port in range(1, 100)]
    addresses = read_setup_link(code_of(url="ws://a:1", urls=urls)).addresses
    assert [address.port for address in addresses] == [*range(1, 8)]


def test_code_contains_fingerprint() -> None:
    link = read_setup_link(code_of(url="wss://a:1", tlsFingerprint=DIGITS.upper()))
    assert link.fingerprint == read_fingerprint(DIGITS)


@pytest.mark.parametrize(
    "text",
    [
        "oc-pair://",
        "oc-pair://%%%",
        "oc-pair://eyJ",
        "oc-pair://" + urlsafe_b64encode(b"[]").decode(),
        "oc-pair://" + urlsafe_b64encode(b"\xff{}").decode(),
        code_of(bootstrapToken=""),
        code_of(url=None),
        code_of(url="ftp://a"),
        code_of(url="ws://"),
        code_of(url="ws://a:99999"),
        code_of(urls=["ws://b:2", 7]),
        code_of(tlsFingerprint="sha1"),
    ],
)
def test_invalid_setup_link_is_recognized_and_rejected(text: str) -> None:
    assert is_setup_link(text)
    with pytest.raises(ValueError):  # noqa: PT011 - each part has its own text
        read_setup_link(text)


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0.2", "gateway.local", "ws://a:1/path", "http://a/#token=b", "eyJ.a"],
)
def test_address_is_not_a_setup_link(text: str) -> None:
    assert not is_setup_link(text)


def test_repr_hides_secrets() -> None:
    assert TOKEN not in repr(read_setup_link(code_of()))
