"""Checks of the connection: its history, its hello, its trust."""

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ...gateway import (
    MAX_PROTOCOL,
    MIN_PROTOCOL,
    OPTIONAL_SCOPES,
    REQUIRED_METHODS,
    REQUIRED_SCOPES,
    Cause,
    CertificateError,
    GatewayError,
    Outcome,
    PauseReason,
    ScopeStatus,
    Timing,
    UnsupportedProtocolError,
    address_class,
    probe_endpoint,
)
from ...reports import Mode, Origin, Status
from .. import detectors
from ..model import CheckResult, Component, check, expect_none, for_each_client
from ..prerequisites import connected

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from ...gateway import Endpoint, GatewayClient, Hello, Transition
    from ..model import CheckContext

MAX_PASSED_CLOCK_SKEW: Final = 30.0
MAX_WARNED_CLOCK_SKEW: Final = 120.0

# Causes of attempts that the schedule has made. A resume is none: the user, or a
# drill, asked for it.
ATTEMPTS: Final = (Cause.STARTED, Cause.RETRY)

# Pauses without a recheck; the others end by themselves, but not early.
USER_ACTION_PAUSES: Final = (
    PauseReason.TOKEN,
    PauseReason.SCOPES,
    PauseReason.TRANSPORT,
)
# Optional scopes of which nothing is missing.
GRANTED: Final = (ScopeStatus.OFF, ScopeStatus.GRANTED)
MIN_PAUSE: Final = 30.0
PAUSE_TOLERANCE: Final = 1.0

# v3 counts events for all its clients together, so that gaps mean nothing.
MIN_PROTOCOL_WITH_SEQUENCE: Final = 4

FINGERPRINT_CHANGED: Final = "TLS_FINGERPRINT"
# Shorter than the check.
PROBE_TIMING: Final = Timing(connect_timeout=3)


@check(component=Component.GATEWAY)
@for_each_client
async def check_backoff_schedule(
    _context: CheckContext, client: GatewayClient
) -> CheckResult:
    """Delays and number of recent connection attempts.

    Too many attempts burden the Gateway.
    """
    timing = Timing()
    transitions = client.introspection.transitions
    retries = [t for t in transitions if t.cause in (Cause.FAILED, Cause.LOST)]
    delays = [
        t.delay for t in retries if t.delay is not None and _retry_after(t) is None
    ]
    attempts = max(map(detectors.max_per_minute, _attempts(transitions)))
    long = [t.delay for t in retries if t.delay and t.delay > _max_delay(t, attempts)]
    faults = {
        f"{attempts} attempts in a minute": attempts > timing.max_attempts,
        f"a delay of {max(long, default=0):.3g} s": bool(long),
        "the same delay again and again": detectors.constant_delays(delays),
    }
    return CheckResult(
        status=Status.FAIL if any(faults.values()) else Status.PASS,
        observed=[round(delay, 3) for delay in delays],
        unit="s",
        expected=f"<= {timing.max_delay:g}",
        placeholders={"count": len(delays), "attempts": attempts},
        details=tuple(fault for fault, found in faults.items() if found),
    )


@check(component=Component.GATEWAY)
@for_each_client
async def check_backoff_pause(
    _context: CheckContext, client: GatewayClient
) -> CheckResult:
    """Retries while user action is required.

    The Gateway locks out clients that retry a wrong token too often.
    """
    early = [
        f"{before.pause}: {_seconds_between(before, after):.3g} s"
        for before, after in pairwise(client.introspection.transitions)
        if before.pause and after.cause is Cause.RETRY and _is_early(before, after)
    ]
    return expect_none(len(early), "attempts", count=len(early), details=tuple(early))


@check(component=Component.GATEWAY, origin=Origin.GATEWAY, requires=(connected,))
async def check_clock_skew(context: CheckContext) -> CheckResult:
    """Clock difference: warning from 30 s, failure from 120 s.

    The Gateway refuses a device whose clock is too far off.
    """
    skew = _hello(context).clock_skew
    status = Status.PASS
    if abs(skew) > MAX_PASSED_CLOCK_SKEW:
        status = Status.FAIL if abs(skew) > MAX_WARNED_CLOCK_SKEW else Status.WARN
    return CheckResult(
        status=status,
        observed=round(skew, 3),
        unit="s",
        expected=f"<= {MAX_PASSED_CLOCK_SKEW:g}",
        placeholders={"seconds": f"{skew:.1f}"},
    )


