"""Outcomes of pending requests."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
import pytest

from custom_components.clawd.gateway import (
    ConnectionLostError,
    Outcome,
    RequestFailedError,
    RequestTimeoutError,
    Statistics,
)
from custom_components.clawd.gateway.protocol.frames import Response, ResponseError
from custom_components.clawd.gateway.protocol.pending import (
    MAX_REMEMBERED_IDS,
    PendingRequest,
    PendingRequests,
)
from tests.unit.clock import ClockLoop

FAILURE = ResponseError("UNAVAILABLE", "", {}, retryable=False, retry_after=None)
LOST = ConnectionLostError("x")
ERRORS = {
    Outcome.OK: type(None),
    Outcome.ERROR: RequestFailedError,
    Outcome.TIMEOUT: RequestTimeoutError,
    Outcome.LOST: ConnectionLostError,
}


def success(request_id: str, payload: object = None) -> Response:
    return Response(request_id, ok=True, payload=payload or {}, error=None)


def failure(request_id: str) -> Response:
    return Response(request_id, ok=False, payload={}, error=FAILURE)


@pytest.fixture
def statistics() -> Statistics:
    return Statistics()


@pytest.fixture
def pending(statistics: Statistics) -> PendingRequests:
    return PendingRequests(statistics)


async def test_response_resolves_request(pending: PendingRequests) -> None:
    one, two = pending.open("a", 1), pending.open("b", 1)
    pending.resolve(success(two.id, {"for": "two"}))
    pending.resolve(success(one.id, {"for": "one"}))
    assert [await one.future, await two.future] == [{"for": "one"}, {"for": "two"}]
    assert len(pending) == 0


async def test_error_response_fails_request(pending: PendingRequests) -> None:
    request = pending.open("config.get", 1)
    pending.resolve(failure(request.id))
    with pytest.raises(RequestFailedError, match=r"^config\.get failed: UNAVAILABLE$"):
        await request.future
    assert len(pending) == 0


async def test_request_is_removed_on_timeout(
    pending: PendingRequests, statistics: Statistics
) -> None:
    request = pending.open("health", 0)
    with pytest.raises(RequestTimeoutError, match="no response to health in time"):
        await request.future
    pending.resolve(success(request.id))
    assert len(pending) == 0
    assert statistics.outcomes == {("health", Outcome.TIMEOUT): 1}
    assert statistics.late_responses == 1


async def test_request_is_removed_on_cancellation(
    pending: PendingRequests, statistics: Statistics
) -> None:
    request = pending.open("health", 1)
    waiter = asyncio.ensure_future(request.future)
    waiter.cancel()
    pending.resolve(success(request.id))
    await asyncio.wait([waiter])
    await asyncio.sleep(0)
    pending.resolve(success(request.id))
    assert len(pending) == 0
    assert statistics.outcomes == {("health", Outcome.CANCELLED): 1}
    assert statistics.late_responses == 2


async def test_cancelled_request_stays_cancelled_on_connection_loss(
    pending: PendingRequests,
) -> None:
    request = pending.open("health", 1)
    request.future.cancel()
    pending.fail_all(LOST)
    assert request.future.cancelled()
    assert len(pending) == 0


async def test_connection_loss_fails_every_request(
    pending: PendingRequests, statistics: Statistics
) -> None:
    requests = [pending.open("health", 1) for _ in range(3)]
    pending.fail_all(LOST)
    assert len(pending) == 0
    for request in requests:
        with pytest.raises(ConnectionLostError):
            await request.future
    assert statistics.outcomes == {("health", Outcome.LOST): 3}


async def test_unawaited_error_is_not_reported(
    pending: PendingRequests,
) -> None:
    pending.open("health", 1)
    pending.fail_all(LOST)


async def test_second_response_is_counted_as_duplicate(
    pending: PendingRequests, statistics: Statistics
) -> None:
    request = pending.open("health", 1)
    pending.resolve(success(request.id, {"n": 1}))
    pending.resolve(success(request.id, {"n": 2}))
    assert await request.future == {"n": 1}
    assert (statistics.duplicate_responses, statistics.late_responses) == (1, 0)


async def test_unknown_response_is_counted(
    pending: PendingRequests, statistics: Statistics
) -> None:
    pending.resolve(success("unknown"))
    assert statistics.unknown_responses == 1


async def test_answered_ids_are_remembered_up_to_limit(
    pending: PendingRequests, statistics: Statistics
) -> None:
    ids = [pending.open("health", 1).id for _ in range(MAX_REMEMBERED_IDS + 1)]
    for request_id in ids:
        pending.resolve(success(request_id))
    pending.resolve(success(ids[0]))
    pending.resolve(success(ids[1]))
    assert (statistics.unknown_responses, statistics.duplicate_responses) == (1, 1)


@pytest.mark.parametrize("status", ["accepted", "in_flight"])
async def test_accepted_response_keeps_request_pending(
    pending: PendingRequests, status: str
) -> None:
    accepted: list[int] = []

    def accept(_: object) -> float:
        accepted.append(1)
        return 60

    request = pending.open("agent", 0, accept)
    pending.resolve(success(request.id, {"status": status}))
    await asyncio.sleep(0)
    assert accepted == [1]
    assert [open_request.id for open_request in pending.snapshot()] == [request.id]
    pending.resolve(success(request.id, {"status": "ok"}))
    assert await request.future == {"status": "ok"}


async def test_accepted_response_resolves_single_response_request(
    pending: PendingRequests,
) -> None:
    request = pending.open("health", 1)
    pending.resolve(success(request.id, {"status": "accepted"}))
    assert await request.future == {"status": "accepted"}


@pytest.mark.parametrize("payload", [[], "accepted", {"status": ["accepted"]}, {}])
async def test_only_accepted_payload_is_interim_response(
    pending: PendingRequests, payload: object
) -> None:
    request = pending.open("agent", 1, lambda _: 60)
    pending.resolve(Response(request.id, ok=True, payload=payload, error=None))
    assert await request.future == payload


async def test_method_of_response(pending: PendingRequests) -> None:
    request = pending.open("health", 1)
    assert pending.method_of(success(request.id)) == "health"
    assert pending.method_of(success("unknown")) == ""
    pending.fail_all(LOST)


@dataclass(eq=False)
class TrackedRequest:
    """Request with expected deadline and outcome."""

    request: PendingRequest
    due: float
    outcome: Outcome | None = None


class PendingRequestsMachine(RuleBasedStateMachine):
    """State machine of requests and their outcomes."""

    requests: Bundle[TrackedRequest] = Bundle("requests")

    def __init__(self) -> None:
        """Start without requests."""
        super().__init__()
        self.loop = ClockLoop()
        self.statistics = Statistics()
        self.pending = PendingRequests(self.statistics)
        self.tracked: list[TrackedRequest] = []
        self.late = self.duplicate = self.unknown = 0

    def teardown(self) -> None:
        """End all requests and check that none is left."""
        self.lose_connection()
        self.statistics_match()
        assert all(tracked.request.future.done() for tracked in self.tracked)
        self.loop.close()

    @rule(
        target=requests,
        seconds=st.sampled_from([1, 5, 30]),
        on_accepted=st.sampled_from([None, lambda _: 60.0]),
    )
    def open_request(
        self, seconds: float, on_accepted: Callable[[object], float] | None
    ) -> TrackedRequest:
        """Send a request."""

        async def send() -> PendingRequest:
            return self.pending.open("health", seconds, on_accepted)

        request = self.loop.run_until_complete(send())
        self.tracked.append(TrackedRequest(request, self.loop.now + seconds))
        return self.tracked[-1]

    @rule(tracked=requests, ok=st.booleans(), times=st.sampled_from([1, 1, 2]))
    def respond(self, tracked: TrackedRequest, *, ok: bool, times: int) -> None:
        """Send a response, once or twice."""
        request_id = tracked.request.id
        response = success(request_id) if ok else failure(request_id)
        for _ in range(times):
            self.pending.resolve(response)
            self._expect_response(tracked, Outcome.OK if ok else Outcome.ERROR)
        self.loop.advance()

    @rule(tracked=requests)
    def accept(self, tracked: TrackedRequest) -> None:
        """Send an interim response."""

        async def resolve() -> None:
            self.pending.resolve(success(tracked.request.id, {"status": "accepted"}))

        self.loop.run_until_complete(resolve())
        if tracked.outcome is None and tracked.request.on_accepted:
            tracked.due = self.loop.now + 60
        else:
            self._expect_response(tracked, Outcome.OK)

    @rule(tracked=requests, with_response=st.booleans())
    def cancel(self, tracked: TrackedRequest, *, with_response: bool) -> None:
        """Cancel a request, optionally during its response."""
        tracked.request.future.cancel()
        tracked.outcome = tracked.outcome or Outcome.CANCELLED
        if with_response:
            self.pending.resolve(success(tracked.request.id))
            self._expect_response(tracked, Outcome.OK)
        self.loop.advance()

    @rule()
    def respond_to_unknown_id(self) -> None:
        """Send a response to an unknown id."""
        self.pending.resolve(success("unknown"))
        self.unknown += 1

    @rule(seconds=st.sampled_from([0.5, 3, 30, 90]))
    def advance_time(self, seconds: float) -> None:
        """Advance the time past deadlines."""
        self.loop.advance(seconds)
        for tracked in self.tracked:
            if tracked.due <= self.loop.now:
                tracked.outcome = tracked.outcome or Outcome.TIMEOUT

    @rule()
    def lose_connection(self) -> None:
        """Fail all pending requests."""
        self.pending.fail_all(LOST)
        self.loop.advance()
        for tracked in self.tracked:
            tracked.outcome = tracked.outcome or Outcome.LOST

    @invariant()
    def statistics_match(self) -> None:
        """Compare the statistics with the expected outcomes."""
        statistics = self.statistics
        open_ids = [
            tracked.request.id for tracked in self.tracked if tracked.outcome is None
        ]
        assert [request.id for request in self.pending.snapshot()] == open_ids
        assert len(self.pending) == len(open_ids)
        in_flight = statistics.requests_issued - statistics.requests_completed
        assert in_flight == len(open_ids)
        outcomes = Counter(
            ("health", tracked.outcome) for tracked in self.tracked if tracked.outcome
        )
        assert statistics.outcomes == outcomes
        assert statistics.late_responses == self.late
        assert statistics.duplicate_responses == self.duplicate
        assert statistics.unknown_responses == self.unknown

    @invariant()
    def deadlines_match(self) -> None:
        """Compare the deadlines of pending requests."""
        for tracked in self.tracked:
            assert tracked.outcome or tracked.request.deadline == tracked.due

    @invariant()
    def futures_match_outcomes(self) -> None:
        """Compare the futures with the outcomes."""
        for tracked in self.tracked:
            future = tracked.request.future
            match tracked.outcome:
                case None:
                    assert not future.done()
                case Outcome.CANCELLED:
                    assert future.cancelled()
                case outcome:
                    assert type(future.exception()) is ERRORS[outcome]

    def _expect_response(self, tracked: TrackedRequest, outcome: Outcome) -> None:
        match tracked.outcome:
            case None:
                tracked.outcome = outcome
            case Outcome.OK | Outcome.ERROR:
                self.duplicate += 1
            case _:
                self.late += 1


TestPendingRequests = PendingRequestsMachine.TestCase
TestPendingRequests.settings = settings(max_examples=40, stateful_step_count=30)
