"""Tool calls and tool lists."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
import time
from types import SimpleNamespace
from typing import Any

from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import llm
from homeassistant.setup import async_setup_component

from custom_components.clawd.assist.vision import AgentVision
from custom_components.clawd.const import CONF_HOME_ACCESS, DOMAIN
from custom_components.clawd.flows.agent_schema import new_subentry
from custom_components.clawd.gateway import NodeCall
from custom_components.clawd.home.apis import llm_context
from custom_components.clawd.home.origin import CallOrigin
from custom_components.clawd.home.service import HomeService

from .benchmark import Benchmark, Sample
from .harness import Harness, wall_time

SESSION = "agent:main:bench"
LIGHT = "light.bench"
ACTION = "HassTurnOn"
DOMAINS = ("light", "switch", "sensor", "cover")
COMPONENTS = ("homeassistant", "conversation", "light", "cover", "llm")
TEMPLATES: dict[str, Any] = {
    "template": [
        {
            "light": [
                {"name": "Bench", "turn_on": [], "turn_off": [], "unique_id": "bench"}
            ]
        }
    ]
}
IDS = count()


@asynccontextmanager
async def _home() -> AsyncGenerator[tuple[HomeAssistant, HomeService]]:
    """Run a Home Assistant with a light, and an agent that may control it."""
    # Only needed here, and slow to import.
    from pytest_homeassistant_custom_component.common import (  # noqa: PLC0415
        MockConfigEntry,
        async_test_home_assistant,
    )

    async with async_test_home_assistant() as hass:
        for component in COMPONENTS:
            await async_setup_component(hass, component, {})
        await async_setup_component(hass, "template", TEMPLATES)
        await hass.async_block_till_done()
        async_expose_entity(hass, "conversation", LIGHT, should_expose=True)
        subentry = new_subentry("main", "main")
        data = {**subentry["data"], CONF_HOME_ACCESS: "control"}
        entry = MockConfigEntry(
            domain=DOMAIN, subentries_data=[{**subentry, "data": data}]
        )
        sessions = SimpleNamespace(describe=None)
        client = SimpleNamespace(sessions=sessions)
        entry.runtime_data = SimpleNamespace(client=client, coordinator=None)
        service = HomeService(hass, entry, str, AgentVision(hass, entry))
        subentry_id = next(iter(entry.subentries))
        # Not limited: a benchmark is an agent that runs away.
        service.limits.count = lambda *_, **__: None  # type: ignore[method-assign]
        with service.origins.run(SESSION, CallOrigin(subentry_id, "1", "en")):
            try:
                yield hass, service
            finally:
                await hass.async_stop(force=True)


async def home_call(harness: Harness) -> AsyncGenerator[Sample]:
    """Measure the overhead of a home call."""
    async with _home() as (hass, service):
        tool = await _name_of(hass, ACTION)

        async def direct() -> None:
            api = await llm.async_get_api(hass, llm.LLM_API_ASSIST, llm_context(hass))
            arguments = {"name": "Bench", "domain": ["light"]}
            await api.async_call_tool(llm.ToolInput(tool, arguments))

        async def handled() -> None:
            arguments = {"action": ACTION, "name": "Bench", "domain": ["light"]}
            call = NodeCall(f"{next(IDS)}", "home_control", arguments, SESSION, 5.0)
            await service.async_handle(call)

        del harness
        while True:
            baseline = await wall_time(direct())
            yield Sample(baseline, await wall_time(handled()) - baseline)


async def _name_of(hass: HomeAssistant, action: str) -> str:
    api = await llm.async_get_api(hass, llm.LLM_API_ASSIST, llm_context(hass))
    names = [tool.name for tool in api.tools]
    return next(name for name in names if name.rpartition("__")[2] == action)


async def home_rebuild(harness: Harness) -> AsyncGenerator[Sample]:
    """Measure the time to build the tools of many exposed entities."""
    async for whole, _ in _rebuilds(harness):
        yield Sample(0, whole)


async def home_step(harness: Harness) -> AsyncGenerator[Sample]:
    """Measure the longest time for which that holds the event loop."""
    async for _, longest in _rebuilds(harness):
        yield Sample(0, longest)


async def _rebuilds(harness: Harness) -> AsyncGenerator[tuple[float, float]]:
    """Yield the milliseconds of a rebuild, and of its longest step."""
    async with _home() as (hass, service):
        for number in range(harness.counts.entities):
            entity_id = f"{DOMAINS[number % len(DOMAINS)]}.bench_{number}"
            names = {"friendly_name": f"Entity {number}"}
            hass.states.async_set(entity_id, "on", names)
            async_expose_entity(hass, "conversation", entity_id, should_expose=True)
        while True:
            # Of this thread: other processes take their share of a step, too.
            started, last = time.perf_counter(), time.thread_time()
            update = asyncio.create_task(service.async_update_tools())
            longest = 0.0
            while not update.done():
                await asyncio.sleep(0)
                now = time.thread_time()
                longest, last = max(longest, now - last), now
            yield (time.perf_counter() - started) * 1000, longest * 1000


BENCHMARKS = (
    Benchmark(
        "home_call",
        "a call beyond Home Assistant's own",
        "ms",
        5,
        100,
        home_call,
        absolute=True,
    ),
    Benchmark(
        "home_rebuild",
        "tools of 2,000 exposed entities",
        "ms",
        50,
        20,
        home_rebuild,
        absolute=True,
    ),
    Benchmark(
        "home_step",
        "longest step of that",
        "ms",
        5,
        20,
        home_step,
        absolute=True,
    ),
)
