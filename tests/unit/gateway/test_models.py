"""Models read from payloads."""

from typing import Any

import pytest

from custom_components.clawd.gateway import (
    Hello,
    InvalidFrameError,
    NotAGatewayError,
    UnsupportedProtocolError,
)
from custom_components.clawd.gateway.models import Challenge, Policy
from custom_components.clawd.gateway.run_result import final_texts, run_result
from tests.simulator.recordings import payload


def hello(recorded: int, **changes: object) -> dict[str, Any]:
    return {**payload(recorded, "hello_ok", "connect"), **changes}


def test_read_challenge() -> None:
    read = Challenge.from_payload({"nonce": "n", "ts": 17, "capabilities": ["x"]})
    assert read == Challenge("n", 17)


@pytest.mark.parametrize(
    "payload", [{}, {"nonce": "n"}, {"nonce": 1, "ts": 1}, {"nonce": "n", "ts": "1"}]
)
def test_incomplete_challenge_is_not_a_gateway(payload: dict[str, Any]) -> None:
    with pytest.raises(NotAGatewayError):
        Challenge.from_payload(payload)


def test_read_policy() -> None:
    read = Policy.from_payload({"maxPayload": 100, "tickIntervalMs": 25_000})
    assert read == Policy(100, 25)


@pytest.mark.parametrize("value", [None, 0, -1, "30000", []])
def test_invalid_policy_uses_smaller_default(value: object) -> None:
    read = Policy.from_payload({"maxPayload": value, "tickIntervalMs": value})
    assert read == Policy(524_288, 30)


def test_read_v4_hello() -> None:
    read = Hello.from_payload(hello(4), 1.5)
    assert (read.protocol, read.server_version) == (4, "2026.9.6")
    assert (read.role, read.scopes) == ("operator", ("operator.read", "operator.write"))
    assert read.policy == Policy(26_214_400, 30)
    assert read.clock_skew == 1.5
    assert {"agent", "health"} <= read.methods


def test_read_v3_hello() -> None:
    read = Hello.from_payload(hello(3))
    assert (read.protocol, read.server_version) == (3, "dev")
    assert read.policy == Policy(524_288, 30)


def test_hello_requires_only_protocol() -> None:
    read = Hello.from_payload({"type": "hello-ok", "protocol": 3, "auth": None})
    assert (read.server_version, read.role, read.scopes) == ("", "", ())
    assert read.methods == frozenset()


def test_invalid_list_items_are_skipped() -> None:
    read = Hello.from_payload(hello(4, auth={"scopes": ["a", 1, None, "b"]}))
    assert read.scopes == ("a", "b")


@pytest.mark.parametrize(
    "payload",
    [{}, [], "hello", {"type": "hello-ok"}, {"type": "other", "protocol": 4}],
)
def test_invalid_hello_is_rejected(payload: object) -> None:
    with pytest.raises(InvalidFrameError):
        Hello.from_payload(payload)


@pytest.mark.parametrize("protocol", [2, 5, 99])
def test_hello_with_unsupported_protocol_is_rejected(protocol: int) -> None:
    with pytest.raises(UnsupportedProtocolError) as caught:
        Hello.from_payload(hello(4, protocol=protocol))
    assert caught.value.expected == protocol


@pytest.mark.parametrize(
    ("result", "texts"),
    [
        ({"payloads": [{"text": "a"}, {"text": "b"}]}, ["a", "b"]),
        ({"payloads": [{"text": ""}, {"mediaUrl": "x"}, 7, {"text": None}]}, []),
        ({"payloads": None}, []),
        (None, []),
    ],
)
def test_final_texts(result: object, texts: list[str]) -> None:
    assert final_texts({"status": "ok", "result": result}) == texts


@pytest.mark.parametrize("protocol", [3, 4])
def test_read_recorded_result(protocol: int) -> None:
    final = payload(protocol, "agent_run", "agent")
    read = run_result("r", final, "text")
    assert (read.run_id, read.text) == ("r", "text")
    assert (read.provider, read.model) == ("mock", "mock")
    assert read.duration is not None
    assert 0 < read.duration < 10


def test_result_without_metadata() -> None:
    read = run_result("r", {"status": "ok"}, "text")
    assert (read.duration, read.provider, read.model) == (None, None, None)


@pytest.mark.parametrize("value", [None, 7, {}, ["main"]])
def test_invalid_text_uses_default(value: object) -> None:
    parts = {"auth": {"role": value}, "server": {"version": value}}
    read = Hello.from_payload(hello(4, **parts))
    assert (read.role, read.server_version) == ("", "")


def test_result_repr_hides_reply() -> None:
    assert "secret" not in repr(run_result("r", {}, "secret"))
