"""Suspects of the connection: attempts that failed, and closes."""

import time
from typing import Final

from ...error_mapping import approval_placeholders
from ...gateway import (
    CannotConnectError,
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
from ...reports import Status
from .evidence import Evidence
from .rule import Find, Placeholders, Rule

# Seconds after which an attempt without an answer is more than a slow one.
PATIENCE: Final = 1.0
# Close codes: of an orderly end, of a message that is too large, of a peer that does
# not answer pings or sends nothing.
CLOSES_IN_ORDER: Final = (1000, 1001, 1012)
TOO_LARGE: Final = 1009
SILENT: Final = (1011, 4000)
# Checks that fail with a Gateway that does not answer, or not in time.
DRILLS: Final = ("drill_restart", "drill_abort")
TRUST: Final = ("transport_trust",)
# Codes of attempts that nothing answered; `REFUSED` is an answer of the machine.
NO_ANSWER: Final = ("TIMEOUT", "UNREACHABLE", "INVALID_HOST")


def _refusal(*kinds: type[GatewayError], codes: tuple[str, ...] = ()) -> Find:
    """Return a rule for the blocking error."""

    def find(evidence: Evidence) -> Placeholders | None:
        error = evidence.error
        if not isinstance(error, kinds) or (codes and error.code not in codes):
            return None
        return {"code": error.code or type(error).__name__}

    return find


def _approval_missing(evidence: Evidence) -> Placeholders | None:
    if not isinstance(evidence.error, PairingRequiredError):
        return None
    return approval_placeholders(evidence.error)


def _protocol_unsupported(evidence: Evidence) -> Placeholders | None:
    error = evidence.error
    if not isinstance(error, UnsupportedProtocolError):
        return None
    return {"version": error.expected or "?"}


def _http_refused(evidence: Evidence) -> Placeholders | None:
    error = evidence.error
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
    # A fault of the client is not the Gateway's; `main_loop_errors` names it.
    if isinstance(evidence.error, UnexpectedError):
        return None
    return _refusal(GatewayError)(evidence)


def closed(by: str | None, *codes: int, without: tuple[int, ...] = ()) -> Find:
    """Return a rule for closed connections.

    Without codes, for all other codes.
    """

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
    find_any = closed("peer", without=(*CLOSES_IN_ORDER, TOO_LARGE))

    def find(evidence: Evidence) -> Placeholders | None:
        found = find_any(evidence)
        return found if found and bool(found["reason"]) is reason else None

    return find


# The errors overlap: of those that keep the client from being connected, the first rule
# that fits is the most specific one.
UNCONNECTED: Final = tuple(
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
CLOSED: Final = tuple(
    Rule(key, find, group="connection")
    for key, find in (
        ("closed_for_reason", _closed_by_gateway(reason=True)),
        ("closed_by_gateway", _closed_by_gateway(reason=False)),
        ("message_refused", closed("peer", TOO_LARGE)),
        ("message_too_large", closed("us", TOO_LARGE)),
        ("gateway_silent", closed("us", *SILENT)),
        ("gateway_unavailable", _gateway_unavailable),
    )
)
