"""Reloads, unloads and removals in the middle of everything."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import product
import logging
from pathlib import Path
import time
from typing import Any, Final

from homeassistant.components import tts
from homeassistant.config_entries import ConfigEntryState, ConfigSubentryData
from homeassistant.const import CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.clawd.assist import throwaway, warm_up
from custom_components.clawd.client_factory import HISTORIES
from custom_components.clawd.const import DOMAIN
from custom_components.clawd.flows.agent_schema import new_subentry
from custom_components.clawd.flows.ai_task import new_ai_task
from tests.simulator import GatewaySimulator, Pause, Reply, Speech

from .ai_tasks import generate, generate_image
from .assist_client import Conversation, speech, wait_processed
from .leftovers import leftovers
from .pictures import picture
from .self_test import run_self_test
from .states import AGENT

FINISHED: Final = "clawd_task_finished"
QUESTION: Final = {"agent": AGENT, "text": "Hello"}
VOICE: Final = "tts.openclaw_gateway_voice"

type Begin = Callable[[HomeAssistant, GatewaySimulator], Awaitable[asyncio.Task[Any]]]


@pytest.fixture
def more_subentries() -> list[ConfigSubentryData]:
    """Add an AI task."""
    return [new_ai_task("main", "main")]


@pytest.fixture(autouse=True)
def _setup(
    gateway: GatewaySimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give the Gateway a voice and an image model."""
    monkeypatch.setattr(tts, "_init_tts_cache_dir", lambda *_: str(tmp_path))
    monkeypatch.setattr(throwaway, "DELAYS", (0.0, 0.0, 0.0))
    gateway.speech = Speech()
    gateway.images.image = picture(8, 8, "PNG")


async def _call(hass: HomeAssistant, action: str) -> Any:  # noqa: ANN401
    return await hass.services.async_call(
        DOMAIN, action, QUESTION, blocking=True, return_response=True
    )


async def question(hass: HomeAssistant, gateway: GatewaySimulator) -> asyncio.Task[Any]:
    """Ask in a chat."""
    return await _paused(gateway, _say(hass))


async def _say(hass: HomeAssistant) -> None:
    said = speech(await Conversation(hass).say("Hello"))
    if said != "Late.":
        raise HomeAssistantError(said, translation_key="run_lost")


async def action(hass: HomeAssistant, gateway: GatewaySimulator) -> asyncio.Task[Any]:
    """Ask by an action."""
    return await _paused(gateway, _call(hass, "ask"))


async def data(hass: HomeAssistant, gateway: GatewaySimulator) -> asyncio.Task[Any]:
    """Generate data."""
    return await _paused(gateway, generate(hass))


async def _paused(
    gateway: GatewaySimulator, asked: Awaitable[Any]
) -> asyncio.Task[Any]:
    gateway.script(Pause(), Reply("Late."))
    task = asyncio.ensure_future(asked)
    await gateway.wait_paused()
    return task


async def image(hass: HomeAssistant, gateway: GatewaySimulator) -> asyncio.Task[Any]:
    """Generate an image."""
    gateway.images.status = "running"
    before = len(gateway.received("tools.invoke"))
    gateway.hold("tools.invoke")
    task = hass.async_create_task(generate_image(hass))
    await gateway.wait_until(lambda: len(gateway.received("tools.invoke")) > before)
    return task


async def voice(hass: HomeAssistant, gateway: GatewaySimulator) -> asyncio.Task[Any]:
    """Speak a text."""
    gateway.hold("tts.speak")
    stream = tts.async_create_stream(
        hass, VOICE, options={tts.ATTR_PREFERRED_FORMAT: "wav"}
    )
    stream.async_set_message("Hello")

    async def hear() -> bytes:
        return b"".join([chunk async for chunk in stream.async_stream_result()])

    task = hass.async_create_task(hear())
    await gateway.wait_for_request("tts.speak")
    return task


ENDS: Final = ("reload", "unload", "remove")


async def end(hass: HomeAssistant, entry: MockConfigEntry, how: str) -> None:
    """End the setup of an entry."""
    await wait_processed(entry)
    ending = getattr(hass.config_entries, f"async_{how}")
    assert await ending(entry.entry_id)


def verify(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    how: str,
    caplog: pytest.LogCaptureFixture,
    hass_storage: dict[str, Any],
) -> None:
    """Verify that nothing is left, and that the log has no exception."""
    loud = [
        record.getMessage()
        for record in caplog.records
        if record.exc_info or record.levelno >= logging.ERROR
        if "clawd" in record.name or "clawd" in str(record.exc_info)
    ]
    assert loud == []
    if how == "reload":
        assert entry.state is ConfigEntryState.LOADED
    else:
        assert leftovers(hass) == []
    if how == "remove":
        assert not [key for key in hass_storage if entry.entry_id in key]
        assert entry.entry_id not in str(hass.data.get(DOMAIN))
        assert entry.entry_id not in str([*hass.data[HISTORIES]])


