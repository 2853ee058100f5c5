"""Warm-up of a started Gateway."""

import asyncio
import time

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist import throwaway, warm_up
from custom_components.clawd.assist.warm_up import WarmUps, get_warm_ups
from custom_components.clawd.gateway import RunRequest
from custom_components.clawd.util.drill_lock import drill_lock
from tests.simulator import GatewaySimulator, Pause, Refuse, Reply, Tool

from .assist_client import Conversation, speech
from .downloads import Download
from .self_test import problems, run_self_test, statuses
from .states import CONNECTIVITY, wait_for_state


@pytest.fixture(autouse=True)
def _warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warm up as in a home, but delete the session without a break."""
    monkeypatch.setattr(warm_up, "MAX_UPTIME", 60.0)
    monkeypatch.setattr(throwaway, "DELAYS", (0.0, 0.0, 0.0))


@pytest.fixture
def young(gateway: GatewaySimulator) -> GatewaySimulator:
    """Let the Gateway have started just now."""
    gateway.started_at = time.monotonic()
    return gateway


async def finished(entry: MockConfigEntry) -> WarmUps:
    """Wait until nothing of a warm-up is left to do."""
    while tasks := entry.runtime_data.background_tasks:
        await asyncio.wait(tasks)
        await asyncio.sleep(0)
    return get_warm_ups(entry)


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> WarmUps:
    assert await hass.config_entries.async_setup(entry.entry_id)
    return await finished(entry)


async def reconnect(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> WarmUps:
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await wait_for_state(hass, CONNECTIVITY, "on")
    return await finished(entry)


async def test_the_run_is_stopped_when_the_agent_answers(
    hass: HomeAssistant, new_entry: MockConfigEntry, young: GatewaySimulator
) -> None:
    young.script(Reply("Hello"), Pause(), Reply("Nobody hears this."))
    warm_ups = await set_up(hass, new_entry)

    [run] = young.received("agent")
    assert run.params["sessionKey"] == warm_ups.session
    assert run.params["promptMode"] == "minimal"
    restricted, archived = young.received("sessions.patch")
    assert restricted.params["permissionMode"] == "read-only"
    assert archived.params["archived"] is True
    [stop] = young.received("chat.abort")
    assert stop.params["runId"] == run.params["idempotencyKey"]
    # Nothing is left: no run, no session.
    assert len(young.received("sessions.delete")) == 1
    assert young.runs.active() == []
    assert warm_ups.session not in young.runs.sessions
    assert (len(warm_ups.starts), warm_ups.failed) == (1, {})
    assert warm_ups.seconds


async def test_the_run_is_stopped_before_a_tool_has_ended(
    hass: HomeAssistant, new_entry: MockConfigEntry, young: GatewaySimulator
) -> None:
    young.script(Tool("look"), Pause(), Reply("Nobody hears this."))
    warm_ups = await set_up(hass, new_entry)
    assert len(young.received("chat.abort")) == 1
    assert warm_ups.seconds


async def test_it_happens_once_each_start(
    hass: HomeAssistant, new_entry: MockConfigEntry, young: GatewaySimulator
) -> None:
    await set_up(hass, new_entry)
    await reconnect(hass, new_entry, young)
    assert await hass.config_entries.async_reload(new_entry.entry_id)
    warm_ups = await finished(new_entry)
    assert len(young.received("agent")) == 1

    # Another start is another process.
    warm_ups.starts[0] -= 20
    await reconnect(hass, new_entry, young)
    assert len(young.received("agent")) == len(warm_ups.starts) == 2
    assert warm_ups.repeated == 0


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_gateway_that_runs_for_long_is_left_alone(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    if gateway.protocol == 3:
        # Clawdbot does not tell.
        gateway.started_at = time.monotonic()
    await set_up(hass, new_entry)
    assert gateway.received("agent") == []


async def test_a_gateway_that_is_restarted_is_warmed_up(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await set_up(hass, new_entry)
    await gateway.restart()
    await gateway.wait_for_request("sessions.delete")
    warm_ups = await finished(new_entry)
    assert (len(warm_ups.starts), len(gateway.received("agent"))) == (1, 1)


async def test_the_option_switches_it_off(
    hass: HomeAssistant, new_entry: MockConfigEntry, young: GatewaySimulator
) -> None:
    hass.config_entries.async_update_entry(new_entry, options={"warm_up": False})
    assert (await set_up(hass, new_entry)).starts == WarmUps().starts
    assert young.received("agent") == []


@pytest.mark.parametrize("agent_settings", [{"agent": "gone"}])
@pytest.mark.usefixtures("agent_settings")
async def test_without_an_agent_there_is_nothing_to_warm_up(
    hass: HomeAssistant, new_entry: MockConfigEntry, young: GatewaySimulator
) -> None:
    await set_up(hass, new_entry)
    for subentry_id in tuple(new_entry.subentries):
        hass.config_entries.async_remove_subentry(new_entry, subentry_id)
    await hass.async_block_till_done()
    await finished(new_entry)
    assert young.received("agent") == []


async def test_a_question_is_as_good_as_a_warm_up(
    hass: HomeAssistant, entry: MockConfigEntry, young: GatewaySimulator
) -> None:
    young.script(Pause(), Reply("It is on."))
    client = entry.runtime_data.client
    run = await client.start_run(RunRequest("Hi", "agent:main:x"))
    await young.wait_paused()
    await reconnect(hass, entry, young)
    young.proceed()
    await run.result()
    assert len(young.received("agent")) == 1


async def test_a_drill_warms_up_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, young: GatewaySimulator
) -> None:
    client = entry.runtime_data.client
    await client.interrupt()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await wait_for_state(hass, CONNECTIVITY, "on")
    await finished(entry)
    assert young.received("agent") == []


async def test_a_drill_is_waited_for(
    hass: HomeAssistant, entry: MockConfigEntry, young: GatewaySimulator
) -> None:
    young.script(Reply("Hello"), Pause(), Reply("Nobody hears this."))
    async with drill_lock(entry).drill():
        young.drop()
        await wait_for_state(hass, CONNECTIVITY, "off")
        await wait_for_state(hass, CONNECTIVITY, "on")
        await entry.runtime_data.client.request("health")
        assert young.received("agent") == []
    await finished(entry)
    assert len(young.received("agent")) == 1


async def test_a_refusal_is_counted_and_costs_nothing_else(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    young: GatewaySimulator,
    download: Download,
) -> None:
    young.script_once(Refuse("no", "INVALID_REQUEST"))
    warm_ups = await set_up(hass, new_entry)
    assert warm_ups.failed == {"INVALID_REQUEST": 1}
    assert warm_ups.seconds is None
    assert '"warm_ups":{"count":1,' in (await download()).replace(" ", "").replace(
        "\n", ""
    )


@pytest.mark.parametrize(
    ("agent_settings", "runs"),
    [({"permissions": "gateway"}, 1), ({"permissions": "guarded"}, 0)],
)
@pytest.mark.usefixtures("agent_settings")
async def test_a_session_that_cannot_be_restricted(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    young: GatewaySimulator,
    runs: int,
) -> None:
    young.refuse_method("sessions.patch")
    warm_ups = await set_up(hass, new_entry)
    assert len(young.received("agent")) == runs
    assert bool(warm_ups.failed) is not bool(runs)


async def test_a_gateway_that_takes_too_long_is_given_up(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    young: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warm_up, "WARM_UP_TIMEOUT", 0.05)
    young.hold("agent")
    warm_ups = await set_up(hass, new_entry)
    assert warm_ups.failed == {"TIMEOUT": 1}
    young.release("agent")


async def test_it_ends_with_the_entry(
    hass: HomeAssistant, new_entry: MockConfigEntry, young: GatewaySimulator
) -> None:
    young.hold("agent")
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await young.wait_for_request("agent")
    tasks = new_entry.runtime_data.background_tasks
    [task] = [task for task in tasks if task.get_name() == warm_up.WARM_UP_TASK]
    assert await hass.config_entries.async_unload(new_entry.entry_id)
    assert task.done()
    young.release("agent")


async def test_a_question_meanwhile_is_answered(
    hass: HomeAssistant, new_entry: MockConfigEntry, young: GatewaySimulator
) -> None:
    young.script_once(Reply("Hello"), Pause(), Reply("Nobody hears this."))
    young.script(Reply("It is on."))
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await young.wait_for_request("agent")
    assert speech(await Conversation(hass).say("Hi")) == "It is on."
    await finished(new_entry)
    # It is no question of a person.
    assert new_entry.runtime_data.first_words


async def test_the_self_test_sees_a_warm_up(
    hass: HomeAssistant, new_entry: MockConfigEntry, young: GatewaySimulator
) -> None:
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    warm_ups = await finished(new_entry)
    report = await run_self_test(hass, checks=["warm_up"])
    assert statuses(report) == {"warm_up": "pass"}
    # It is deleted with the next one.
    new_entry.runtime_data.ended_sessions.add(warm_ups.session)
    report = await run_self_test(hass, checks=["warm_up"])
    assert problems(report) == {}
    warm_ups.running = True
    report = await run_self_test(hass, checks=["warm_up"])
    assert statuses(report) == {"warm_up": "skip"}
    assert len(young.received("agent")) == 1