@check(component=Component.GATEWAY, origin=Origin.NETWORK, requires=(connected,))
async def check_sequence_gaps(context: CheckContext) -> CheckResult:
    """Numbered events that did not arrive.

    Parts of replies may be missing.
    """
    if _hello(context).protocol < MIN_PROTOCOL_WITH_SEQUENCE:
        return CheckResult(status=Status.SKIP, reason="not_in_protocol")
    gaps = context.counted("sequence_gaps")
    # A frame that cannot be decoded has arrived, but with it goes its number.
    if gaps and context.counted("invalid_frames") >= gaps:
        return CheckResult(status=Status.SKIP, reason="gaps_of_invalid_frames")
    return CheckResult(
        status=Status.WARN if gaps else Status.PASS,
        observed=gaps,
        unit="gaps",
        expected=0,
        placeholders={"count": gaps},
    )


@check(component=Component.GATEWAY, origin=Origin.GATEWAY)
async def check_frames_decoded(context: CheckContext) -> CheckResult:
    """Frames of the Gateway that could not be decoded.

    Their content is lost: a reply, or the end of one.
    """
    invalid = context.counted("invalid_frames")
    return expect_none(
        invalid,
        "frames",
        count=invalid,
        repaired=context.counted("repaired_frames"),
        frames=context.counted("frames_in"),
    )


@check(component=Component.GATEWAY, requires=(connected,))
@for_each_client
async def check_tick_age(_context: CheckContext, client: GatewayClient) -> CheckResult:
    """Time since the last frame from the Gateway.

    A dead connection must be noticed.
    """
    if (hello := client.hello) is None:
        return CheckResult(status=Status.SKIP, reason="not_connected")
    limit = 2 * hello.policy.tick_interval
    age = client.introspection.seconds_since_last_frame or 0.0
    return CheckResult(
        status=Status.FAIL if age > limit else Status.PASS,
        observed=round(age, 3),
        unit="s",
        expected=f"<= {limit:g}",
        placeholders={"seconds": f"{age:.1f}", "limit": f"{limit:g}"},
    )


@check(component=Component.GATEWAY, requires=(connected,))
@for_each_client
async def check_receive_limit(
    _context: CheckContext, client: GatewayClient
) -> CheckResult:
    """Maximum message size against the Gateway's.

    A long reply would end the connection.
    """
    if (hello := client.hello) is None:
        return CheckResult(status=Status.SKIP, reason="not_connected")
    limit = client.introspection.receive_limit
    minimum = hello.policy.max_payload
    return CheckResult(
        status=Status.PASS if limit and limit >= minimum else Status.FAIL,
        observed=limit,
        unit="bytes",
        expected=f">= {minimum}",
        placeholders={"limit": limit or 0, "least": minimum},
    )


@check(component=Component.GATEWAY, origin=Origin.GATEWAY)
async def check_protocol(context: CheckContext) -> CheckResult:
    """Negotiated protocol version.

    Without one, nothing works.
    """
    client = context.runtime.client
    if isinstance(client.last_error, UnsupportedProtocolError):
        version, status = client.last_error.expected, Status.FAIL
    elif client.hello:
        version, status = client.hello.protocol, Status.PASS
    else:
        return CheckResult(status=Status.SKIP, reason="not_connected")
    return CheckResult(
        status=status,
        observed=version,
        expected=f"{MIN_PROTOCOL} to {MAX_PROTOCOL}",
        placeholders={"version": version or "?"},
    )


@check(component=Component.GATEWAY, origin=Origin.GATEWAY, requires=(connected,))
async def check_features(context: CheckContext) -> CheckResult:
    """Methods that are required and not offered.

    Functions that need them would fail.
    """
    methods = _hello(context).methods
    used = context.runtime.client.statistics.outcomes
    answered = {method for method, outcome in used if outcome is Outcome.OK}
    if not methods and answered & set(REQUIRED_METHODS):
        return CheckResult(
            status=Status.WARN,
            observed=0,
            unit="methods",
            expected=f">= {len(REQUIRED_METHODS)}",
            placeholders={"count": len(answered)},
        )
    return _missing_result(REQUIRED_METHODS, methods)


