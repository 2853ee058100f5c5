"""Every request ends, once, and is forgotten in that moment."""

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


def answer(request_id: str, payload: object = None) -> Response:
    return Response(request_id, ok=True, payload=payload or {}, error=None)


def refusal(request_id: str) -> Response:
    return Response(request_id, ok=False, payload={}, error=FAILURE)


@pytest.fixture
def statistics() -> Statistics:
    return Statistics()


@pytest.fixture
def pending(statistics: Statistics) -> PendingRequests:
    return PendingRequests(statistics)


async def test_response_resolves_request(pending: PendingRequests) -> None:
    one, two = pending.open("a", 1), pending.open("b", 1)
    pending.resolve(answer(two.id, {"for": "two"}))
    pending.resolve(answer(one.id, {"for": "one"}))
    assert [await one.future, await two.future] == [{"for": "one"}, {"for": "two"}]
    assert len(pending) == 0


async def test_error_response_fails_request(pending: PendingRequests) -> None:
    request = pending.open("config.get", 1)
    pending.resolve(refusal(request.id))
    with pytest.raises(RequestFailedError, match=r"^config\.get failed: UNAVAILABLE$"):
        await request.future
    assert len(pending) == 0


async def test_request_is_removed_on_timeout(
    pending: PendingRequests, statistics: Statistics
) -> None:
    request = pending.open("health", 0)
    with pytest.raises(RequestTimeoutError, match="no response to health in time"):
        await request.future
    pending.resolve(answer(request.id))
    assert len(pending) == 0
    assert statistics.outcomes == {("health", Outcome.TIMEOUT): 1}
    assert statistics.late_responses == 1


async def test_request_is_removed_on_cancellation(
    pending: PendingRequests, statistics: Statistics
) -> None:
    request = pending.open("health", 1)
    waiter = asyncio.ensure_future(request.future)
    waiter.cancel()
    pending.resolve(answer(request.id))
    await asyncio.wait([waiter])
    await asyncio.sleep(0)
    pending.resolve(answer(request.id))
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
    pending.resolve(answer(request.id, {"n": 1}))
    pending.resolve(answer(request.id, {"n": 2}))
    assert await request.future == {"n": 1}
    assert (statistics.duplicate_responses, statistics.late_responses) == (1, 0)


async def test_unknown_response_is_counted(
    pending: PendingRequests, statistics: Statistics
) -> None:
    pending.resolve(answer("nobody"))
    assert statistics.unknown_responses == 1


async def test_answered_ids_are_remembered_up_to_limit(
    pending: PendingRequests, statistics: Statistics
) -> None:
    ids = [pending.open("health", 1).id for _ in range(MAX_REMEMBERED_IDS + 1)]
    for request_id in ids:
        pending.resolve(answer(request_id))
    pending.resolve(answer(ids[0]))
    pending.resolve(answer(ids[1]))
    assert (statistics.unknown_responses, statistics.duplicate_responses) == (1, 1)


@pytest.mark.parametrize("status", ["accepted", "in_flight"])
async def test_accepted_response_keeps_request_pending(
    pending: PendingRequests, status: str
) -> None:
    accepted: list[int] = []

    def accept() -> float:
        accepted.append(1)
        return 60

    request = pending.open("agent", 0, accept)
    pending.resolve(answer(request.id, {"status": status}))
    await asyncio.sleep(0)
    assert accepted == [1]
    assert [open_request.id for open_request in pending.snapshot()] == [request.id]
    pending.resolve(answer(request.id, {"status": "ok"}))
    assert await request.future == {"status": "ok"}


async def test_accepted_response_resolves_single_response_request(
    pending: PendingRequests,
) -> None:
    request = pending.open("health", 1)
    pending.resolve(answer(request.id, {"status": "accepted"}))
    assert await request.future == {"status": "accepted"}


@pytest.mark.parametrize("payload", [[], "accepted", {"status": ["accepted"]}, {}])
async def test_only_accepted_payload_is_interim_response(
    pending: PendingRequests, payload: object
) -> None:
    request = pending.open("agent", 1, lambda: 60)
    pending.resolve(Response(request.id, ok=True, payload=payload, error=None))
    assert await request.future == payload


async def test_method_of_response(pending: PendingRequests) -> None:
    request = pending.open("health", 1)
    assert pending.method_of(answer(request.id)) == "health"
    assert pending.method_of(answer("nobody")) == ""
    pending.fail_all(LOST)


@dataclass(eq=False)
class Asked:
    """A request, when it is due, and how it must have ended."""

    request: PendingRequest
    due: float
    end: Outcome | None = None


