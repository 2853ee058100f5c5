"""Stopping runs at the Gateway, also those that nobody waits for any more."""

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from .exceptions import ConnectionLostError, GatewayError
from .models import MIN_PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Callable

    from .agent_run import AgentRun
    from .connection import Connection, Duty
    from .frames import Payload
    from .models import Hello
    from .tasks import TaskRegistry

MOST_UNSENT: Final = 32


class Aborts:
    """The runs that are to be stopped; without a connection, they are kept for one."""

    def __init__(
        self, connection: Callable[[], Connection | None], tasks: TaskRegistry
    ) -> None:
        """Send on what `connection()` returns."""
        self._connection = connection
        self._tasks = tasks
        self._unsent: deque[AgentRun] = deque(maxlen=MOST_UNSENT)

    async def abort(self, run: AgentRun) -> None:
        """Stop a run at the Gateway; without a connection, as soon as there is one."""
        connection = self._connection()
        if connection is None:
            self._unsent.append(run)
            return
        try:
            await connection.request(*_abort_request(connection.hello, run))
        except ConnectionLostError:
            self._unsent.append(run)

    def give_up(self, run: AgentRun) -> None:
        """Stop a run of which nobody wants to know how that goes."""
        self._tasks.spawn(self._abort_quietly(run), "abort")

    def duties(self) -> list[Duty]:
        """Return what a new connection has to make up for."""
        runs = list(self._unsent)
        self._unsent.clear()
        return [("abort", self._abort_quietly(run)) for run in runs]

    async def _abort_quietly(self, run: AgentRun) -> None:
        with suppress(GatewayError):
            await self.abort(run)


def _abort_request(hello: Hello, run: AgentRun) -> tuple[str, Payload]:
    """Return the method and the parameters that stop a run.

    v3's `chat.abort` knows only the runs of `chat.send`, but a command in the
    session stops any; the prefix keeps it from being taken for an empty message.
    """
    if hello.protocol == MIN_PROTOCOL:
        params = {"message": "[clawd] /stop", "idempotencyKey": uuid4().hex}
        return "chat.send", {"sessionKey": run.session_key, **params}
    return "chat.abort", {"sessionKey": run.session_key, "runId": run.run_id}
