"""Each benchmark with small counts, and its servers."""

import asyncio
import io

import aiohttp
import orjson
import pytest

from custom_components.clawd.gateway import RunRequest
from scripts.benchmarks.__main__ import measure
from scripts.benchmarks.baseline import read_reply
from scripts.benchmarks.benchmark import Result
from scripts.benchmarks.connections import BENCHMARKS as CONNECTIONS
from scripts.benchmarks.first_delta import StampedGateway
from scripts.benchmarks.generate_data import TimedGateway
from scripts.benchmarks.harness import (
    CountingSelector,
    Counts,
    open_harness,
    read,
    start,
)
from scripts.benchmarks.node import BENCHMARKS as NODE
from scripts.benchmarks.ollama import OllamaServer
from scripts.benchmarks.streams import BENCHMARKS as STREAMS
from scripts.home_assistant.console import Console
from tests.unit.clients import client_of, running

# `first_delta` and `generate_data` take a real Home Assistant, so only their servers
# are tested here; those of the home are tested in tests/ha.
NAMES = [benchmark.name for benchmark in (*STREAMS, *CONNECTIONS, *NODE)]
COUNTS = Counts(
    deltas=40,
    tokens=40,
    broadcasts=40,
    turns=20,
    runs=5,
    clients=2,
    quiet=0.05,
    calls=2,
)


def test_every_benchmark_runs() -> None:
    selector, stream = CountingSelector(), io.StringIO()

    async def work() -> list[Result]:
        async with open_harness(COUNTS, selector) as harness:
            return await measure(NAMES, 1, harness, Console(stream))

    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(selector)
    ) as runner:
        results = runner.run(work())
    assert [result.benchmark.name for result in results] == NAMES
    assert [len(result.samples) for result in results] == [1] * len(NAMES)
    assert [result.client > 0 for result in results if result.ratio] == [True] * 7
    progress = [line.split()[1] for line in stream.getvalue().splitlines()]
    assert progress == NAMES


@pytest.mark.parametrize("kind", ["deltas", "cumulative", "health"])
async def test_the_client_reads_the_same_words_as_the_baseline(kind: str) -> None:
    message = f"{kind} 50"
    async with open_harness(COUNTS, CountingSelector()) as harness:
        async with harness.bare_connection() as socket:
            words = await read_reply(socket, message)
        async with harness.client() as client:
            text = await read(await start(client, message))
    assert text.split() == words.split()
    assert len(words.split()) == (0 if kind == "health" else 50)


def test_each_iteration_of_the_event_loop_is_counted() -> None:
    selector = CountingSelector()

    async def iterations() -> int:
        before = selector.iterations
        for _ in range(5):
            await asyncio.sleep(0)
        return selector.iterations - before

    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(selector)
    ) as runner:
        assert runner.run(iterations()) == 5


async def test_the_first_word_of_each_run_is_timed() -> None:
    async with StampedGateway() as gateway:
        client = client_of(gateway)
        async with running(client):
            await client.wait_connected()
            stamps = []
            for _ in range(2):
                run = await client.start_run(RunRequest("say: a b", "agent:main:x"))
                await run.result()
                stamps.append(gateway.first_text_at)
    assert 0 < stamps[0] < stamps[1]


async def test_the_work_of_a_gateway_on_each_run_is_timed() -> None:
    async with TimedGateway() as gateway:
        client = client_of(gateway)
        async with running(client):
            await client.wait_connected()
            times: list[float] = []
            for _ in range(2):
                request = RunRequest("say: a b", "agent:main:x", model_run=True)
                await (await client.start_run(request)).result()
                times += [gateway.asked_at, gateway.answered_at]
    assert times == sorted(set(times))
    assert times[0] > 0


async def test_ollama_s_words_come_one_a_line_and_the_first_is_timed() -> None:
    server = OllamaServer(("a", " b"), 0)
    connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver())
    async with (
        server.listening(),
        aiohttp.ClientSession(server.url, connector=connector) as session,
    ):
        async with session.get("/api/tags") as response:
            [model] = (await response.json())["models"]
        async with session.post("/api/chat") as response:
            lines = [orjson.loads(line) async for line in response.content]
    assert [line["message"]["content"] for line in lines] == ["a", " b", ""]
    assert [line["done"] for line in lines] == [False, False, True]
    assert {line["model"] for line in lines} == {model["model"]}
    assert 0 < server.asked_at < server.first_text_at < server.answered_at
