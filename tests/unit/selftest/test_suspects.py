"""Rules of the suspects."""

from collections import Counter
import json
from pathlib import Path
import time
from typing import Any, Final, Literal

import pytest

from custom_components.clawd.gateway import (
    CannotConnectError,
    Cause,
    CertificateError,
    ConnectionLostError,
    ConnectionState,
    GatewayAuthenticationError,
    GatewayError,
    HelloChange,
    InsecureTransportError,
    InvalidFrameError,
    InvalidTokenError,
    MissingScopeError,
    NotAGatewayError,
    NotConnectedError,
    PairingRequiredError,
    ProxyRefusedError,
    RateLimitedError,
    RunOutcome,
    SignInRequiredError,
    Transition,
    UnsupportedProtocolError,
)
from custom_components.clawd.gateway.exceptions import Close
from custom_components.clawd.reports import Mode, Origin, Status
from custom_components.clawd.selftest.model import (
    Check,
    CheckOutcome,
    CheckResult,
    Component,
)
from custom_components.clawd.selftest.suspects import find_suspects
from custom_components.clawd.selftest.suspects.evidence import RECENT, Evidence
from custom_components.clawd.selftest.suspects.rules import RULES

COMPONENT = Path(__file__).parents[3] / "custom_components" / "clawd"
LANGUAGES: Final = {
    path.stem: json.loads(path.read_text("utf-8"))["exceptions"]
    for path in (COMPONENT / "translations").glob("*.json")
}

S = ConnectionState


def change(
    cause: Cause,
    error: GatewayError | None = None,
    previous: ConnectionState = S.CONNECTING,
    *,
    ago: float = 0.0,
    drill: bool = False,
) -> Transition:
    """Return a transition to a state in which the client waits."""
    at = time.monotonic() - ago
    return Transition(
        time.time() - ago,
        previous,
        S.CONNECTED if cause is Cause.HELLO else S.RECONNECTING,
        cause,
        error,
        monotonic_at=at,
        drill=drill,
    )


def failed(error: GatewayError, previous: ConnectionState = S.CONNECTING) -> Transition:
    """Return the transition of a failed attempt."""
    return change(Cause.FAILED, error, previous)


def lost(
    code: int,
    by: Literal["us", "peer"] | None = None,
    reason: str = "",
    **more: Any,  # noqa: ANN401
) -> Transition:
    """Return the transition of a lost connection."""
    error = ConnectionLostError("injected", close_code=code)
    error.close = Close(code, by, reason)
    return change(Cause.LOST, error, S.CONNECTED, **more)


def outcome(
    check_id: str,
    status: Status = Status.FAIL,
    origin: Origin = Origin.INTEGRATION,
    reason: str | None = None,
    **placeholders: Any,  # noqa: ANN401 - of any type
) -> CheckOutcome:
    """Return the outcome of a check."""

    async def run(_: object) -> CheckResult:
        raise NotImplementedError

    check = Check(check_id, run, Mode.PASSIVE, Component.GATEWAY)
    observed = placeholders.pop("observed", None)
    result = CheckResult(
        status=status,
        origin=origin,
        reason=reason,
        observed=observed,
        placeholders=placeholders,
    )
    return CheckOutcome(check, result, 0.0)


def evidence(
    *found: Transition | CheckOutcome | RunOutcome | HelloChange,
    stopped: bool = False,
    connected: bool | None = None,
    state: ConnectionState = S.RECONNECTING,
    **events: int,
) -> Evidence:
    """Return evidence of a client that is connected unless an attempt failed."""
    transitions = tuple(item for item in found if isinstance(item, Transition))
    if connected is None:
        connected = not any(t.cause is Cause.FAILED for t in transitions)
    return Evidence(
        transitions,
        tuple(item for item in found if isinstance(item, HelloChange)),
        connected=connected,
        state=S.CONNECTED if connected else state,
        run_outcomes=[item for item in found if isinstance(item, RunOutcome)],
        outcomes=[item for item in found if isinstance(item, CheckOutcome)],
        events=Counter(events),
        stopped=stopped,
    )


def keys(given: Evidence) -> list[str]:
    """Return the keys of the suspects; each sentence must be whole."""
    suspects = find_suspects(given)
    for suspect in suspects:
        for texts in LANGUAGES.values():
            text = texts[f"suspect_{suspect.key}"]["message"]
            sentence = text.format(**suspect.placeholders)
            assert sentence.endswith(".")
            assert "{" not in sentence
    return [suspect.key for suspect in suspects]