@check(component=Component.GATEWAY, origin=Origin.GATEWAY, requires=(connected,))
async def check_scopes(context: CheckContext) -> CheckResult:
    """Scopes that are required, or asked for by an option, and not granted.

    Requests would be refused.
    """
    result = _missing_result(REQUIRED_SCOPES, _hello(context).scopes)
    status = context.runtime.client.optional_scopes.status
    if result.status is not Status.PASS or status in GRANTED:
        return result
    return CheckResult(
        status=Status.WARN,
        observed=len(OPTIONAL_SCOPES),
        unit="names",
        expected=0,
        placeholders={"names": ", ".join(OPTIONAL_SCOPES)},
    )


@check(component=Component.SECURITY, origin=Origin.NETWORK)
async def check_transport_trust(context: CheckContext) -> CheckResult:
    """Encryption of the connection, and certificate that the Gateway shows now.

    The token and every conversation travel over it.
    """
    client = context.runtime.client
    endpoint, peer = client.endpoint, client.peer
    host = peer.address if peer else endpoint.host
    result = CheckResult(
        status=Status.PASS,
        observed=f"{_transport(endpoint)}, {address_class(host)}",
        expected="wss, or not public",
        placeholders={
            "transport": _transport(endpoint),
            "address": address_class(host),
        },
    )
    pinned = endpoint.fingerprint
    exposed = endpoint.exposed_at(host) and not endpoint.allow_insecure
    if peer and (exposed or (pinned and peer.fingerprint != pinned)):
        # The client has to refuse such a peer.
        return replace(result, status=Status.FAIL, origin=Origin.INTEGRATION)
    if error := await _certificate_error(context):
        changed = error.code == FINGERPRINT_CHANGED
        return replace(
            result,
            status=Status.FAIL,
            reason="certificate_changed" if changed else "certificate_refused",
            observed=error.code,
            placeholders={"code": error.code},
        )
    if endpoint.exposed_at(host):
        status = Status.WARN if endpoint.allow_insecure else Status.FAIL
        return replace(result, status=status)
    return result


async def _certificate_error(context: CheckContext) -> CertificateError | None:
    """Return why the certificate that the Gateway shows now is not trusted."""
    client = context.runtime.client
    error: GatewayError | None = client.last_error
    # The certificate of an open connection may have been renewed since.
    if client.peer and client.endpoint.ssl and context.mode.includes(Mode.ACTIVE):
        try:
            await probe_endpoint(client.endpoint, PROBE_TIMING)
        except GatewayError as err:
            error = err
    return error if isinstance(error, CertificateError) else None


def _transport(endpoint: Endpoint) -> str:
    return "wss" if endpoint.ssl else "ws"


def _missing_result(required: tuple[str, ...], present: Collection[str]) -> CheckResult:
    missing = [name for name in required if name not in present]
    return expect_none(
        len(missing), "names", count=len(required), names=", ".join(missing)
    )


def _hello(context: CheckContext) -> Hello:
    """Return the hello, for checks that require a connection."""
    hello = context.runtime.client.hello
    assert hello  # noqa: S101 - no await since the prerequisite
    return hello


def _attempts(transitions: Iterable[Transition]) -> list[list[float]]:
    """Return the times of all starts, and of the attempts of each client."""
    starts: list[float] = []
    clients: list[list[float]] = [[]]
    for transition in transitions:
        if transition.cause not in ATTEMPTS or transition.drill:
            continue
        # The transitions outlive a reload of the entry; the rate limit does not.
        if transition.cause is Cause.STARTED:
            starts.append(transition.monotonic_at)
            clients.append([])
        clients[-1].append(transition.monotonic_at)
    return [starts, *clients]


def _max_delay(retry: Transition, attempts: int) -> float:
    """Return the maximum delay of a retry in seconds."""
    # The Gateway may ask for more, and the rate limit demand up to a minute.
    rate_limit = detectors.MINUTE if attempts >= Timing().max_attempts else 0.0
    return max(Timing().max_delay, _retry_after(retry) or 0.0, rate_limit)


def _retry_after(transition: Transition) -> float | None:
    """Return the delay that the Gateway asked for."""
    return transition.error.retry_after if transition.error else None


def _is_early(before: Transition, after: Transition) -> bool:
    """Return whether a pause ended too early."""
    retry_after = _retry_after(before)
    minimum = MIN_PAUSE if retry_after is None else retry_after
    return (
        before.pause in USER_ACTION_PAUSES
        or _seconds_between(before, after) < minimum - PAUSE_TOLERANCE
    )


def _seconds_between(before: Transition, after: Transition) -> float:
    return after.monotonic_at - before.monotonic_at
