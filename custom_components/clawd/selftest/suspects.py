"""Suspects: probable causes of a report, in one sentence each.

The rules stand in one table, the likeliest cause first. The sentences are the texts
`suspect_<key>`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
import time
from typing import TYPE_CHECKING, Final, Self

from ..error_mapping import approval_placeholders
from ..gateway import (
    CannotConnectError,
    Cause,
    CertificateError,
    ConnectionState,
    GatewayAuthenticationError,
    GatewayError,
    GatewayProtocolError,
    InsecureTransportError,
    InvalidTokenError,
    MissingScopeError,
    PairingRequiredError,
    ProxyRefusedError,
    RateLimitedError,
    SignInRequiredError,
    UnexpectedError,
    UnsupportedProtocolError,
)
from ..reports import FAILED_STATUSES, Origin, Status
from .checks.runs import lost_outcomes

if TYPE_CHECKING:
    from ..gateway import (
        ClientHistory,
        GatewayClient,
        HelloChange,
        RunOutcome,
        Transition,
    )
    from .model import CheckOutcome, CheckResult

MAX_SUSPECTS: Final = 3
# Characters; scopes and role come from the Gateway.
MAX_VALUE_LENGTH: Final = 64
# Seconds for which a lost connection is of interest.
RECENT: Final = 3600.0
# Seconds after which an attempt without an answer is more than a slow one.
PATIENCE: Final = 1.0

# Close codes: of an orderly end, of a message that is too large, of a peer that does
# not answer pings or sends nothing.
CLOSES_IN_ORDER: Final = (1000, 1001, 1012)
TOO_LARGE: Final = 1009
SILENT: Final = (1011, 4000)

# Checks that fail with a Gateway that does not answer, or not in time.
DRILLS: Final = ("drill_restart", "drill_abort")
SLOW: Final = ("round_trip",)
STORES: Final = ("storage_writes",)
CLOCKS: Final = ("clock_skew",)
TRUST: Final = ("transport_trust",)
# Codes of attempts that nothing answered; `REFUSED` is an answer of the machine.
NO_ANSWER: Final = ("TIMEOUT", "UNREACHABLE", "INVALID_HOST")

type Placeholders = Mapping[str, str | float]
type Find = Callable[[Evidence], Placeholders | None]


@dataclass(frozen=True)
class Evidence:
    """Evidence that the rules are applied to.

    Attributes:
        all_transitions: of the client, oldest first.
        hello_changes: differences of the last hellos, oldest first.
        run_outcomes: ends of the last questions.
        outcomes: of a self-test; without one, only the client is looked at.
        events: what the client has counted since the setup of the entry.
        stopped: whether the client should run, and does not.
        explained: checks that the suspects so far explain.

    """

    all_transitions: Sequence[Transition]
    hello_changes: Sequence[HelloChange] = ()
    connected: bool = False
    state: ConnectionState = ConnectionState.CLOSED
    run_outcomes: Sequence[RunOutcome] = ()
    outcomes: Sequence[CheckOutcome] = ()
    events: Counter[str] = field(default_factory=Counter)
    stopped: bool = False
    explained: set[str] = field(default_factory=set)

    @classmethod
    def of_client(
        cls,
        client: GatewayClient,
        events: Counter[str],
        outcomes: Sequence[CheckOutcome] = (),
        *,
        loaded: bool = True,
    ) -> Self:
        """Return the evidence of a client, and of a self-test if there was one."""
        introspection = client.introspection
        return cls(
            introspection.transitions,
            tuple(introspection.history.hello_changes),
            connected=client.hello is not None,
            state=client.state,
            run_outcomes=introspection.run_outcomes,
            outcomes=outcomes,
            events=events,
            stopped=loaded and "run" not in introspection.tasks.values(),
        )

    @classmethod
    def of_history(cls, history: ClientHistory) -> Self:
        """Return the evidence of clients that are gone."""
        return cls(
            history.transitions.snapshot(),
            tuple(history.hello_changes),
            run_outcomes=tuple(history.statistics.run_outcomes),
        )

    @cached_property
    def transitions(self) -> tuple[Transition, ...]:
        """Return the recent transitions that no drill caused."""
        now = time.monotonic()
        return tuple(
            transition
            for transition in self.all_transitions
            if now - transition.monotonic_at < RECENT and not transition.drill
        )

    @cached_property
    def failure(self) -> Transition | None:
        """Return the last transition with an error since the last connection."""
        for transition in reversed(self.all_transitions):
            if self.connected or transition.cause is Cause.HELLO:
                break
            intended = transition.drill or transition.cause is Cause.STOPPED
            if transition.error and not intended:
                return transition
        return None

    @cached_property
    def reconnects(self) -> tuple[HelloChange, ...]:
        """Return the recent reconnects."""
        now = time.time()
        return tuple(
            change for change in self.hello_changes if now - change.at < RECENT
        )

    def result(self, check_id: str, *statuses: Status) -> CheckResult | None:
        """Return the result of a check that has one of the statuses."""
        results = (o.result for o in self.outcomes if o.check.id == check_id)
        return next((r for r in results if r.status in statuses), None)

    def unexplained(self, *origins: Origin) -> list[str]:
        """Return the failed checks of these origins that no suspect explains."""
        return [
            outcome.check.id
            for outcome in self.outcomes
            if outcome.result.status in FAILED_STATUSES
            and outcome.origin in origins
            and outcome.check.id not in self.explained
        ]


@dataclass(frozen=True, slots=True)
class Rule:
    """Rule that finds a suspect.

    Attributes:
        find: returns the placeholders of the sentence, or None.
        explains: checks whose failure needs no other explanation then.
        group: rules of which only the first one speaks.

    """

    key: str
    find: Find
    explains: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class Suspect:
    """Suspect; `key` is the one of its rule."""

    key: str
    placeholders: Placeholders


def find_suspects(evidence: Evidence) -> list[Suspect]:
    """Return the suspects, the likeliest first."""
    suspects: list[Suspect] = []
    groups: set[str] = set()
    for rule in RULES:
        if len(suspects) == MAX_SUSPECTS:
            break
        if rule.group in groups:
            continue
        if (placeholders := rule.find(evidence)) is not None:
            suspects.append(Suspect(rule.key, placeholders))
            evidence.explained.update(rule.explains)
            groups |= {rule.group} - {""}
    return suspects


def _client_stopped(evidence: Evidence) -> Placeholders | None:
    return {} if evidence.stopped else None


def _main_loop_errors(evidence: Evidence) -> Placeholders | None:
    failed = evidence.failure and isinstance(evidence.failure.error, UnexpectedError)
    # A client that is gone has left no count.
    count = evidence.events["main_loop_errors"] or int(bool(failed))
    return {"count": count} if count else None


def _refusal(*kinds: type[GatewayError], codes: tuple[str, ...] = ()) -> Find:
    """Return a rule for the error that keeps the client from being connected."""

    def find(evidence: Evidence) -> Placeholders | None:
        failure = evidence.failure
        error = failure.error if failure else None
        if not isinstance(error, kinds) or (codes and error.code not in codes):
            return None
        return {"code": error.code or type(error).__name__}

    return find


def _approval_missing(evidence: Evidence) -> Placeholders | None:
    error = evidence.failure.error if evidence.failure else None
    return (
        approval_placeholders(error)
        if isinstance(error, PairingRequiredError)
        else None
    )


def _protocol_unsupported(evidence: Evidence) -> Placeholders | None:
    error = evidence.failure.error if evidence.failure else None
    if not isinstance(error, UnsupportedProtocolError):
        return None
    return {"version": error.expected or "?"}


def _http_refused(evidence: Evidence) -> Placeholders | None:
    error = evidence.failure.error if evidence.failure else None
    status = error.http_status if isinstance(error, CannotConnectError) else None
    return None if status is None else {"status": status}


def _timeout(during: ConnectionState) -> Find:
    def find(evidence: Evidence) -> Placeholders | None:
        failure = evidence.failure
        if failure is None or failure.previous is not during:
            return None
        return _refusal(CannotConnectError, codes=("TIMEOUT",))(evidence)

    return find


def _handshake_pending(evidence: Evidence) -> Placeholders | None:
    if evidence.state is not ConnectionState.HANDSHAKING:
        return None
    seconds = time.monotonic() - evidence.all_transitions[-1].monotonic_at
    return {"seconds": f"{seconds:.0f}"} if seconds >= PATIENCE else None


def _certificate_changed(evidence: Evidence) -> Placeholders | None:
    result = evidence.result("transport_trust", Status.FAIL)
    if result and result.reason == "certificate_changed":
        return {}
    return _refusal(CertificateError, codes=("TLS_FINGERPRINT",))(evidence)


def _certificate_refused(evidence: Evidence) -> Placeholders | None:
    result = evidence.result("transport_trust", Status.FAIL)
    if result and result.reason == "certificate_refused":
        return result.placeholders
    return _refusal(CertificateError)(evidence)


def _gateway_unavailable(evidence: Evidence) -> Placeholders | None:
    error = evidence.failure.error if evidence.failure else None
    # A fault of the client is not the Gateway's; `main_loop_errors` names it.
    if isinstance(error, UnexpectedError):
        return None
    return _refusal(GatewayError)(evidence)


def _closed(by: str | None, *codes: int, without: tuple[int, ...] = ()) -> Find:
    """Return a rule for connections that were closed; no codes are all others."""

    def find(evidence: Evidence) -> Placeholders | None:
        closes = [
            transition.error.close
            for transition in evidence.transitions
            if transition.error and transition.error.close
        ]
        found = [
            close
            for close in closes
            if close.by == by
            and close.code not in without
            and (not codes or close.code in codes)
        ]
        if not found:
            return None
        last = found[-1]
        return {"count": len(found), "code": last.code, "reason": last.reason}

    return find


def _closed_by_gateway(*, reason: bool) -> Find:
    find_any = _closed("peer", without=(*CLOSES_IN_ORDER, TOO_LARGE))

    def find(evidence: Evidence) -> Placeholders | None:
        found = find_any(evidence)
        return found if found and bool(found["reason"]) is reason else None

    return find


def _counted(name: str) -> Find:
    """Return a rule for events since the setup of the entry."""

    def find(evidence: Evidence) -> Placeholders | None:
        count = evidence.events[name]
        return {"count": count} if count else None

    return find


def _check(check_id: str, *statuses: Status) -> Find:
    """Return a rule for a result of a check; its placeholders are the sentence's."""

    def find(evidence: Evidence) -> Placeholders | None:
        result = evidence.result(check_id, *statuses)
        return result.placeholders if result else None

    return find


