"""A Gateway, a client of it, and an event loop in which both live."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
import inspect
import time
from typing import Any, Final, override

import pytest

from custom_components.clawd.gateway import (
    ClientInfo,
    ConnectionState,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    SleepDetector,
    Timing,
    Transition,
)
from tests.leak_guard import no_leaks
from tests.simulator import GatewaySimulator
from tests.simulator.script import Script
from tests.unit.clients import stop

from .clock import Clock
from .log_capture import Witness
from .loop_budget import PassLimit

TOKEN: Final = "the-token-of-the-gateway"

# Passes of the event loop in which all that can happen by itself has happened.
PASSES: Final = 60
MAX_PASSES: Final = 50_000

# Attempts follow each other at once; only a jump of the clock makes a deadline pass.
TIMING: Final = Timing(
    poll_interval=0, initial_delay=0, max_delay=0, max_attempts=100_000
)


@dataclass
class ScriptedGateway(GatewaySimulator):
    """A Gateway that has a script for each question."""

    scripts: dict[str, Script] = field(default_factory=dict, init=False)

    @override
    def next_script(self, message: str) -> Script:
        return self.scripts[message]


class World:
    """The Gateway and the client; time passes only in `do`.

    ``given_up`` counts how often the client stopped to try; ``keys`` are the
    private keys of the devices.
    """

    client: GatewayClient

    def __init__(self, protocol: int) -> None:
        """Start the Gateway and connect the client."""
        self.witness = Witness()
        self.clock = Clock()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(time, "monotonic", self.clock.monotonic)
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.given_up = 0
        self.keys: list[str] = []
        self._users: list[asyncio.Task[None]] = []
        self.gateway = ScriptedGateway(protocol=protocol, token=TOKEN)
        self.do(self._open())

    @property
    def connected(self) -> bool:
        """Return whether the client is connected, as far as it knows."""
        return self.client.state is ConnectionState.CONNECTED

    @property
    def idle(self) -> bool:
        """Return whether nobody waits for anything."""
        return (
            self.connected
            and all(task.done() for task in self._users)
            and not self.gateway.runs.active()
            and not self.client.introspection.runs
            and not self.client.introspection.pending
        )

    def do[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something, and let its consequences happen."""
        return self._runner.run(self._settled(coroutine))

    def act(self, action: Callable[..., object], *args: object) -> None:
        """Call something inside the event loop, and let its consequences happen."""
        self.do(self._call(action, *args))

    def spawn(
        self, coroutine: Coroutine[Any, Any, None], passes: int | None = None
    ) -> asyncio.Task[None]:
        """Let somebody do something, however long it takes; or only begin it."""
        task = self._runner.get_loop().create_task(coroutine)
        self._users.append(task)
        self._runner.run(self.calm(PASSES if passes is None else passes))
        return task

    async def calm(self, passes: int = PASSES) -> None:
        """Let everything happen that waits for nothing."""
        for _ in range(passes):
            await asyncio.sleep(0)

    async def come_back(self) -> None:
        """Try to connect at once, and wait until that is done."""
        if self.client.state in (ConnectionState.RECONNECTING, ConnectionState.PAUSED):
            self.client.resume()
        await self.calm()

    async def come_to_rest(self) -> None:
        """Connect and let the runs go on, as long as that helps."""
        for _ in range(40):
            if self.gateway.paused:
                self.gateway.proceed()
            await self.come_back()
            if self.idle:
                return

    async def start_client(self) -> None:
        """Make a client and connect it."""
        watch = SleepDetector(self.clock.wall, self.clock.monotonic)
        identity = DeviceIdentity.generate()
        self.keys.append(identity.secret)
        self.client = GatewayClient(
            Endpoint(self.gateway.host, self.gateway.port),
            Credentials(identity, ClientInfo("0.1.0"), TOKEN),
            timing=TIMING,
            sleep_detector=watch,
        )
        self.client.subscribe_state(self._see)
        self._task = asyncio.create_task(self.client.run())
        await self.client.wait_connected()

    async def stop_client(self) -> None:
        """Stop the client; nothing of it may be left."""
        await stop(self._task)
        await self.calm()
        assert self.client.state is ConnectionState.CLOSED
        assert self.client.introspection.pending == ()
        assert self.client.introspection.runs == ()
        assert self.client.introspection.tasks == {}

    def tasks_of_client(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that run code of the client."""
        tasks = asyncio.all_tasks(self._runner.get_loop())
        return [task for task in tasks if "clawd/gateway/" in _source(task)]

    def close(self) -> None:
        """End everything; nothing may be left."""
        try:
            self.do(self._end())
        finally:
            self._runner.close()
            self._patch.undo()
            self.witness.leave()

    def _see(self, transition: Transition) -> None:
        paused = transition.state is ConnectionState.PAUSED
        self.given_up += paused and transition.delay is None

    async def _open(self) -> None:
        await self._stack.enter_async_context(no_leaks())
        await self._stack.enter_async_context(self.gateway)
        await self.start_client()

    async def _call(self, action: Callable[..., object], *args: object) -> None:
        action(*args)

    async def _settled[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        with PassLimit(MAX_PASSES):
            result = await coroutine
            await self.calm()
        return result

    async def _end(self) -> None:
        try:
            for task in (self._task, *self._users):
                await stop(task)
        finally:
            await self._stack.aclose()


def _source(task: asyncio.Task[Any]) -> str:
    coroutine = task.get_coro()
    return inspect.getfile(coroutine.cr_code) if inspect.iscoroutine(coroutine) else ""
