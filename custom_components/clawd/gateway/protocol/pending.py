"""Pending requests."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
import logging
from typing import TYPE_CHECKING, Final

from ..exceptions import GatewayError, RequestTimeoutError
from ..statistics import Outcome, Statistics
from .error_codes import error_from_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..models import Json
    from .frames import Response

MAX_REMEMBERED_IDS: Final = 256

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True)
class PendingRequest:
    """Pending request.

    Times in seconds of the event loop's clock.
    """

    id: str
    method: str
    deadline: float
    future: asyncio.Future[Json] = field(repr=False)
    on_accepted: Callable[[Json], float] | None = field(default=None, repr=False)
    timer: asyncio.TimerHandle = field(init=False, repr=False)


class PendingRequests:
    """Open requests by id.

    A request leaves the map when it ends, in whatever way: response, error,
    timeout, cancellation by the caller, end of the connection.
    """

    def __init__(self, statistics: Statistics) -> None:
        """Initialize without requests."""
        self._statistics = statistics
        self._requests: dict[str, PendingRequest] = {}
        self._answered: deque[str] = deque(maxlen=MAX_REMEMBERED_IDS)
        self._abandoned: deque[str] = deque(maxlen=MAX_REMEMBERED_IDS)
        self._counter = 0

    def __len__(self) -> int:
        """Return the number of open requests."""
        return len(self._requests)

    def snapshot(self) -> tuple[PendingRequest, ...]:
        """Return the open requests, oldest first."""
        return tuple(self._requests.values())

    def open(
        self,
        method: str,
        timeout: float,
        on_accepted: Callable[[Json], float] | None = None,
    ) -> PendingRequest:
        """Register a request with a timeout in seconds.

        With `on_accepted`, a first response of status `accepted` does not end the
        request: the callback returns the timeout of the final response in seconds.
        """
        loop = asyncio.get_running_loop()
        self._counter += 1
        request = PendingRequest(
            str(self._counter),
            method,
            loop.time() + timeout,
            loop.create_future(),
            on_accepted,
        )
        request.future.add_done_callback(lambda _: self._discard(request))
        request.timer = loop.call_later(timeout, self._expire, request)
        self._requests[request.id] = request
        self._statistics.requests_issued += 1
        return request

    def resolve(self, response: Response) -> None:
        """Resolve the request of a response.

        An unknown response is counted.
        """
        request = self._requests.get(response.id)
        if request is None:
            self._count_orphan(response.id)
        elif request.future.done():
            self._statistics.late_responses += 1
        elif response.error is not None:
            error = error_from_response(response.error, request.method)
            _LOGGER.debug(
                "Request %s (%s) refused: %s", request.id, request.method, error.code
            )
            self._complete(request, Outcome.ERROR, error)
        elif request.on_accepted and _is_interim(response):
            self._extend(request, request.on_accepted(response.payload))
        else:
            self._complete(request, Outcome.OK, response.payload)

    def method_of(self, response: Response) -> str:
        """Return the method of a response's request."""
        request = self._requests.get(response.id)
        return request.method if request else ""

    def fail_response(self, request_id: str, error: GatewayError) -> None:
        """Fail the request of an invalid response."""
        if request := self._requests.get(request_id):
            self._complete(request, Outcome.ERROR, error)

    def fail(self, request: PendingRequest, error: GatewayError) -> None:
        """Fail an unsent request."""
        self._complete(request, Outcome.ERROR, error)

    def fail_all(self, error: GatewayError) -> None:
        """End every open request with an error."""
        for request in self.snapshot():
            self._complete(request, Outcome.LOST, error)

    def _complete(
        self, request: PendingRequest, outcome: Outcome, result: Json | GatewayError
    ) -> None:
        self._remove(request, outcome)
        if request.future.done():
            return
        if isinstance(result, GatewayError):
            code = result.code or type(result).__name__
            self._statistics.count_error(request.method, code)
            request.future.set_exception(result)
            # Mark it as retrieved: the caller may be gone, and asyncio would log it.
            request.future.exception()
        else:
            request.future.set_result(result)

    def _expire(self, request: PendingRequest) -> None:
        _LOGGER.debug("Request %s (%s) timed out", request.id, request.method)
        error = RequestTimeoutError(f"no response to {request.method} in time")
        self._complete(request, Outcome.TIMEOUT, error)

    def _extend(self, request: PendingRequest, timeout: float) -> None:
        loop = asyncio.get_running_loop()
        request.timer.cancel()
        request.deadline = loop.time() + timeout
        request.timer = loop.call_later(timeout, self._expire, request)

    def _discard(self, request: PendingRequest) -> None:
        if request.id in self._requests:
            self._remove(request, Outcome.CANCELLED)

    def _remove(self, request: PendingRequest, outcome: Outcome) -> None:
        del self._requests[request.id]
        request.timer.cancel()
        answered = outcome in (Outcome.OK, Outcome.ERROR)
        (self._answered if answered else self._abandoned).append(request.id)
        self._statistics.requests_completed += 1
        self._statistics.outcomes[request.method, outcome] += 1

    def _count_orphan(self, request_id: str) -> None:
        if request_id in self._abandoned:
            self._statistics.late_responses += 1
        elif request_id in self._answered:
            self._statistics.duplicate_responses += 1
        else:
            self._statistics.unknown_responses += 1


def _is_interim(response: Response) -> bool:
    # `agent` is answered twice under one id: {"status": "accepted", "runId": …}
    # first, {"status": "ok", "result": {…}} at the end. v4 answers a repeated
    # request of a running run with `in_flight`.
    match response.payload:
        case {"status": "accepted" | "in_flight"}:
            return True
    return False
