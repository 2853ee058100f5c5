"""Time to the first words in Home Assistant."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any, override

from scripts.home_assistant import journey
from scripts.home_assistant.api import HomeAssistantApi, connect_new_user
from scripts.home_assistant.boot import boot
from scripts.home_assistant.folder import ROOT
from scripts.home_assistant.gateway import Gateway
from scripts.home_assistant.reply import ReplyError, ask
from tests.simulator import GatewaySimulator, Reply

from .benchmark import Benchmark, Sample
from .harness import Harness
from .ollama import OllamaServer, add_ollama

OLLAMA = ROOT / ".cache" / "ollama"
SPACING = 0.02
POLL_INTERVAL = 0.05


class StampedGateway(GatewaySimulator):
    """Gateway that records the first word's time."""

    first_text_at = 0.0
    _run_id = ""

    @override
    def broadcast(self, event: str, payload: dict[str, Any], **options: Any) -> None:
        """Record the time of a run's first word."""
        match payload:
            case {"stream": "assistant", "runId": run_id} if run_id != self._run_id:
                self._run_id, self.first_text_at = run_id, perf_counter()
        super().broadcast(event, payload, **options)


async def first_delta(harness: Harness) -> AsyncGenerator[Sample]:
    """Compare with Home Assistant's Ollama integration.

    The time runs from the server sending the first word to the event with it on Home
    Assistant's WebSocket.
    """
    words = ("w0", *(f" w{index}" for index in range(1, harness.counts.words)))
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(StampedGateway())
        gateway.script(Reply(chunks=words, delay=SPACING))
        ollama = OllamaServer(words, SPACING)
        await stack.enter_async_context(ollama.listening())
        api = await boot_home_assistant(stack)
        baseline_pipeline = await _pipeline(api, await add_ollama(api, ollama.url))
        pipeline = await _pipeline(api, await add_gateway(api, gateway))
        while True:
            baseline = await _delay(api, baseline_pipeline, ollama, words)
            yield Sample(baseline, await _delay(api, pipeline, gateway, words))


async def boot_home_assistant(stack: AsyncExitStack) -> HomeAssistantApi:
    """Run a Home Assistant that has Ollama's library."""
    [packages] = OLLAMA.glob("lib/python3*/site-packages")
    environment = {"PYTHONPATH": str(packages)}
    running = await stack.enter_async_context(boot(environment))
    api, _ = await stack.enter_async_context(connect_new_user(running.url))
    return api


async def add_gateway(api: HomeAssistantApi, gateway: GatewaySimulator) -> str:
    """Add a Gateway; return the entry's id."""
    address = Gateway(gateway.host, gateway.port, ssl=False, token=gateway.token)
    entry = await journey.add_gateway(api, address.fields, print)
    entry_id: str = entry["entry_id"]
    return entry_id


async def _pipeline(api: HomeAssistantApi, entry_id: str) -> str:
    """Create an assistant once the agent has loaded."""
    while True:
        try:
            _, pipeline = await journey.create_assistant(api, entry_id)
        except journey.JourneyError:
            await asyncio.sleep(POLL_INTERVAL)
        else:
            return pipeline


async def _delay(
    api: HomeAssistantApi,
    pipeline: str,
    server: OllamaServer | StampedGateway,
    words: Sequence[str],
) -> float:
    """Measure the milliseconds from first word to event."""
    seen: list[float] = []

    def see(text: str) -> None:
        if text:
            seen.append(perf_counter())

    reply = await ask(api, pipeline, "Hello", see)
    if reply.text != "".join(words):
        raise ReplyError("the reply is not what was sent")
    return (seen[0] - server.first_text_at) * 1000


BENCHMARKS = (
    Benchmark("first_delta", "first words beside Ollama's", "ms", 1.0, 40, first_delta),
)
