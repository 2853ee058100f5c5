"""Command line of the demo."""

import pytest

from scripts.home_assistant.gateway import Gateway
from scripts.home_assistant.options import parse_options


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLAWD_TOKEN", raising=False)


def test_default_is_simulated_gateway() -> None:
    assert parse_options([]).gateway is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://127.0.0.1:18789", Gateway("127.0.0.1", 18789, ssl=False, token="t")),
        ("wss://home.example:443/", Gateway("home.example", 443, ssl=True, token="t")),
        ("ws://[::1]:18789", Gateway("::1", 18789, ssl=False, token="t")),
    ],
)
def test_gateway_is_read_from_url(url: str, expected: Gateway) -> None:
    assert parse_options(["--gateway", url, "--token", "t"]).gateway == expected


@pytest.mark.parametrize(
    "url", ["http://host:1", "ws://host", "ws://:1", "host:1", "ws://host:99999", ""]
)
def test_invalid_url_is_rejected(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_options(["--gateway", url, "--token", "t"])
    assert "--gateway: " in capsys.readouterr().err


def test_token_from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAWD_TOKEN", "from the environment")
    gateway = parse_options(["--gateway", "ws://host:1"]).gateway
    assert gateway is not None
    assert gateway.token == "from the environment"


def test_gateway_without_token_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_options(["--gateway", "ws://host:1"])
    assert "CLAWD_TOKEN" in capsys.readouterr().err


def test_gateway_repr_hides_token() -> None:
    assert "secret" not in repr(Gateway("host", 1, ssl=False, token="secret"))


@pytest.mark.parametrize("url", ["ws://[::1]:18789", "wss://home.example:443"])
def test_gateway_fields(url: str) -> None:
    fields = Gateway.from_url(url, "t").fields
    assert fields == {"address": url, "token": "t"}
