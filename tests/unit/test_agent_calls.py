"""Detection of actions caused by agents."""

import asyncio

import pytest

from custom_components.clawd.home import agent_calls
from custom_components.clawd.home.agent_calls import MAX_AGE, agent_call, in_agent_call


async def test_a_task_that_goes_on_loses_the_mark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(agent_calls, "monotonic", lambda: now)
    seen: list[bool] = []
    go_on = asyncio.Event()

    async def work() -> None:
        seen.append(in_agent_call())
        await go_on.wait()
        seen.append(in_agent_call())

    with agent_call():
        early, late = asyncio.create_task(work()), asyncio.create_task(work())
    assert not in_agent_call()
    await asyncio.sleep(0)
    now = MAX_AGE - 1
    go_on.set()
    await early
    await late
    assert seen == [True] * 4

    seen.clear()
    go_on.clear()
    with agent_call():
        late = asyncio.create_task(work())
    await asyncio.sleep(0)
    now += MAX_AGE
    go_on.set()
    await late
    assert seen == [True, False]
