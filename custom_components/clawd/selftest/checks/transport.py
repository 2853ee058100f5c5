"""Checks of the connection, its frames and its hello."""

from typing import TYPE_CHECKING, Final

from ...gateway import (
    MAX_PROTOCOL,
    MIN_PROTOCOL,
    OPTIONAL_SCOPES,
    REQUIRED_METHODS,
    REQUIRED_SCOPES,
    Outcome,
    ScopeStatus,
    UnsupportedProtocolError,
)
from ...reports import Origin, Status
from ..model import (
    CheckResult,
    Component,
    check,
    expect_none,
    for_each_client,
    warn_if_any,
)
from ..prerequisites import connected

if TYPE_CHECKING:
    from collections.abc import Collection

    from ...gateway import GatewayClient, Hello
    from ..model import CheckContext

MAX_PASSED_CLOCK_SKEW: Final = 30.0
MAX_WARNED_CLOCK_SKEW: Final = 120.0
# States without a missing optional scope.
GRANTED: Final = (ScopeStatus.OFF, ScopeStatus.GRANTED)


@check(component=Component.GATEWAY, origin=Origin.GATEWAY, requires=(connected,))
async def check_clock_skew(context: CheckContext) -> CheckResult:
    """Clock difference: warning from 30 s, failure from 120 s.

    The Gateway refuses devices with a clock too far off.
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
    """Missing numbers in the sequence of events.

    Parts of replies may be missing.
    """
    if not _hello(context).numbers_events:
        return CheckResult(status=Status.SKIP, reason="not_in_protocol")
    gaps = context.counted("sequence_gaps")
    # An invalid frame has arrived, but its number is unknown.
    if gaps and context.counted("invalid_frames") >= gaps:
        return CheckResult(status=Status.SKIP, reason="gaps_of_invalid_frames")
    return warn_if_any(gaps, "gaps")


@check(component=Component.GATEWAY, origin=Origin.GATEWAY)
async def check_frames_decoded(context: CheckContext) -> CheckResult:
    """Invalid frames from the Gateway.

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
    """Time since the last frame.

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
    """Missing required methods of the Gateway.

    Dependent functions would fail.
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
    """Missing scopes, required or requested.

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


def _missing_result(required: tuple[str, ...], present: Collection[str]) -> CheckResult:
    missing = [name for name in required if name not in present]
    return expect_none(
        len(missing), "names", count=len(required), names=", ".join(missing)
    )


def _hello(context: CheckContext) -> Hello:
    """Return the hello of an established connection."""
    hello = context.runtime.client.hello
    assert hello  # noqa: S101 - no await since the prerequisite
    return hello
