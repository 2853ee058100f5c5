"""Every figure, measured with small counts, and a short soak."""

import asyncio
import io

import aiohttp
import orjson
import pytest

from custom_components.clawd.gateway import RunRequest
from scripts.benchmarks import connections, streams
from scripts.benchmarks.figure import Result
from scripts.benchmarks.first_delta import StampedGateway
from scripts.benchmarks.floor import read_reply
from scripts.benchmarks.measure import measure_all
from scripts.benchmarks.ollama import OllamaServer
from scripts.benchmarks.options import SoakOptions
from scripts.benchmarks.soak import soak
from scripts.benchmarks.stage import CountingSelector, Counts, read, stage, start
from scripts.home_assistant.console import Console
from tests.unit.clients import client_of, running

# The first words in a real Home Assistant need one, so only its servers are tried.
FIGURES = (*streams.FIGURES, *connections.FIGURES)
COUNTS = Counts(
    deltas=40, tokens=40, broadcasts=40, turns=20, runs=5, clients=2, quiet=0.05
)


def measure() -> tuple[list[Result], str]:
    selector, stream = CountingSelector(), io.StringIO()

    async def work() -> list[Result]:
        async with stage(COUNTS, selector) as on:
            return await measure_all(FIGURES, on, 1, Console(stream))

    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(selector)
    ) as runner:
        return runner.run(work()), stream.getvalue()


def test_every_figure_can_be_measured() -> None:
    results, progress = measure()
    assert [len(result.samples) for result in results] == [1] * len(FIGURES)
    assert [result.ours > 0 for result in results if result.ratio] == [True] * 6
    assert [line.split()[1] for line in progress.splitlines()] == [
        figure.name for figure in FIGURES
    ]


@pytest.mark.parametrize("kind", ["deltas", "cumulative", "health"])
async def test_the_client_reads_the_same_words_as_the_floor(kind: str) -> None:
    message = f"{kind} 50"
    async with stage(COUNTS, CountingSelector()) as on:
        async with on.bare() as socket:
            words = await read_reply(socket, message)
        async with on.client() as client:
            told = await read(await start(client, message))
    assert told.split() == words.split()
    assert len(words.split()) == (0 if kind == "health" else 50)


def test_each_round_of_the_event_loop_is_counted() -> None:
    selector = CountingSelector()

    async def rounds() -> int:
        before = selector.rounds
        for _ in range(5):
            await asyncio.sleep(0)
        return selector.rounds - before

    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(selector)
    ) as runner:
        assert runner.run(rounds()) == 5


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_short_soak_is_flat(protocol: int) -> None:
    stream = io.StringIO()
    options = SoakOptions(requests=100, runs=50, reconnects=5, protocol=protocol)
    assert await soak(options, Console(stream)) == 0
    lines = [line.strip() for line in stream.getvalue().splitlines()]
    assert {"100 requests", "50 runs", "5 reconnects"} <= set(lines)


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
    assert server.first_text_at > 0
