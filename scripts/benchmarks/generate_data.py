"""Overhead of AI tasks."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any, Final, override

from scripts.home_assistant.api import HomeAssistantApi
from tests.simulator import GatewaySimulator, Reply
from tests.simulator.request_log import Request

from .benchmark import Benchmark, Sample
from .first_delta import POLL_INTERVAL, SPACING, add_gateway, boot_home_assistant
from .harness import Harness
from .ollama import OllamaServer, add_ollama

STRUCTURE: Final = {
    "people": {"required": True, "selector": {"number": {}}},
    "parcel": {"selector": {"boolean": {}}},
}
DATA: Final = {"people": 2, "parcel": False}
WORDS: Final = ('{"people":', " 2,", ' "parcel":', " false}")
NOTE: Final = (
    "`ai_task.generate_data` with a structure, called by WebSocket: the time from the "
    "action to its response, less the server's from the question to the end of its "
    "answer. The baseline is Home Assistant's own Ollama integration in the same Home "
    "Assistant, with a scripted server that sends the same words at the same pace as "
    "the simulated Gateway. What a real Gateway takes for a run of the model alone "
    "(0.2 to 1.2 seconds) is not in it; the connection, and Home Assistant's own part "
    "of the action, are on both sides."
)


class AnswerError(Exception):
    """The data are not those that were sent."""


class TimedGateway(GatewaySimulator):
    """Gateway that records when the last run was asked for, and answered."""

    asked_at = 0.0
    answered_at = 0.0

    def __init__(self) -> None:
        """Stamp each final response."""
        super().__init__()
        self.edit("agent", self._stamp)

    @override
    def record(self, request: Request) -> None:
        """Record the time of a question."""
        if request.method == "agent":
            self.asked_at = perf_counter()
        super().record(request)

    def _stamp(self, _: dict[str, Any]) -> None:
        self.answered_at = perf_counter()


async def generate_data(harness: Harness) -> AsyncGenerator[Sample]:
    """Compare with Home Assistant's Ollama integration.

    The time runs from the action on Home Assistant's WebSocket to its response, less
    what the server takes from the question to the end of its answer.
    """
    del harness
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(TimedGateway())
        gateway.script(Reply(chunks=WORDS, delay=SPACING))
        ollama = OllamaServer(WORDS, SPACING)
        await stack.enter_async_context(ollama.listening())
        api = await boot_home_assistant(stack)
        baseline_task = await _task_of(
            api, await add_ollama(api, ollama.url, "ai_task_data")
        )
        task = await _task_of(api, await add_gateway(api, gateway))
        while True:
            baseline = await _overhead(api, baseline_task, ollama)
            yield Sample(baseline, await _overhead(api, task, gateway))


async def _task_of(api: HomeAssistantApi, entry_id: str) -> str:
    """Return the AI task of an entry once it is available."""
    while True:
        for entity in await api.command("config/entity_registry/list"):
            entity_id: str = entity["entity_id"]
            domain = entity_id.partition(".")[0]
            if (entity["config_entry_id"], domain) == (entry_id, "ai_task"):
                state = await api.get(f"states/{entity_id}")
                if state["state"] != "unavailable":
                    return entity_id
        await asyncio.sleep(POLL_INTERVAL)


async def _overhead(
    api: HomeAssistantApi, task: str, server: OllamaServer | TimedGateway
) -> float:
    """Measure the milliseconds of a task in which the server is not at work."""
    started = perf_counter()
    answer = await api.command(
        "call_service",
        domain="ai_task",
        service="generate_data",
        service_data={
            "entity_id": task,
            "task_name": "bench",
            "instructions": "Who is at the door?",
            "structure": STRUCTURE,
        },
        return_response=True,
    )
    seconds = perf_counter() - started
    if answer["response"]["data"] != DATA:
        raise AnswerError
    return (seconds - (server.answered_at - server.asked_at)) * 1000


BENCHMARKS = (
    Benchmark(
        "generate_data",
        "data of a task beside Ollama's",
        "ms",
        1.2,
        40,
        generate_data,
        note=NOTE,
    ),
)
