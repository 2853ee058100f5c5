"""One run with everything around it, for tests without a connection."""

import asyncio
import time
from typing import Any

from custom_components.clawd.gateway import AgentRun, Event, Statistics, Timing
from custom_components.clawd.gateway.agent_runs import AgentRuns


class Stage:
    """A run, the events that it gets and the response that ends it."""

    def __init__(self, run_id: str = "r", timing: Timing = Timing()) -> None:  # noqa: B008 - frozen
        """Open the run."""
        self.statistics = Statistics()
        self.aborted: list[AgentRun] = []
        self.expired: list[AgentRun] = []
        self.runs = AgentRuns(self.statistics, timing, self._abort, self.expired.append)
        params = {
            "idempotencyKey": run_id,
            "sessionKey": "agent:main:x",
            "message": "Hello?",
        }
        self.run = self.runs.open(params)
        self.response: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._seq = 0

    async def start(self) -> AgentRun:
        """Let the Gateway take the run."""
        self.run.accept()
        self.run.expect(self.response)
        return await self.run.wait_accepted()

    def tell(self, stream: str, data: object, seq: int | None = None) -> None:
        """Send an event of the run, the next one unless `seq` says otherwise."""
        self._seq = self._seq + 1 if seq is None else seq
        payload = {"runId": self.run.run_id, "seq": self._seq, "stream": stream}
        self.deliver(payload | {"data": data})

    def deliver(self, payload: dict[str, Any]) -> None:
        """Send an event `agent`, of this run or another."""
        self.runs.dispatch(Event("agent", payload, None), time.monotonic())

    def say(self, text: str, **more: object) -> None:
        """Send an `assistant` event."""
        self.tell("assistant", {"text": text, "delta": text, **more})

    async def end(self, *texts: str) -> None:
        """Send a final response that ends the run well."""
        payloads = [{"text": text} for text in texts]
        self.response.set_result({"status": "ok", "result": {"payloads": payloads}})
        await asyncio.sleep(0)

    async def _abort(self, run: AgentRun) -> None:
        self.aborted.append(run)
