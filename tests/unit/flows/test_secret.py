"""Tokens and passwords as users paste them."""

import pytest

from custom_components.clawd.flows.address import parse_address
from custom_components.clawd.flows.secret import InvalidSecretError, clean, read_secret

SECRET = "ab+c/d="


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"  {SECRET}\r\n",
        f"\u200b{SECRET}\ufeff",
        "ab\u200b+c\u2060/d=",
        f"\u00a0{SECRET}\u3000",
        f'"{SECRET}"',
        f"'{SECRET}'",
        f"`{SECRET}`",
        f"\u201c{SECRET}\u201d",
        f"\u201e{SECRET}\u201c",
        f"' \"{SECRET}\" '",
        f"#token={SECRET}",
        f"?token={SECRET}",
        "#token=ab%2Bc%2Fd%3D",
        f"#token=old&token={SECRET}",
        f"wss://e.example/?a=b&token={SECRET}#x",
        f"#session=main&token={SECRET}&theme=dark",
        f"http://10.0.0.5:18789/#token={SECRET}",
        f'"token": "{SECRET}",',
        f"token: '{SECRET}'",
        f'password = "{SECRET}"',
    ],
)
def test_a_pasted_secret_is_cleaned(text: str) -> None:
    assert read_secret(text) == SECRET


@pytest.mark.parametrize("text", ["", "  ", "\u200b", "\ufeff\t\n", "\u00a0"])
def test_a_field_that_looks_empty_is_empty(text: str) -> None:
    assert read_secret(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "__OPENCLAW_REDACTED__",
        '"__OPENCLAW_REDACTED__"',
        "__openclaw_redacted__",
        "__CLAWDBOT_REDACTED__",
        "**REDACTED**",
        "[redacted]",
        "undefined",
        "null",
        "'null'",
        "None",
        "NaN",
        "[object Object]",
        "********",
        "\u2022\u2022\u2022\u2022",
        "<your token>",
        "${OPENCLAW_GATEWAY_TOKEN}",
        '""',
        "''",
        '"\u200b"',
        "#token=",
        "#token=undefined",
        "http://10.0.0.5/#token=null",
        '"token": "__OPENCLAW_REDACTED__"',
        "two\nlines",
        "a\x00b",
        "a\ud83db",
    ],
)
def test_a_placeholder_is_refused(text: str) -> None:
    with pytest.raises(InvalidSecretError):
        read_secret(text)


@pytest.mark.parametrize(
    "secret",
    ["a password", "p\u00e4ss\u0436", "nullify", "token", 'say "a"', 'a"', '"', "x=y"],
)
def test_an_odd_password_stays(secret: str) -> None:
    assert read_secret(secret) == secret


@pytest.mark.parametrize("text", ['"gateway.local"', "\u200bgateway.local\u200b "])
def test_an_address_is_cleaned(text: str) -> None:
    assert clean(text) == "gateway.local"
    assert parse_address(text) == parse_address("gateway.local")


@pytest.mark.parametrize(
    "link",
    [
        "http://10.0.0.5/#token=ab+c/d=",
        "http://10.0.0.5/#token=ab%2Bc%2Fd%3D",
        "http://10.0.0.5/?token=ab+c/d=",
        "http://10.0.0.5/#theme=dark&token=ab+c/d=&token2=x",
        "10.0.0.5/#token=ab+c/d=",
    ],
)
def test_the_token_of_a_link_keeps_its_plus(link: str) -> None:
    assert parse_address(link).token == SECRET


@pytest.mark.parametrize(
    "link",
    [
        "http://10.0.0.5/#token=undefined",
        "http://10.0.0.5/#token=__OPENCLAW_REDACTED__",
        "http://10.0.0.5/#bootstrapToken=null",
        "http://10.0.0.5/#token=%22%22",
    ],
)
def test_a_placeholder_in_a_link_is_refused(link: str) -> None:
    with pytest.raises(InvalidSecretError):
        parse_address(link)


@pytest.mark.parametrize("scheme", ["", "http://", "https://", "ws://", "wss://"])
def test_a_link_with_a_token_has_the_addresses_of_one_without(scheme: str) -> None:
    address = f"{scheme}gateway.local"
    candidates = parse_address(address).candidates

    assert len(candidates) == 2
    for end in ("#token=a", "/#token=a", "?token=a"):
        assert parse_address(address + end).candidates == candidates