@pytest.mark.parametrize(
    ("begin", "key", "how"),
    [
        *product((question, action, data), ["run_lost"], ENDS),
        # The next setup would wait for what is held.
        *product([image], ["run_lost"], ENDS[1:]),
        *product([voice], ["not_connected"], ENDS),
    ],
)
async def test_the_caller_gets_an_error(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    begin: Begin,
    key: str,
    how: str,
) -> None:
    task = await begin(hass, gateway)

    await end(hass, entry, how)

    with pytest.raises(HomeAssistantError) as error:
        await task
    assert error.value.translation_key == key
    await hass.async_block_till_done()
    verify(hass, entry, how, caplog, hass_storage)


@pytest.mark.parametrize("how", ENDS)
async def test_a_task_is_cancelled(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    how: str,
) -> None:
    events = async_capture_events(hass, FINISHED)
    gateway.script(Pause(), Reply("Late."))
    started = await _call(hass, "start_task")
    await gateway.wait_paused()

    await end(hass, entry, how)
    await hass.async_block_till_done()

    [event] = events
    assert (event.data["task_id"], event.data["status"]) == (
        started["task_id"],
        "cancelled",
    )
    verify(hass, entry, how, caplog, hass_storage)


@pytest.mark.parametrize("how", ENDS)
async def test_a_warm_up_ends(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    monkeypatch.setattr(warm_up, "MAX_UPTIME", 60.0)
    gateway.started_at = time.monotonic()
    gateway.script(Pause(), Reply("Late."))
    assert await hass.config_entries.async_reload(entry.entry_id)
    await gateway.wait_paused()

    await end(hass, entry, how)
    await hass.async_block_till_done()

    assert len(gateway.received("agent")) == 1
    verify(hass, entry, how, caplog, hass_storage)


@pytest.mark.parametrize("mode", ["passive", "active", "drill"])
@pytest.mark.parametrize("how", ENDS)
async def test_a_self_test_ends(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    mode: str,
    how: str,
) -> None:
    task = hass.async_create_task(run_self_test(hass, mode=mode))
    for _ in range(20):
        await asyncio.sleep(0)

    await end(hass, entry, how)

    result = (await asyncio.gather(task, return_exceptions=True))[0]
    assert isinstance(result, HomeAssistantError | dict), result
    await hass.async_block_till_done()
    verify(hass, entry, how, caplog, hass_storage)


@pytest.mark.parametrize("how", ENDS)
async def test_open_dialogs_end(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    how: str,
) -> None:
    flows = hass.config_entries
    options = await flows.options.async_init(entry.entry_id)
    subentry = await flows.subentries.async_init(
        (entry.entry_id, "conversation"), context={"source": "user"}
    )
    reconfigure = await entry.start_reconfigure_flow(hass)

    await end(hass, entry, how)
    await hass.async_block_till_done()

    managers: list[FlowManager[Any, Any, Any]] = [
        flows.options,
        flows.subentries,
        flows.flow,
    ]
    for manager, flow in zip(managers, (options, subentry, reconfigure), strict=True):
        ids = {one["flow_id"] for one in manager.async_progress()}
        if flow["flow_id"] in ids:
            manager.async_abort(flow["flow_id"])
    verify(hass, entry, how, caplog, hass_storage)


async def test_another_entry_goes_on(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    async with GatewaySimulator() as other:
        data = {**entry.data, CONF_PORT: other.port, "token": other.token}
        second = MockConfigEntry(
            domain=DOMAIN,
            title="Second",
            data=data,
            minor_version=7,
            subentries_data=[new_subentry("main", "main")],
        )
        second.add_to_hass(hass)
        assert await hass.config_entries.async_setup(second.entry_id)
        await hass.async_block_till_done()
        [agent] = [
            state.entity_id
            for state in hass.states.async_all("conversation")
            if state.entity_id not in (AGENT, "conversation.home_assistant")
        ]
        other.script(Pause(), Reply("Still here."))
        call = hass.services.async_call(
            DOMAIN,
            "ask",
            {**QUESTION, "agent": agent},
            blocking=True,
            return_response=True,
        )
        task = hass.async_create_task(call)
        await other.wait_paused()
        lost = await action(hass, gateway)

        assert await hass.config_entries.async_remove(entry.entry_id)

        with pytest.raises(HomeAssistantError):
            await lost
        other.proceed()
        response = await task
        assert response
        assert response["text"] == "Still here."
        assert await hass.config_entries.async_unload(second.entry_id)
