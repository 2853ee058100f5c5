"""Tasks that would start after the end of their client."""

import asyncio

import pytest

from custom_components.clawd.gateway import Transition
from custom_components.clawd.gateway.tasks import TaskRegistry
from tests.simulator import GatewaySimulator
from tests.unit.clients import client_of, running

one_protocol = pytest.mark.parametrize("protocol", [4])  # the same on protocol 3


class Work:
    """Work of a task."""

    def __init__(self) -> None:
        """Initialize without a start."""
        self.started = 0

    async def run(self) -> None:
        """Count the start, and wait for the end."""
        self.started += 1
        await asyncio.Event().wait()


async def test_a_closed_registry_starts_no_task() -> None:
    tasks, work = TaskRegistry(), Work()
    await tasks.close("call")

    task = tasks.spawn(work.run(), "call")

    await asyncio.wait([task])
    assert task.cancelled()
    assert (work.started, tasks.snapshot(), tasks.failures) == (0, {}, {})


async def test_a_task_that_is_cancelled_starts_no_other() -> None:
    tasks, work = TaskRegistry(), Work()

    async def replace() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            tasks.spawn(work.run(), "listener b")

    tasks.spawn(replace(), "listener a")
    await tasks.close("listener")

    assert (work.started, tasks.snapshot()) == (0, {})


async def test_a_registry_that_is_open_again_starts_tasks() -> None:
    tasks, work = TaskRegistry(), Work()
    await tasks.close("")
    tasks.open()

    tasks.spawn(work.run(), "call")

    assert work.started == 1
    await tasks.close("")


@one_protocol
async def test_a_client_that_has_ended_starts_no_task(
    gateway: GatewaySimulator,
) -> None:
    work, client = Work(), client_of(gateway)

    async def listen(_: Transition) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            client.spawn(work.run(), "call")

    client.subscribe_state(listen)
    async with running(client):
        await client.wait_connected()
        client.spawn(work.run(), "call")
    client.spawn(work.run(), "call")
    await asyncio.sleep(0)

    assert work.started == 1
    assert client.introspection.tasks == {}


@one_protocol
async def test_a_client_that_runs_again_starts_tasks(gateway: GatewaySimulator) -> None:
    work, client = Work(), client_of(gateway)

    for _ in range(2):
        async with running(client):
            await asyncio.sleep(0)
            await client.wait_connected()
            client.spawn(work.run(), "call")

    assert work.started == 2
    assert client.introspection.tasks == {}
