"""Calls of the node's tools."""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
import logging
from typing import TYPE_CHECKING, Final, cast

from ..exceptions import GatewayError, RequestFailedError, RequestTooLargeError
from ..tracebacks import Failure
from .invoke import Invocation
from .models import PAIRING_CHANGED, NodeCall, NodeCallError, NodeStatistics, OpenCall

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ..client import GatewayClient
    from ..models import Json, Payload
    from ..protocol.frames import Event
    from .models import CallHandler

RESULT: Final = "node.invoke.result"
# More than an agent calls at once; each may hold a slow integration.
MAX_OPEN_CALLS: Final = 16
# Refusals being sent; further calls get no answer.
MAX_REFUSALS: Final = 64
# Served ids to remember, so that a repeated request is served once.
MAX_REMEMBERED_CALLS: Final = 512
# Seconds; the Gateway refuses a result for a moment after an approval.
RESEND_DELAY: Final = 0.2
FAILED: Final = ("INTERNAL_ERROR", "The home could not carry out the call.")
BUSY: Final = ("BUSY", "The home serves other calls; try again shortly.")
NOT_READY: Final = ("NODE_NOT_READY", "Home Assistant is starting.")
TOO_LARGE: Final = ("RESULT_TOO_LARGE", "The result is too large; ask for less.")

_LOGGER = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Serving:
    """Call in progress, and its task."""

    info: OpenCall
    task: asyncio.Task[object]