REFUSED: Final = {
    "token_refused": InvalidTokenError("", code="AUTH_TOKEN_MISMATCH"),
    "approval_missing": PairingRequiredError("", code="NOT_PAIRED", request_id="r"),
    "scopes_refused": MissingScopeError("", code="MISSING_SCOPE", scopes=("a",)),
    "rate_limited": RateLimitedError("", code="AUTH_RATE_LIMITED"),
    "device_refused": GatewayAuthenticationError("", code="DEVICE_AUTH_INVALID"),
    "certificate_changed": CertificateError("", code="TLS_FINGERPRINT"),
    "certificate_refused": CertificateError("", code="TLS_CERTIFICATE_EXPIRED"),
    "insecure_transport": InsecureTransportError(),
    "protocol_unsupported": UnsupportedProtocolError("", expected=9),
    "sign_in_required": SignInRequiredError("", code="HTTP_302", http_status=302),
    "proxy_refused": ProxyRefusedError("", code="HTTP_403", http_status=403),
    "http_refused": CannotConnectError("", code="HTTP_502", http_status=502),
    "not_a_gateway": NotAGatewayError("", code="HTTP_404"),
    "host_unknown": CannotConnectError("", code="UNKNOWN_HOST"),
    "port_closed": CannotConnectError("", code="REFUSED"),
    "no_answer": CannotConnectError("", code="TIMEOUT"),
    "tls_missing": CannotConnectError("", code="TLS"),
    "gateway_starting": CannotConnectError("", code="HUNG_UP"),
}


@pytest.mark.parametrize("key", ["certificate_changed", "certificate_refused"])
def test_a_certificate_is_named_by_the_check_of_a_connected_client(key: str) -> None:
    check = outcome("transport_trust", reason=key, code="TLS_CERTIFICATE_EXPIRED")

    assert keys(evidence(check)) == [key]


@pytest.mark.parametrize("key", REFUSED)
def test_what_keeps_the_client_from_being_connected_comes_first(key: str) -> None:
    given = evidence(failed(REFUSED[key]), outcome("entry_reload", Status.SKIP))

    assert keys(given) == [key]


@pytest.mark.parametrize(
    ("error", "previous", "key"),
    [
        (CannotConnectError("", code="UNREACHABLE"), S.CONNECTING, "no_answer"),
        (CannotConnectError("", code="TIMEOUT"), S.HANDSHAKING, "handshake_overdue"),
        (UnsupportedProtocolError(""), S.HANDSHAKING, "protocol_unsupported"),
        (InvalidFrameError(""), S.HANDSHAKING, "not_a_gateway"),
        (GatewayError("", code="NEW"), S.HANDSHAKING, "gateway_unavailable"),
    ],
)
def test_variants_of_what_keeps_the_client_from_being_connected(
    error: GatewayError, previous: ConnectionState, key: str
) -> None:
    assert keys(evidence(failed(error, previous))) == [key]


def test_an_attempt_under_way_hides_the_error_before_it_only_until_it_fails() -> None:
    given = evidence(failed(REFUSED["port_closed"]), change(Cause.RETRY))

    assert keys(given) == ["port_closed"]


def test_an_error_from_before_the_connection_explains_nothing() -> None:
    given = evidence(
        failed(REFUSED["port_closed"]), change(Cause.HELLO), connected=True
    )

    assert keys(given) == []
    given = evidence(
        failed(REFUSED["port_closed"]), change(Cause.HELLO), connected=False
    )
    assert keys(given) == []


@pytest.mark.parametrize(("ago", "found"), [(6.0, ["handshake_pending"]), (0.1, [])])
def test_a_handshake_that_takes_its_time_is_told(ago: float, found: list[str]) -> None:
    opened = change(Cause.OPENED, ago=ago)

    assert keys(evidence(opened, connected=False, state=S.HANDSHAKING)) == found


def test_a_client_without_its_task_is_stopped() -> None:
    given = evidence(outcome("task_inventory"), stopped=True)

    assert keys(given) == ["client_stopped"]


OTHERS: Final[dict[str, list[Any]]] = {
    "loop_blocked": [outcome("loop_lag", name="f (a/b.py)", slow=300)],
    "loop_late_by": [outcome("loop_lag", Status.WARN, name="f", slow=300)],
    "loop_late": [outcome("loop_lag", Status.WARN, name="", slow=300)],
    "integration_fault": [outcome("registry"), outcome("memory", Status.ERROR)],
    "store_not_written": [
        outcome("storage_writes", origin=Origin.HOME_ASSISTANT, names=".storage")
    ],
    "gateway_slow": [outcome("round_trip", Status.WARN, observed=6100.0)],
    "gateway_not_back": [
        outcome("drill_abort", origin=Origin.GATEWAY, reason="gateway_not_back", time=5)
    ],
    "closed_for_reason": [lost(1008, "peer", "replaced")],
    "closed_by_gateway": [lost(4001, "peer")],
    "message_refused": [lost(1009, "peer")],
    "message_too_large": [lost(1009, "us")],
    "gateway_silent": [lost(4000, "us")],
    "replies_lost": [RunOutcome(time.time(), "1009"), RunOutcome(time.time(), "ok")],
    "rights_missing": [
        outcome("scopes", origin=Origin.GATEWAY, names="operator.write")
    ],
    "methods_missing": [outcome("features", origin=Origin.GATEWAY, names="agent")],
    "methods_not_announced": [outcome("features", Status.WARN, count=3)],
    "clocks_differ": [outcome("clock_skew", Status.WARN, seconds="60.0")],
    "home_key_shared": [outcome("home_holder", origin=Origin.HOME_ASSISTANT)],
    "home_unapproved": [
        outcome("home_approval", origin=Origin.GATEWAY, state="unapproved")
    ],
    "home_down": [
        outcome(
            "home_published",
            origin=Origin.GATEWAY,
            reason="home_disconnected",
            code="REFUSED",
        )
    ],
    "home_hidden": [
        outcome("home_visible", origin=Origin.GATEWAY, names="x", profile="coding")
    ],
    "home_unsupported": [outcome("home_method", Status.WARN, version="2026.7.1")],
    "home_runaway": [outcome("home_limits", Status.WARN, count=2)],
    "events_lost": [outcome("sequence_gaps", Status.WARN, count=2)],
    "checks_failed": [outcome("store_permissions", origin=Origin.HOME_ASSISTANT)],
}