def _loop_late(*, named: bool) -> Find:
    find_any = _check("loop_lag", Status.WARN)

    def find(evidence: Evidence) -> Placeholders | None:
        found = find_any(evidence)
        return found if found and bool(found["name"]) is named else None

    return find


def _gateway_slow(*, loop_late: bool) -> Find:
    def find(evidence: Evidence) -> Placeholders | None:
        result = evidence.result("round_trip", Status.WARN, Status.FAIL)
        late = evidence.result("loop_lag", Status.WARN, Status.FAIL) is not None
        observed = result.observed if result else None
        if not isinstance(observed, int | float) or late is not loop_late:
            return None
        return {"seconds": f"{observed / 1000:.1f}"}

    return find


def _gateway_not_back(evidence: Evidence) -> Placeholders | None:
    for drill in DRILLS:
        result = evidence.result(drill, Status.FAIL)
        if result and result.reason == "gateway_not_back":
            return result.placeholders
    return None


def _replies_lost(evidence: Evidence) -> Placeholders | None:
    lost = [outcome.code for outcome in lost_outcomes(evidence.run_outcomes)]
    if not lost:
        return None
    codes = ", ".join(dict.fromkeys(lost))
    return {"count": len(evidence.run_outcomes), "lost": len(lost), "codes": codes}


