"""Node links."""

from base64 import urlsafe_b64encode
import json
import ssl
import time

import pytest

from custom_components.clawd.gateway import (
    Endpoint,
    LinkProblem,
    NodeLinkError,
    read_node_link,
)
from custom_components.clawd.gateway.models import Json

TOKEN = "qgP4y0sniBgm6CtzIL6kWYpdIcYOApO2YmOwGMHZDFY"
DIGITS, OTHER_DIGITS = "0123456789abcdef" * 4, "fedcba9876543210" * 4
GATEWAY = Endpoint("10.0.0.2", 18789)


def link(**payload: Json) -> str:
    """Return a link."""
    expires_at = round((time.time() + 600) * 1000)
    content = {
        "url": "ws://10.0.0.2:18789",
        "bootstrapToken": TOKEN,
        "expiresAtMs": expires_at,
        **payload,
    }
    code = urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    return f"oc-pair://{code}"


async def problem_of(text: str, endpoint: Endpoint = GATEWAY) -> LinkProblem:
    """Return why a link is not used."""
    with pytest.raises(NodeLinkError) as error:
        await read_node_link(text, endpoint)
    assert TOKEN not in str(error.value)
    return error.value.problem


@pytest.mark.parametrize(
    ("payload", "endpoint"),
    [
        ({}, GATEWAY),
        ({"url": "ws://GATEWAY.local:18789"}, Endpoint("gateway.LOCAL", 18789)),
        ({"url": "ws://127.0.0.1:18789"}, Endpoint("localhost", 18789)),
        ({"url": "wss://a:1", "urls": ["wss://a:1", "ws://10.0.0.2:18789"]}, GATEWAY),
        (
            {"url": "wss://10.0.0.9:1", "tlsFingerprint": DIGITS},
            Endpoint("10.0.0.2", 18789, ssl.create_default_context(), DIGITS),
        ),
        ({"tlsFingerprint": DIGITS}, GATEWAY),
    ],
)
async def test_link_of_our_gateway(
    payload: dict[str, Json], endpoint: Endpoint
) -> None:
    found = await read_node_link(link(**payload), endpoint)
    assert found.bootstrap_token == TOKEN
    assert TOKEN not in repr(found)


@pytest.mark.parametrize(
    ("payload", "endpoint"),
    [
        ({"url": "ws://10.0.0.3:18789"}, GATEWAY),
        ({"url": "ws://10.0.0.2:18790"}, GATEWAY),
        ({"url": "ws://unknown.invalid:18789"}, GATEWAY),
        ({"url": f"ws://{'x' * 70}.local:18789"}, GATEWAY),
        (
            {"tlsFingerprint": OTHER_DIGITS},
            Endpoint("10.0.0.2", 18789, ssl.create_default_context(), DIGITS),
        ),
    ],
)
async def test_link_of_another_gateway(
    payload: dict[str, Json], endpoint: Endpoint
) -> None:
    problem = await problem_of(link(**payload), endpoint)
    assert problem is LinkProblem.OTHER_GATEWAY


async def test_expired_link() -> None:
    assert await problem_of(link(expiresAtMs=1)) is LinkProblem.EXPIRED


@pytest.mark.parametrize("expires_at", [None, "soon"])
async def test_link_that_does_not_say_when_it_expires(expires_at: Json) -> None:
    assert await read_node_link(link(expiresAtMs=expires_at), GATEWAY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "oc-pair://",
        "https://gateway.example/j/abc",
        "oc-pair://" + urlsafe_b64encode(b"[" * 100_000).decode(),
        link(url="ftp://10.0.0.2"),
        link(urls=["ftp://10.0.0.2"]),
        link(bootstrapToken=""),
    ],
    ids=lambda text: text[:30],
)
async def test_text_that_is_no_link(text: str) -> None:
    assert await problem_of(text) is LinkProblem.INVALID