@pytest.mark.parametrize("key", OTHERS)
def test_each_other_cause_is_named(key: str) -> None:
    assert keys(evidence(*OTHERS[key])) == [key]


EVENTS: Final = {
    "main_loop_errors": "main_loop_errors",
    "frames_invalid": "invalid_frames",
    "responses_mixed": "unknown_responses",
    "run_events_skipped": "skipped_run_events",
}


@pytest.mark.parametrize("key", EVENTS)
def test_each_counter_speaks(key: str) -> None:
    counters: Any = {EVENTS[key]: 2}
    assert keys(evidence(**counters)) == [key]


def test_a_gateway_can_be_slow_beside_a_late_loop() -> None:
    given = evidence(
        outcome("round_trip", Status.FAIL, Origin.GATEWAY, observed=6100.0),
        outcome("loop_lag", Status.WARN, name="", slow=300),
    )

    assert keys(given) == ["loop_late", "gateway_slow_too"]


def test_what_is_over_or_in_order_is_not_told() -> None:
    given = evidence(
        lost(1008, "peer", "replaced", ago=RECENT + 1),
        lost(1006, drill=True),
        lost(1012, "peer", "service restart"),
        RunOutcome(time.time() - 90_000, "1006"),
        RunOutcome(time.time(), "ABORTED"),
        RunOutcome(time.time(), "UNAVAILABLE"),
    )

    assert keys(given) == []


def hello_change(
    *, restarted: bool | None, ago: float = 0.0, **changes: tuple[object, object]
) -> HelloChange:
    """Return the difference between two hellos."""
    return HelloChange(time.time() - ago, restarted, None, None, changes)


@pytest.mark.parametrize("key", ["certificate_changed", "certificate_refused"])
def test_a_certificate_of_an_open_connection_is_told(key: str) -> None:
    found = outcome("transport_trust", origin=Origin.NETWORK, reason=key, code="TLS")

    assert keys(evidence(found)) == [key]


def test_a_change_of_the_gateway_is_told_and_its_restart() -> None:
    change = hello_change(restarted=True, protocol=(4, 3))

    assert keys(evidence(lost(1006), change)) == ["hello_changed", "gateway_restarted"]


def test_a_cut_line_is_told_from_a_restart() -> None:
    change = hello_change(restarted=False)

    assert keys(evidence(lost(1006), change)) == ["line_cut"]


def test_changes_of_long_ago_are_not_told() -> None:
    change = hello_change(restarted=True, ago=RECENT + 1, protocol=(4, 3))

    assert keys(evidence(change)) == []


def test_a_client_that_was_stopped_is_judged_by_what_it_saw() -> None:
    stopped = change(Cause.STOPPED, NotConnectedError("", code="STOPPED"))
    refused = failed(REFUSED["token_refused"])

    assert keys(evidence(refused, stopped)) == ["token_refused"]
    assert keys(evidence(stopped, connected=False)) == []


def test_at_most_three_are_named_and_none_twice() -> None:
    given = evidence(
        failed(REFUSED["token_refused"]),
        outcome("registry"),
        outcome("task_exceptions"),
        outcome("storage_writes", origin=Origin.HOME_ASSISTANT, names=".storage"),
        outcome("round_trip", Status.FAIL, Origin.GATEWAY, observed=6100.0),
        main_loop_errors=1,
    )

    assert keys(given) == ["main_loop_errors", "token_refused", "integration_fault"]
    [_, _, fault] = find_suspects(given)
    assert fault.placeholders == {"names": "registry"}


def test_every_rule_is_tried() -> None:
    tried = {*REFUSED, *OTHERS, *EVENTS}
    tried |= {"handshake_overdue", "handshake_pending", "gateway_unavailable"}
    tried |= {"client_stopped", "gateway_slow_too", "line_cut"}
    tried |= {"hello_changed", "gateway_restarted"}

    assert tried == {rule.key for rule in RULES}