def _restarted(evidence: Evidence) -> Placeholders | None:
    count = sum(reconnect.restarted is True for reconnect in evidence.reconnects)
    return {"count": count} if count else None


def _line_cut(evidence: Evidence) -> Placeholders | None:
    running = [r for r in evidence.reconnects if r.restarted is False]
    cut = _closed(None)(evidence)
    return {"count": cut["count"]} if cut and running else None


def _hello_changed(evidence: Evidence) -> Placeholders | None:
    changed = [reconnect for reconnect in evidence.reconnects if reconnect.changes]
    if not changed:
        return None
    changes = (
        f"{name} {_shorten(before)} → {_shorten(now)}"
        for name, (before, now) in changed[-1].changes.items()
    )
    return {"changes": ", ".join(changes)}


def _shorten(value: object) -> str:
    """Return a value of a hello as it stands in a sentence."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"


def _home_down(evidence: Evidence) -> Placeholders | None:
    result = evidence.result("home_published", Status.FAIL)
    down = result and result.reason == "home_disconnected"
    return result.placeholders if result and down else None


def _failed(*origins: Origin) -> Find:
    """Return a rule for failed checks that no other rule explains."""

    def find(evidence: Evidence) -> Placeholders | None:
        names = evidence.unexplained(*origins)
        return {"names": ", ".join(names)} if names else None

    return find


# The errors overlap: of those that keep the client from being connected, the first rule
# that fits is the most specific one.
_UNCONNECTED: Final = tuple(
    Rule(key, find, explains, group="connection")
    for key, find, explains in (
        ("token_refused", _refusal(InvalidTokenError), ()),
        ("approval_missing", _approval_missing, ()),
        ("scopes_refused", _refusal(MissingScopeError), ()),
        ("rate_limited", _refusal(RateLimitedError), ()),
        ("device_refused", _refusal(GatewayAuthenticationError), ()),
        ("certificate_changed", _certificate_changed, TRUST),
        ("certificate_refused", _certificate_refused, TRUST),
        ("insecure_transport", _refusal(InsecureTransportError), TRUST),
        ("protocol_unsupported", _protocol_unsupported, ("protocol",)),
        ("sign_in_required", _refusal(SignInRequiredError), ()),
        ("proxy_refused", _refusal(ProxyRefusedError), ()),
        ("http_refused", _http_refused, ()),
        ("not_a_gateway", _refusal(GatewayProtocolError), ()),
        ("host_unknown", _refusal(CannotConnectError, codes=("UNKNOWN_HOST",)), ()),
        ("port_closed", _refusal(CannotConnectError, codes=("REFUSED",)), ()),
        ("handshake_overdue", _timeout(ConnectionState.HANDSHAKING), DRILLS),
        ("no_answer", _refusal(CannotConnectError, codes=NO_ANSWER), ()),
        ("tls_missing", _refusal(CannotConnectError, codes=("TLS",)), ()),
        ("gateway_starting", _refusal(CannotConnectError), ()),
        ("handshake_pending", _handshake_pending, DRILLS),
    )
)

_CLOSED: Final = tuple(
    Rule(key, find, group="connection")
    for key, find in (
        ("closed_for_reason", _closed_by_gateway(reason=True)),
        ("closed_by_gateway", _closed_by_gateway(reason=False)),
        ("message_refused", _closed("peer", TOO_LARGE)),
        ("message_too_large", _closed("us", TOO_LARGE)),
        ("gateway_silent", _closed("us", *SILENT)),
        ("gateway_unavailable", _gateway_unavailable),
    )
)

RULES: Final = (
    # The client does not run, or not as it should.
    Rule("client_stopped", _client_stopped, ("task_inventory",)),
    Rule("main_loop_errors", _main_loop_errors, ("task_exceptions",)),
    *_UNCONNECTED,
    # What this integration, or Home Assistant, does wrong.
    Rule("loop_blocked", _check("loop_lag", Status.FAIL), ("loop_lag",)),
    Rule("integration_fault", _failed(Origin.INTEGRATION)),
    Rule("loop_late_by", _loop_late(named=True)),
    Rule("loop_late", _loop_late(named=False)),
    Rule("store_not_written", _check("storage_writes", Status.FAIL), STORES),
    # What the Gateway or the network does.
    Rule("gateway_slow", _gateway_slow(loop_late=False), SLOW),
    Rule("gateway_slow_too", _gateway_slow(loop_late=True), SLOW),
    Rule("gateway_not_back", _gateway_not_back, DRILLS),
    *_CLOSED,
    Rule("frames_invalid", _counted("invalid_frames"), ("frames_decoded",)),
    Rule("replies_lost", _replies_lost),
    Rule("rights_missing", _check("scopes", Status.FAIL), ("scopes",)),
    Rule("methods_missing", _check("features", Status.FAIL), ("features",)),
    Rule("methods_not_announced", _check("features", Status.WARN)),
    Rule("clocks_differ", _check("clock_skew", Status.WARN, Status.FAIL), CLOCKS),
    Rule("responses_mixed", _counted("unknown_responses"), ("orphan_responses",)),
    Rule("run_events_skipped", _counted("skipped_run_events")),
    Rule("home_key_shared", _check("home_holder", Status.FAIL), ("home_holder",)),
    Rule("home_unapproved", _check("home_approval", Status.FAIL), ("home_approval",)),
    Rule("home_down", _home_down, ("home_published",)),
    Rule("home_hidden", _check("home_visible", Status.FAIL), ("home_visible",)),
    Rule("home_unsupported", _check("home_method", Status.WARN)),
    Rule("home_runaway", _check("home_limits", Status.WARN)),
    Rule("events_lost", _check("sequence_gaps", Status.WARN)),
    Rule("hello_changed", _hello_changed),
    Rule("gateway_restarted", _restarted),
    Rule("line_cut", _line_cut),
    Rule(
        "checks_failed", _failed(Origin.HOME_ASSISTANT, Origin.NETWORK, Origin.GATEWAY)
    ),
)
