"""Tasks of the client."""

import asyncio

import pytest

from custom_components.clawd.gateway import ConnectionState, Transition
from custom_components.clawd.gateway.tasks import TaskRegistry
from tests.simulator import GatewaySimulator
from tests.unit.clients import client_of


async def wait_forever() -> None:
    await asyncio.Event().wait()


async def test_task_is_registered_until_it_ends() -> None:
    tasks, go = TaskRegistry(), asyncio.Event()
    task = asyncio.create_task(go.wait())
    tasks.add(task, "reader")
    assert tasks.snapshot() == {task: "reader"}
    go.set()
    await task
    assert tasks.snapshot() == {}


async def test_coroutine_starts_eagerly() -> None:
    tasks, steps = TaskRegistry(), []

    async def work() -> None:
        steps.append("started")
        await asyncio.sleep(0)
        steps.append("ended")

    tasks.spawn(work(), "listener a")
    assert steps == ["started"]
    (task,) = tasks.snapshot()
    await task
    assert steps == ["started", "ended"]


async def test_coroutine_without_await_is_not_registered() -> None:
    tasks = TaskRegistry()

    async def work() -> None:
        pass

    tasks.spawn(work(), "listener a")
    assert tasks.snapshot() == {}


async def test_task_name() -> None:
    tasks = TaskRegistry()
    tasks.spawn(wait_forever(), "listener tick")
    (task,) = tasks.snapshot()
    assert task.get_name() == "clawd listener tick"
    await tasks.cancel_all("listener")


async def test_only_tasks_with_prefix_are_cancelled() -> None:
    tasks, ended = TaskRegistry(), []

    async def work(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    tasks.spawn(work("a"), "listener a")
    tasks.spawn(work("b"), "watchdog")
    await tasks.cancel_all("listener")
    assert ended == ["a"]
    assert list(tasks.snapshot().values()) == ["watchdog"]
    await tasks.cancel_all("")
    assert tasks.snapshot() == {}


async def test_task_failing_during_cancellation_is_removed() -> None:
    tasks = TaskRegistry()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError

    tasks.spawn(work(), "listener a")
    await tasks.cancel_all("listener")
    assert tasks.snapshot() == {}


async def test_task_can_be_added_twice() -> None:
    tasks = TaskRegistry()
    task = asyncio.create_task(asyncio.sleep(0))
    tasks.add(task, "run")
    tasks.add(task, "run")
    await task
    assert tasks.snapshot() == {}


async def test_running_task_can_be_discarded() -> None:
    tasks = TaskRegistry()
    task = asyncio.create_task(asyncio.sleep(0))
    tasks.add(task, "run")
    tasks.discard(task)
    assert tasks.snapshot() == {}
    await task


@pytest.mark.parametrize("waits", [False, True])
async def test_failed_task_is_counted_and_logged(
    caplog: pytest.LogCaptureFixture,
    waits: bool,  # noqa: FBT001 - both kinds
) -> None:
    async def fail() -> None:
        if waits:
            await asyncio.sleep(0)
        raise ValueError("secret")

    registry = TaskRegistry()
    registry.spawn(fail(), "canary")
    for _ in range(3):
        await asyncio.sleep(0)
    assert registry.failures == {"canary": 1}
    assert [r.getMessage() for r in caplog.records] == [
        "The task canary ended with ValueError"
    ]


@pytest.mark.parametrize("protocol", [4])
async def test_client_exposes_failed_tasks(
    gateway: GatewaySimulator,
) -> None:
    class FatalError(BaseException):
        """Error that listener isolation does not catch."""

    async def fail_once(change: Transition) -> None:
        if change.state is ConnectionState.CONNECTING:
            raise FatalError

    client = client_of(gateway)
    client.subscribe_state(fail_once)
    await client.fetch_info()
    assert client.introspection.task_failures == {"listener client.state": 1}
