"""Gateway and client in an event loop."""

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
from .log_capture import LogCapture
from .loop_budget import LoopBudget

TOKEN: Final = "the-token-of-the-gateway"

# Loop iterations after which nothing happens without a timer or a caller.
SETTLE_ITERATIONS: Final = 60
MAX_ITERATIONS: Final = 50_000

# No delay between attempts, so that only an advanced clock reaches a deadline.
TIMING: Final = Timing(
    poll_interval=0, initial_delay=0, max_delay=0, max_attempts=100_000
)


@dataclass
class ScriptedGateway(GatewaySimulator):
    """Gateway with a script for each message."""

    scripts: dict[str, Script] = field(default_factory=dict, init=False)

    @override
    def next_script(self, message: str) -> Script:
        return self.scripts[message]


class ClientHarness:
    """Gateway and client; the event loop runs only in `run`.

    ``give_ups`` counts how often the client stopped retrying; ``keys`` are the
    private keys of the devices.
    """

    client: GatewayClient

    def __init__(self, protocol: int) -> None:
        """Start the Gateway and connect the client."""
        self.log_capture = LogCapture()
        self.clock = Clock()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(time, "monotonic", self.clock.monotonic)
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.give_ups = 0
        self.keys: list[str] = []
        self._caller_tasks: list[asyncio.Task[None]] = []
        self.gateway = ScriptedGateway(protocol=protocol, token=TOKEN)
        self.run(self._start())

    @property
    def connected(self) -> bool:
        """Return whether the client is in state connected."""
        return self.client.state is ConnectionState.CONNECTED

    @property
    def idle(self) -> bool:
        """Return whether no caller, run or request is pending."""
        return (
            self.connected
            and all(task.done() for task in self._caller_tasks)
            and not self.gateway.runs.active()
            and not self.client.introspection.runs
            and not self.client.introspection.pending
        )

    def run[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine, then the event loop until it settles."""
        return self._runner.run(self._run_and_settle(coroutine))

    def call(self, action: Callable[..., object], *args: object) -> None:
        """Call a function in the event loop, and wait until idle."""
        self.run(self._call(action, *args))

    def spawn(
        self, coroutine: Coroutine[Any, Any, None], iterations: int | None = None
    ) -> asyncio.Task[None]:
        """Start a task and run the event loop."""
        task = self._runner.get_loop().create_task(coroutine)
        self._caller_tasks.append(task)
        self._runner.run(
            self.run_loop(SETTLE_ITERATIONS if iterations is None else iterations)
        )
        return task

    async def run_loop(self, iterations: int = SETTLE_ITERATIONS) -> None:
        """Run the event loop for some iterations."""
        for _ in range(iterations):
            await asyncio.sleep(0)

    async def reconnect(self) -> None:
        """Let the client reconnect without delay."""
        if self.client.state in (ConnectionState.RECONNECTING, ConnectionState.PAUSED):
            self.client.resume()
        await self.run_loop()

    async def wait_idle(self) -> None:
        """Reconnect and resume runs until idle."""
        for _ in range(40):
            if self.gateway.paused:
                self.gateway.proceed()
            await self.reconnect()
            if self.idle:
                return

    async def start_client(self) -> None:
        """Create a client and connect it."""
        detector = SleepDetector(self.clock.wall, self.clock.monotonic)
        identity = DeviceIdentity.generate()
        self.keys.append(identity.secret)
        self.client = GatewayClient(
            Endpoint(self.gateway.host, self.gateway.port),
            Credentials(identity, ClientInfo("0.1.0"), TOKEN),
            timing=TIMING,
            sleep_detector=detector,
        )
        self.client.subscribe_state(self._on_transition)
        self._task = asyncio.create_task(self.client.run())
        await self.client.wait_connected()

    async def stop_client(self) -> None:
        """Stop the client and check that nothing is left."""
        await stop(self._task)
        await self.run_loop()
        assert self.client.state is ConnectionState.CLOSED
        assert self.client.introspection.pending == ()
        assert self.client.introspection.runs == ()
        assert self.client.introspection.tasks == {}

    def tasks_of_client(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that run the client's code."""
        tasks = asyncio.all_tasks(self._runner.get_loop())
        return [task for task in tasks if "clawd/gateway/" in _source(task)]

    def close(self) -> None:
        """Stop everything and check that nothing is left."""
        try:
            self.run(self._stop())
        finally:
            self._runner.close()
            self._patch.undo()
            self.log_capture.remove()

    def _on_transition(self, transition: Transition) -> None:
        paused = transition.state is ConnectionState.PAUSED
        self.give_ups += paused and transition.delay is None

    async def _start(self) -> None:
        await self._stack.enter_async_context(no_leaks())
        await self._stack.enter_async_context(self.gateway)
        await self.start_client()

    async def _call(self, action: Callable[..., object], *args: object) -> None:
        action(*args)

    async def _run_and_settle[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        with LoopBudget(MAX_ITERATIONS):
            result = await coroutine
            await self.run_loop()
        return result

    async def _stop(self) -> None:
        try:
            for task in (self._task, *self._caller_tasks):
                await stop(task)
        finally:
            await self._stack.aclose()


def _source(task: asyncio.Task[Any]) -> str:
    coroutine = task.get_coro()
    return inspect.getfile(coroutine.cr_code) if inspect.iscoroutine(coroutine) else ""
