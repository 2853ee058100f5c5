"""URL, origin and trust of endpoints."""

import ssl

import pytest

from custom_components.clawd.gateway import (
    AddressClass,
    Endpoint,
    address_class,
    read_fingerprint,
)

DIGITS = "0123456789abcdef" * 4
PAIRS = ":".join(DIGITS[i : i + 2] for i in range(0, 64, 2))


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("localhost", AddressClass.LOOPBACK),
        ("127.0.0.1", AddressClass.LOOPBACK),
        ("127.9.9.9", AddressClass.LOOPBACK),
        ("::1", AddressClass.LOOPBACK),
        ("192.168.1.2", AddressClass.PRIVATE),
        ("10.0.0.1", AddressClass.PRIVATE),
        ("100.64.1.2", AddressClass.PRIVATE),  # Tailscale
        ("fd00::1", AddressClass.PRIVATE),
        ("fe80::1%eth0", AddressClass.PRIVATE),
        ("8.8.8.8", AddressClass.PUBLIC),
        ("2001:4860:4860::8888", AddressClass.PUBLIC),
        ("::ffff:8.8.8.8", AddressClass.PUBLIC),
        ("gateway.local", AddressClass.NAME),
        ("", AddressClass.NAME),
    ],
)
def test_address_classes(host: str, kind: AddressClass) -> None:
    assert address_class(host) is kind


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("gateway.local", "ws://gateway.local:18789"),
        ("192.0.2.1", "ws://192.0.2.1:18789"),
        ("2001:db8::1", "ws://[2001:db8::1]:18789"),
    ],
)
def test_endpoint_has_url(host: str, url: str) -> None:
    assert Endpoint(host, 18789).url == url


def test_url_contains_path() -> None:
    assert Endpoint("a", 1, path="/openclaw").url == "ws://a:1/openclaw"


def test_url_with_tls() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert Endpoint("a", 1, context).url == "wss://a:1"


def test_repr_hides_headers() -> None:
    assert "secret" not in repr(Endpoint("a", 1, headers={"Authorization": "secret"}))


def test_origin_depends_on_host_port_scheme_and_certificate() -> None:
    context = ssl.create_default_context()
    endpoints = [
        Endpoint("gateway", 1),
        Endpoint("gateway", 2),
        Endpoint("other", 1),
        Endpoint("gateway", 1, context),
        Endpoint("gateway", 1, context, fingerprint=DIGITS),
    ]
    assert len({endpoint.origin for endpoint in endpoints}) == len(endpoints)


def test_loopback_and_pinned_certificate_are_trusted() -> None:
    assert Endpoint("127.0.0.1", 1).trusted
    assert not Endpoint("192.168.1.2", 1).trusted
    assert Endpoint("192.168.1.2", 1, fingerprint=DIGITS).trusted


@pytest.mark.parametrize(
    "text",
    [
        DIGITS,
        DIGITS.upper(),
        PAIRS,
        f" {PAIRS.upper()}\n",
        f"SHA256:{DIGITS}",
        f"sha256 {PAIRS}",
        f"SHA-256={PAIRS}",
        PAIRS.replace(":", " "),
    ],
)
def test_fingerprint_formats(text: str) -> None:
    assert read_fingerprint(text) == DIGITS


@pytest.mark.parametrize("text", ["", DIGITS[:-1], DIGITS + "00", "g" * 64, "sha1:00"])
def test_invalid_fingerprint_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        read_fingerprint(text)