class Machine(RuleBasedStateMachine):
    """Requests that end in every way, in every order."""

    requests: Bundle[Asked] = Bundle("requests")

    def __init__(self) -> None:
        """Start with nothing open."""
        super().__init__()
        self.loop = ClockLoop()
        self.statistics = Statistics()
        self.pending = PendingRequests(self.statistics)
        self.asked: list[Asked] = []
        self.late = self.duplicate = self.alien = 0

    def teardown(self) -> None:
        """End what is open; afterwards nothing may be."""
        self.lose_the_connection()
        self.the_books_balance()
        assert all(asked.request.future.done() for asked in self.asked)
        self.loop.close()

    @rule(
        target=requests,
        seconds=st.sampled_from([1, 5, 30]),
        on_accepted=st.sampled_from([None, lambda: 60.0]),
    )
    def ask(self, seconds: float, on_accepted: Callable[[], float] | None) -> Asked:
        """Send a request."""

        async def open_request() -> PendingRequest:
            return self.pending.open("health", seconds, on_accepted)

        request = self.loop.run_until_complete(open_request())
        self.asked.append(Asked(request, self.loop.now + seconds))
        return self.asked[-1]

    @rule(asked=requests, ok=st.booleans(), times=st.sampled_from([1, 1, 2]))
    def respond(self, asked: Asked, *, ok: bool, times: int) -> None:
        """CheckOutcome a request, open or not, once or twice."""
        request_id = asked.request.id
        response = answer(request_id) if ok else refusal(request_id)
        for _ in range(times):
            self.pending.resolve(response)
            self._expect_response(asked, Outcome.OK if ok else Outcome.ERROR)
        self.loop.advance()

    @rule(asked=requests)
    def accept(self, asked: Asked) -> None:
        """Send the first of two responses."""

        async def resolve() -> None:
            self.pending.resolve(answer(asked.request.id, {"status": "accepted"}))

        self.loop.run_until_complete(resolve())
        if asked.end is None and asked.request.on_accepted:
            asked.due = self.loop.now + 60
        else:
            self._expect_response(asked, Outcome.OK)

    @rule(asked=requests, answered=st.booleans())
    def give_up(self, asked: Asked, *, answered: bool) -> None:
        """Cancel the caller, maybe while the response arrives."""
        asked.request.future.cancel()
        asked.end = asked.end or Outcome.CANCELLED
        if answered:
            self.pending.resolve(answer(asked.request.id))
            self._expect_response(asked, Outcome.OK)
        self.loop.advance()

    @rule()
    def answer_nobody(self) -> None:
        """CheckOutcome what was never asked."""
        self.pending.resolve(answer("nobody"))
        self.alien += 1

    @rule(seconds=st.sampled_from([0.5, 3, 30, 90]))
    def let_time_pass(self, seconds: float) -> None:
        """Let deadlines pass."""
        self.loop.advance(seconds)
        for asked in self.asked:
            if asked.due <= self.loop.now:
                asked.end = asked.end or Outcome.TIMEOUT

    @rule()
    def lose_the_connection(self) -> None:
        """End everything."""
        self.pending.fail_all(LOST)
        self.loop.advance()
        for asked in self.asked:
            asked.end = asked.end or Outcome.LOST

    @invariant()
    def the_books_balance(self) -> None:
        """Compare the books with what must have happened."""
        books = self.statistics
        open_ids = [asked.request.id for asked in self.asked if asked.end is None]
        assert [request.id for request in self.pending.snapshot()] == open_ids
        assert len(self.pending) == len(open_ids)
        assert books.requests_issued - books.requests_completed == len(open_ids)
        ends = Counter(("health", asked.end) for asked in self.asked if asked.end)
        assert books.outcomes == ends
        assert books.late_responses == self.late
        assert books.duplicate_responses == self.duplicate
        assert books.unknown_responses == self.alien

    @invariant()
    def every_request_knows_its_deadline(self) -> None:
        """Compare the deadlines of the open requests with when they are due."""
        for asked in self.asked:
            assert asked.end or asked.request.deadline == asked.due

    @invariant()
    def every_future_tells_its_end(self) -> None:
        """Look into the futures."""
        for asked in self.asked:
            future = asked.request.future
            match asked.end:
                case None:
                    assert not future.done()
                case Outcome.CANCELLED:
                    assert future.cancelled()
                case end:
                    assert type(future.exception()) is ERRORS[end]

    def _expect_response(self, asked: Asked, end: Outcome) -> None:
        match asked.end:
            case None:
                asked.end = end
            case Outcome.OK | Outcome.ERROR:
                self.duplicate += 1
            case _:
                self.late += 1


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=40, stateful_step_count=30)
