"""A soak: one client that works for a while, and must hold no more at the end."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from subprocess import PIPE
import sys

from custom_components.clawd.gateway import (
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    GatewayConnectionError,
    RunRequest,
    Timing,
)
from scripts.home_assistant.console import Console, StepError
from scripts.home_assistant.folder import HOST, ROOT
from scripts.home_assistant.processes import child

from .gateway import DROP, TOKEN
from .growth import Holding, growths, hold
from .options import SoakOptions
from .report import print_table
from .stage import INFO, port_of, running

GATEWAY = [sys.executable, "-m", "scripts.benchmarks.gateway"]
ROUNDS = 25
WARM_UP = 5
AT_ONCE = 8
WORDS = 12
SETTLING_TRIPS = 100
ADVICE = "a client that hangs shows in `asyncio.all_tasks()`; run fewer at first"
HEADERS = ("held", "first", "most", "last", "allowed", "")

# As in use, but for the delays: 500 reconnects are to take seconds.
TIMING = Timing(
    poll_interval=0.01, initial_delay=0.001, max_delay=0.002, max_attempts=10**6
)


class Soak:
    """The work of one client on a Gateway that can be made to drop it."""

    def __init__(self, client: GatewayClient, drop: Callable[[], None]) -> None:
        """Start with nothing done."""
        self._client = client
        self._drop = drop
        self._numbers = count(1)
        self.done: Counter[str] = Counter()

    async def round(self, requests: int, runs: int, reconnects: int) -> Holding:
        """Do a share of everything at once, and count what is held after that."""
        asked = max(0, requests - reconnects)
        async with asyncio.TaskGroup() as group:
            for worker in range(AT_ONCE):
                group.create_task(_times(_share(runs, worker), self._run))
                group.create_task(_times(_share(asked, worker), self._request))
            group.create_task(_times(reconnects, self._reconnect))
        await self._settle()
        return hold(self._client)

    async def _settle(self) -> None:
        """Wait for the answers that are still on their way."""
        await self._client.wait_connected()
        for _ in range(SETTLING_TRIPS):
            if self._client.introspection.pending:
                await self._client.request("health")

    async def _request(self) -> None:
        while True:
            await self._client.wait_connected()
            try:
                await self._client.request("health")
            except GatewayConnectionError:
                self.done["requests lost with a connection"] += 1
            else:
                self.done["requests"] += 1
                return

    async def _run(self) -> None:
        number = next(self._numbers)
        text = " ".join(f"{number}.{word}" for word in range(WORDS))
        while True:
            await self._client.wait_connected()
            try:
                run = await self._client.start_run(
                    RunRequest(f"say: {text}", f"agent:main:soak-{number}")
                )
                told = "".join([delta async for delta in run])
            except GatewayConnectionError:
                self.done["runs lost with a connection"] += 1
                continue
            self.done["runs"] += 1
            self.done["runs with a wrong text"] += told != text
            return

    async def _reconnect(self) -> None:
        """Be dropped in the middle of whatever is under way, and come back."""
        connects = self._client.statistics.connects
        self._drop()
        while self._client.statistics.connects == connects:
            await self._change()
        self.done["reconnects"] += 1
        await self._request()

    async def _change(self) -> None:
        changed = asyncio.Event()
        unsubscribe = self._client.subscribe_state(lambda _: changed.set())
        await changed.wait()
        unsubscribe()


async def soak(options: SoakOptions, console: Console) -> int:
    """Let a client work, show what it holds; return the exit status."""
    try:
        async with _stage(options.protocol) as work:
            holdings = await _rounds(work, options, console)
    except StepError as err:
        console.line(str(err))
        return 1
    found = list(growths(holdings[WARM_UP - 1 :]))
    table = [(*map(str, growth), "flat" if growth.flat else "grew") for growth in found]
    print_table(console, HEADERS, table)
    for name, number in sorted(work.done.items()):
        console.line(f"{number:>6} {name}")
    wrong = work.done["runs with a wrong text"]
    return int(bool(wrong) or not all(growth.flat for growth in found))


@asynccontextmanager
async def _stage(protocol: int) -> AsyncGenerator[Soak]:
    async with child([*GATEWAY, str(protocol)], ROOT, PIPE) as process:
        client = GatewayClient(
            Endpoint(HOST, await port_of(process)),
            Credentials(DeviceIdentity.generate(), INFO, TOKEN),
            timing=TIMING,
        )
        async with running(client):
            yield Soak(client, lambda: process.send_signal(DROP))


async def _rounds(work: Soak, options: SoakOptions, console: Console) -> list[Holding]:
    """Do everything in equal rounds; return what was held after each."""
    holdings = []
    for index in range(ROUNDS):
        async with console.step(f"Round {index + 1}", ADVICE) as step:
            holding = await work.round(
                _share(options.requests, index, ROUNDS),
                _share(options.runs, index, ROUNDS),
                _share(options.reconnects, index, ROUNDS),
            )
            holdings.append(holding)
            step.detail = ", ".join(
                f"{number} {name}" for name, number in holding._asdict().items()
            )
    return holdings


def _share(total: int, index: int, parts: int = AT_ONCE) -> int:
    """Return the part of a total that is one of several."""
    return total // parts + (index < total % parts)


async def _times(number: int, work: Callable[[], Coroutine[None, None, None]]) -> None:
    for _ in range(number):
        await work()
