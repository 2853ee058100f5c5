"""Tasks that would start while their entry is unloaded."""

import asyncio
from collections.abc import Callable

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.ongoing import get_ongoing
from custom_components.clawd.assist.ongoing_run import OngoingRun
from custom_components.clawd.assist.question import Question, RunLostError
from custom_components.clawd.const import SUBENTRY_CONVERSATION
from custom_components.clawd.coordinator import (
    async_create_background_task,
    subentries_of_type,
)
from tests.simulator import GatewaySimulator

from .leftovers import leftovers


async def at_the_end(
    hass: HomeAssistant, entry: MockConfigEntry, late: Callable[[], object]
) -> None:
    """Unload, and call back once the tasks of the entry have been cancelled."""
    states: list[ConfigEntryState] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            states.append(entry.state)
            late()

    entry.async_create_background_task(hass, wait(), "test")
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert states == [ConfigEntryState.UNLOAD_IN_PROGRESS]


@pytest.mark.parametrize("during", [True, False])
async def test_a_task_of_the_entry_does_not_start(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    during: bool,  # noqa: FBT001
) -> None:
    tasks: list[asyncio.Task[None]] = []
    started: list[str] = []

    async def work() -> None:
        started.append("late")
        await asyncio.Event().wait()

    def start() -> None:
        tasks.append(async_create_background_task(hass, entry, work(), "clawd late"))

    await at_the_end(hass, entry, start if during else lambda: None)
    if not during:
        start()
        await asyncio.wait(tasks)

    assert [task.cancelled() for task in tasks] == [True]
    assert started == leftovers(hass) == []


async def test_the_reader_of_a_question_does_not_wait(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    [subentry] = subentries_of_type(entry, SUBENTRY_CONVERSATION)
    question = Question(
        text="Hello", conversation_id="c", language="en", session_key="agent:main:ha-1"
    )
    run, runs = OngoingRun(subentry, question), get_ongoing(entry)

    def ask() -> None:
        runs.add(run)
        run.start(hass, entry)

    await at_the_end(hass, entry, ask)

    with pytest.raises(RunLostError):
        await run.result()
    assert runs.all == ()
    assert gateway.received("agent") == []
    assert leftovers(hass) == []


async def test_a_task_of_the_client_does_not_start(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    client = entry.runtime_data.client
    started: list[str] = []

    async def work() -> None:
        started.append("late")
        await asyncio.Event().wait()

    assert await hass.config_entries.async_unload(entry.entry_id)
    task = client.spawn(work(), "late")
    await asyncio.wait([task])

    assert started == leftovers(hass) == []
    assert client.introspection.tasks == {}
