"""Suspects from an oversized hello."""

from typing import Any

from custom_components.clawd.gateway import ClientHistory, Hello
from custom_components.clawd.gateway.protocol.transport import Peer
from custom_components.clawd.selftest.suspects import find_suspects
from custom_components.clawd.selftest.suspects.evidence import Evidence
from tests.simulator.recordings import payload

PEER = Peer("127.0.0.1", None)


def _hello(version: str, *scopes: str) -> Hello:
    changes: dict[str, Any] = {
        "server": {"version": version, "connId": "c"},
        "auth": {"role": "operator", "scopes": list(scopes)},
    }
    return Hello.from_payload({**payload(4, "hello_ok", "connect"), **changes})


def _changes(*hellos: Hello) -> str:
    history = ClientHistory()
    for hello in hellos:
        history.connected(hello, PEER)
    [suspect] = find_suspects(Evidence.of_history(history))
    assert suspect.key == "hello_changed"
    return str(suspect.placeholders["changes"])


def test_what_changed_is_a_readable_text() -> None:
    changes = _changes(_hello("1", "a"), _hello("2", "a", "b"))
    assert changes == "version 1 → 2, scopes a → a, b"


def test_a_sentence_is_short_whatever_the_gateway_sends() -> None:
    long, many = "v" * 10_000, [f"scope.{n}" for n in range(1_000)]
    assert len(_changes(_hello("1", "a"), _hello(long, *many))) < 300
    assert len(_hello(long).server_version) == 64
