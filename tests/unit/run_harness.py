"""Agent run without a connection."""

import asyncio
import time
from typing import Any

from custom_components.clawd.gateway import (
    AgentRun,
    Event,
    RunRequest,
    Statistics,
    Timing,
)
from custom_components.clawd.gateway.runs.runs import AgentRuns


class RunHarness:
    """Run with scripted events and a scripted final response."""

    def __init__(
        self,
        run_id: str = "r",
        timing: Timing = Timing(),  # noqa: B008 - frozen
        *,
        include_tools: bool = False,
        include_segments: bool = False,
    ) -> None:
        """Open the run."""
        self.statistics = Statistics()
        self.aborted: list[AgentRun] = []
        self.expired: list[AgentRun] = []
        self.runs = AgentRuns(self.statistics, timing, self._abort, self.expired.append)
        request = RunRequest(
            "Hello?",
            "agent:main:x",
            include_tools=include_tools,
            include_segments=include_segments,
            run_id=run_id,
        )
        self.run = self.runs.open(request)
        self.response: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._seq = 0

    async def start(self) -> AgentRun:
        """Accept the run."""
        self.run.accept()
        self.run.attach_response(self.response)
        return await self.run.wait_accepted()

    def send_event(self, stream: str, data: object, seq: int | None = None) -> None:
        """Send an event, by default with the next `seq`."""
        self._seq = self._seq + 1 if seq is None else seq
        payload = {"runId": self.run.run_id, "seq": self._seq, "stream": stream}
        self.deliver(payload | {"data": data})

    def deliver(self, payload: dict[str, Any]) -> None:
        """Dispatch an `agent` event of any run."""
        self.runs.dispatch(Event("agent", payload, None), time.monotonic())

    def send_text(self, text: str, **more: object) -> None:
        """Send an `assistant` event."""
        self.send_event("assistant", {"text": text, "delta": text, **more})

    async def end(self, *texts: str) -> None:
        """Send a final response of status `ok`."""
        payloads = [{"text": text} for text in texts]
        self.response.set_result({"status": "ok", "result": {"payloads": payloads}})
        await asyncio.sleep(0)

    async def _abort(self, run: AgentRun) -> bool:
        self.aborted.append(run)
        return True
