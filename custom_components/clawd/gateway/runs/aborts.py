"""Stopping runs at the Gateway."""

import asyncio
from collections import deque
from contextlib import suppress
import logging
from typing import TYPE_CHECKING, Final

from ..commands import ChatCommands
from ..exceptions import ConnectionLostError, GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..protocol.connection import Connection, ConnectionTask
    from ..tasks import TaskRegistry
    from .run import AgentRun

MAX_UNSENT_ABORTS: Final = 32

# Seconds; OpenClaw sends the final response 0.1 s after the request to stop.
STOP_TIMEOUT: Final = 3.0

_LOGGER = logging.getLogger(__name__)


class Aborts:
    """Aborts of runs, kept while disconnected."""

    def __init__(
        self, connection: Callable[[], Connection | None], tasks: TaskRegistry
    ) -> None:
        """Send on the current connection."""
        self._connection = connection
        self._tasks = tasks
        self._unsent: deque[AgentRun] = deque(maxlen=MAX_UNSENT_ABORTS)

    async def abort(self, run: AgentRun) -> bool:
        """Stop a run, now or once connected.

        Return whether the Gateway has stopped it.
        """
        connection = self._connection()
        _LOGGER.debug(
            "Stopping run %s %s", run.run_id, "now" if connection else "once connected"
        )
        if connection is None:
            self._unsent.append(run)
            return False
        chat = ChatCommands(connection.request)
        try:
            if connection.hello.can_abort_runs:
                return await chat.abort(run.session_key, run.gateway_id)
            await chat.stop(run.session_key)
        except ConnectionLostError:
            self._unsent.append(run)
            return False
        return True

    def end_expired(self, run: AgentRun) -> None:
        """Stop and end an expired run."""
        self._tasks.spawn(self._end_expired(run), "abort")

    def abort_in_background(self, run: AgentRun) -> None:
        """Stop an abandoned run and ignore errors."""
        self._tasks.spawn(self._abort_quietly(run), "abort")

    def reconnect_tasks(self) -> list[ConnectionTask]:
        """Return the tasks of kept aborts."""
        runs = list(self._unsent)
        self._unsent.clear()
        return [("abort", self._abort_quietly(run)) for run in runs]

    async def _end_expired(self, run: AgentRun) -> None:
        with suppress(GatewayError, TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT):
                await self.abort(run)
                if run not in self._unsent:
                    await run.wait_ended()
        run.give_up()

    async def _abort_quietly(self, run: AgentRun) -> None:
        with suppress(GatewayError):
            await self.abort(run)
