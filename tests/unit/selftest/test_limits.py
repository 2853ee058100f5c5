"""Limits of the connection checks."""

from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from statistics import median
from types import SimpleNamespace

import pytest

from custom_components.clawd.gateway import (
    Endpoint,
    RequestTimeoutError,
    Statistics,
    UnsupportedProtocolError,
)
from custom_components.clawd.gateway.models import Hello
from custom_components.clawd.gateway.protocol.transport import Peer
from custom_components.clawd.selftest.checks import requests
from custom_components.clawd.selftest.checks.transport import (
    check_clock_skew,
    check_protocol,
    check_receive_limit,
    check_sequence_gaps,
    check_tick_age,
)
from custom_components.clawd.selftest.checks.trust import check_transport_trust
from custom_components.clawd.selftest.model import milliseconds

from .check_results import result_of

FINGERPRINT = "0" * 64
TLS = SSLContext(PROTOCOL_TLS_CLIENT)


def _hello(*, protocol: int = 4, clock_skew: float = 0, **policy: int) -> Hello:
    payload = {"type": "hello-ok", "protocol": protocol, "policy": policy}
    return Hello.from_payload(payload, clock_skew)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("seconds", "status"),
    [(30.0, "pass"), (30.1, "warn"), (120.0, "warn"), (120.1, "fail")],
)
async def test_clock_skew_limits(sign: int, seconds: float, status: str) -> None:
    result = await result_of(check_clock_skew, hello=_hello(clock_skew=sign * seconds))

    assert result.status == status


async def test_clock_skew_is_rounded() -> None:
    result = await result_of(check_clock_skew, hello=_hello(clock_skew=-1.23456))

    assert result.observed == -1.235
    assert result.placeholders == {"seconds": "-1.2"}


@pytest.mark.parametrize(
    ("protocol", "gaps", "status"), [(4, 0, "pass"), (4, 2, "warn"), (3, 2, "skip")]
)
async def test_sequence_gaps_require_numbered_events(
    protocol: int, gaps: int, status: str
) -> None:
    result = await result_of(
        check_sequence_gaps,
        hello=_hello(protocol=protocol),
        statistics=Statistics(sequence_gaps=gaps),
    )

    assert result.status == status
    assert result.reason == ("not_in_protocol" if protocol == 3 else None)


@pytest.mark.parametrize(
    ("age", "status"), [(None, "pass"), (20.0, "pass"), (20.01, "fail")]
)
async def test_tick_age_limit(age: float | None, status: str) -> None:
    hello = _hello(tickIntervalMs=10_000)

    result = await result_of(
        check_tick_age,
        hello=hello,
        introspection=SimpleNamespace(seconds_since_last_frame=age),
    )

    assert result.status == status
    assert result.observed == (age or 0)
    assert result.placeholders == {"seconds": f"{age or 0:.1f}", "limit": "20"}


@pytest.mark.parametrize(
    ("limit", "status"), [(100, "pass"), (99, "fail"), (None, "fail"), (101, "pass")]
)
async def test_receive_limit_covers_policy(limit: int | None, status: str) -> None:
    hello = _hello(maxPayload=100)

    result = await result_of(
        check_receive_limit,
        hello=hello,
        introspection=SimpleNamespace(receive_limit=limit),
    )

    assert result.status == status
    assert result.placeholders == {"limit": limit or 0, "least": 100}


@pytest.mark.parametrize(
    ("endpoint", "peer", "status", "observed"),
    [
        (Endpoint("8.8.8.8", 1), None, "fail", "ws, public"),
        (Endpoint("8.8.8.8", 1, allow_insecure=True), None, "warn", "ws, public"),
        (Endpoint("8.8.8.8", 1, TLS), None, "pass", "wss, public"),
        (Endpoint("10.0.0.1", 1), None, "pass", "ws, private"),
        (Endpoint("name", 1), Peer("8.8.8.8", None), "fail", "ws, public"),
        (Endpoint("8.8.8.8", 1), Peer("10.0.0.1", None), "pass", "ws, private"),
        (
            Endpoint("10.0.0.1", 1, TLS, FINGERPRINT),
            Peer("10.0.0.1", FINGERPRINT),
            "pass",
            "wss, private",
        ),
        (
            Endpoint("10.0.0.1", 1, TLS, FINGERPRINT),
            Peer("10.0.0.1", "1" * 64),
            "fail",
            "wss, private",
        ),
        (
            Endpoint("10.0.0.1", 1, TLS),
            Peer("10.0.0.1", "1" * 64),
            "pass",
            "wss, private",
        ),
        (Endpoint("10.0.0.1", 1, TLS, FINGERPRINT), None, "pass", "wss, private"),
    ],
)
async def test_transport_trust(
    endpoint: Endpoint, peer: Peer | None, status: str, observed: str
) -> None:
    result = await result_of(
        check_transport_trust, endpoint=endpoint, peer=peer, last_error=None
    )

    assert result.status == status
    assert result.observed == observed
    assert ", ".join(map(str, result.placeholders.values())) == observed


class SlowSystem:
    """System commands with given durations; None is a timeout."""

    def __init__(
        self, times: list[float | None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Replace the clock."""
        self.timeouts: list[float] = []
        self._times = iter(times)
        self._now = 50.0
        monkeypatch.setattr(requests, "perf_counter", lambda: self._now)

    async def health(self, timeout: float) -> None:
        """Advance the clock."""
        self.timeouts.append(timeout)
        if (seconds := next(self._times)) is None:
            raise RequestTimeoutError("injected")
        self._now += seconds


@pytest.mark.parametrize(
    ("times", "status", "slow", "longest"),
    [
        ([0.25, 0.5, 0.125, 0.25, 0.25], "pass", 500, 500),
        # After a late one more are measured: it may have been a single pause.
        ([0.25, 1.0, *[0.125] * 18], "pass", 250, 1000),
        ([0.25, 1.0, *[0.125] * 17, 1.0], "warn", 1000, 1000),
        ([0.25, 4.5, 0.125, 0.125], "warn", 4500, 4500),
        ([0.25, None], "fail", 5000, 5000),
        ([0.25, 5.0], "fail", 5000, 5000),
    ],
)
async def test_slow_round_trips_are_told_from_a_late_one(
    times: list[float | None],
    status: str,
    slow: int,
    longest: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = SlowSystem(times, monkeypatch)

    result = await result_of(requests.check_round_trip, system=client)

    # A Gateway that has taken five seconds is not asked on.
    assert client.timeouts == [5] * len(times)
    assert result.status == status
    assert result.observed == slow
    assert result.placeholders == {
        "median": milliseconds(median(map(_or_limit, times))),
        "slow": str(slow),
        "longest": str(longest),
    }


def _or_limit(seconds: float | None) -> float:
    return requests.ROUND_TRIP_FAIL if seconds is None else seconds


@pytest.mark.parametrize(("expected", "version"), [(9, 9), (None, "?")])
async def test_unsupported_protocol_is_named(
    expected: int | None, version: int | str
) -> None:
    error = UnsupportedProtocolError("injected", expected=expected)

    result = await result_of(check_protocol, last_error=error, hello=None)

    assert result.status == "fail"
    assert result.observed == expected
    assert result.placeholders == {"version": version}


async def test_protocol_check_without_hello_is_skipped() -> None:
    result = await result_of(check_protocol, last_error=None, hello=None)

    assert (result.status, result.reason) == ("skip", "not_connected")