class NodeCalls:
    """Open calls by id.

    A call leaves the map when it ends, in whatever way: result, failure, deadline,
    cancellation by the Gateway, end of the connection.

    Attributes:
        ready: whether the handler can serve calls.

    """

    def __init__(
        self,
        client: GatewayClient,
        handler: CallHandler,
        names: Callable[[], Collection[str]],
        on_displaced: Callable[[], object],
    ) -> None:
        """Initialize for the tools in `names`.

        `on_displaced` is called if the Gateway no longer takes our results.
        """
        self._client = client
        self._handler = handler
        self._names = names
        self._on_displaced = on_displaced
        self._serving: dict[str, _Serving] = {}
        self._served: OrderedDict[str, None] = OrderedDict()
        self._refusals = 0
        self.ready = True
        self.statistics = NodeStatistics()

    def snapshot(self) -> tuple[OpenCall, ...]:
        """Return the open calls, oldest first."""
        return tuple(serving.info for serving in self._serving.values())

    def receive(self, event: Event) -> None:
        """Serve a `node.invoke.request`."""
        invocation = Invocation.from_payload(event.payload)
        if invocation is None:
            _LOGGER.debug("Call without an id ignored")
            self.statistics.issued += 1
            self.statistics.refused += 1
        elif invocation.id in self._served:
            _LOGGER.debug("Repeated call ignored")
            self.statistics.repeated += 1
        else:
            self._remember(invocation.id)
            self.statistics.issued += 1
            self._admit(invocation)

    def cancel(self, event: Event) -> None:
        """Obey a `node.invoke.cancel`."""
        call_id = event.payload.get("invokeId")
        if isinstance(call_id, str) and (serving := self._serving.get(call_id)):
            _LOGGER.debug("Call cancelled by the Gateway")
            serving.task.cancel()

    def cancel_all(self) -> None:
        """Cancel all calls without a result."""
        for serving in tuple(self._serving.values()):
            serving.task.cancel()

    def _remember(self, call_id: str) -> None:
        self._served[call_id] = None
        if len(self._served) > MAX_REMEMBERED_CALLS:
            self._served.popitem(last=False)

    def _admit(self, invocation: Invocation) -> None:
        if not self.ready:
            self.statistics.not_ready += 1
            self._refuse(invocation, NodeCallError(*NOT_READY))
            return
        if len(self._serving) >= MAX_OPEN_CALLS:
            self.statistics.refused += 1
            self._refuse(invocation, NodeCallError(*BUSY))
            return
        try:
            tool, arguments = invocation.read_call(self._names())
        except NodeCallError as err:
            self.statistics.refused += 1
            self._refuse(invocation, err)
            return
        call = NodeCall(
            invocation.id,
            tool,
            arguments,
            invocation.session_key,
            invocation.timeout,
            invocation.command,
        )
        self._client.spawn(self._serve(call), "call")

    def _refuse(self, invocation: Invocation, error: NodeCallError) -> None:
        _LOGGER.debug("Call refused: %s", error.code)
        if self._refusals < MAX_REFUSALS:
            self._client.spawn(self._send_refusal(invocation, error), "refusal")

    async def _send_refusal(self, invocation: Invocation, error: NodeCallError) -> None:
        self._refusals += 1
        try:
            async with asyncio.timeout(invocation.timeout):
                await self._send(invocation.id, _failure(error))
        except TimeoutError, GatewayError:
            _LOGGER.debug("Refusal not delivered")
        finally:
            self._refusals -= 1

    async def _serve(self, call: NodeCall) -> None:
        loop = asyncio.get_running_loop()
        task = cast("asyncio.Task[object]", asyncio.current_task())
        now = loop.time()
        info = OpenCall(now + call.timeout, call.session_key)
        self._serving[call.id] = _Serving(info, task)
        outcome, deadline = "cancelled", asyncio.timeout_at(info.deadline)
        try:
            with suppress(TimeoutError):
                async with deadline:
                    result, reached = await self._result(call)
                    # A handler may swallow its cancellation.
                    in_time = not (deadline.expired() or task.cancelling())
                    if in_time and await self._deliver(call.id, result):
                        outcome = reached
        finally:
            del self._serving[call.id]
            # Even if the Gateway cancelled at the same time.
            outcome = "expired" if deadline.expired() else outcome
            self._count(outcome)
            _LOGGER.debug("Call %s after %.3f s", outcome, loop.time() - now)

    def _count(self, outcome: str) -> None:
        statistics = self.statistics
        setattr(statistics, outcome, getattr(statistics, outcome) + 1)

    async def _result(self, call: NodeCall) -> tuple[Payload, str]:
        """Return the handler's result and the outcome."""
        try:
            text = await self._handler(call)
        except NodeCallError as err:
            return _failure(err), "failed"
        except Exception as err:  # noqa: BLE001 - the next call may work
            self._client.statistics.task_failures["node call"] += 1
            text = Failure.from_exception(err).text
            _LOGGER.error("Unexpected exception, without its message:\n%s", text)  # noqa: TRY400
            return _failure(NodeCallError(*FAILED)), "failed"
        # The Gateway expects no content for a notification.
        result = {"ok": True} if call.is_notification else _content(text)
        return {"ok": True, "payload": result}, "answered"

    async def _deliver(self, call_id: str, result: Payload) -> bool:
        """Send a result; return whether it was taken."""
        try:
            try:
                return await self._send(call_id, result)
            except RequestTooLargeError:
                return await self._send(call_id, _failure(NodeCallError(*TOO_LARGE)))
        except GatewayError as err:
            _LOGGER.debug("Result not delivered: %s", err.code)
        return False

    async def _send(self, call_id: str, result: Payload) -> bool:
        params = {"id": call_id, "nodeId": self._client.device_id, **result}
        try:
            answer = await self._client.request(RESULT, params)
        except RequestFailedError as err:
            if not err.retryable:
                raise
            await asyncio.sleep(RESEND_DELAY)
            try:
                answer = await self._client.request(RESULT, params)
            except RequestFailedError as again:
                if again.code == PAIRING_CHANGED:
                    self._on_displaced()
                raise
        return not _ignored(answer)


def _ignored(answer: Json) -> bool:
    """Return whether the Gateway ignored the result."""
    return isinstance(answer, dict) and answer.get("ignored") is True


def _content(text: str) -> Payload:
    return {"content": [{"type": "text", "text": text}]}


def _failure(error: NodeCallError) -> Payload:
    return {"ok": False, "error": {"code": error.code, "message": error.message}}
