"""Task owners during setup and self-test."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import DOMAIN, LOGGER
from tests.simulator import GatewaySimulator

from .fault_harness import stray_client
from .self_test import RUNS_LONG, problems, run_self_test, running_self_test, statuses
from .states import CONNECTIVITY, wait_for_state

INVENTORY = ["task_inventory"]


@pytest.fixture
async def neighbour() -> AsyncGenerator[GatewaySimulator]:
    """Run another Gateway."""
    async with GatewaySimulator() as simulator:
        yield simulator


@pytest.fixture
def other_entry(hass: HomeAssistant, neighbour: GatewaySimulator) -> MockConfigEntry:
    """Add an entry for the other Gateway, not set up."""
    data = {"host": neighbour.host, "port": neighbour.port, "ssl": False}
    entry = MockConfigEntry(
        domain=DOMAIN, title="Neighbour", data={**data, "token": neighbour.token}
    )
    entry.add_to_hass(hass)
    return entry


def _stray() -> asyncio.Task[object]:
    """Start an endless task of our code without an owner."""
    return asyncio.create_task(stray_client().wait_connected())


async def test_the_task_that_connects_is_missed(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    tasks = entry.runtime_data.client.introspection.tasks
    [run] = [task for task, name in tasks.items() if name == "run"]
    run.cancel()
    await asyncio.wait([run])

    report = await run_self_test(hass, config_entry=entry.entry_id)

    assert problems(report) == {"task_inventory": "fail"}
    [failed] = [c for c in report["checks"] if c["status"] == "fail"]
    assert failed["message"].endswith(": run.")


@pytest.mark.usefixtures("entry")
async def test_a_task_that_is_about_to_end_is_no_leak(hass: HomeAssistant) -> None:
    stray = _stray()
    hass.loop.call_later(0.005, stray.cancel)

    report = await run_self_test(hass, checks=INVENTORY)

    assert statuses(report) == {"task_inventory": "pass"}


async def test_a_secret_in_the_name_of_a_task_is_found_and_withheld(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    stray = _stray()
    stray.set_name(f"connect with {gateway.token}")

    report = await run_self_test(hass, config_entry=entry.entry_id)

    stray.cancel()
    assert problems(report) == {"task_inventory": "fail", "redaction": "fail"}
    assert gateway.token not in str(report)


async def test_a_listener_at_work_is_no_leak(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    done = asyncio.Event()
    client = entry.runtime_data.client

    async def listen(_: object) -> None:
        await done.wait()

    client.subscribe("tick", listen)
    gateway.broadcast("tick", {})
    await client.request("health")
    assert "listener tick" in client.introspection.tasks.values()

    report = await run_self_test(hass, checks=INVENTORY)

    done.set()
    assert statuses(report) == {"task_inventory": "pass"}


async def test_a_wait_for_approval_is_no_leak(
    hass: HomeAssistant, entry: MockConfigEntry, neighbour: GatewaySimulator
) -> None:
    neighbour.pairing = True
    flow = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_USER},
        data={"address": neighbour.url, "token": neighbour.token},
    )
    assert flow["type"] is FlowResultType.SHOW_PROGRESS

    report = await run_self_test(hass, config_entry=entry.entry_id)

    hass.config_entries.flow.async_abort(flow["flow_id"])
    assert report["status"] == "pass"


async def test_the_tasks_of_another_gateway_are_no_leak(
    hass: HomeAssistant, entry: MockConfigEntry, other_entry: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_setup(other_entry.entry_id)

    response: Any = await hass.services.async_call(
        DOMAIN, "self_test", {}, blocking=True, return_response=True
    )

    assert await hass.config_entries.async_unload(other_entry.entry_id)
    assert [(report["entry"], report["status"]) for report in response["reports"]] == [
        (entry.entry_id, "pass"),
        (other_entry.entry_id, "pass"),
    ]


async def test_nothing_is_said_of_tasks_while_another_entry_is_set_up(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    other_entry: MockConfigEntry,
    neighbour: GatewaySimulator,
) -> None:
    neighbour.hold("connect")
    setup = asyncio.create_task(hass.config_entries.async_setup(other_entry.entry_id))
    await neighbour.wait_for_request("connect")

    report = await run_self_test(hass, config_entry=entry.entry_id)

    neighbour.release("connect")
    assert await setup
    assert await hass.config_entries.async_unload(other_entry.entry_id)
    assert not problems(report)
    assert statuses(report)["task_inventory"] == "skip"


async def test_two_gateways_can_be_tested_at_the_same_time(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    other_entry: MockConfigEntry,
    gateway: GatewaySimulator,
) -> None:
    assert await hass.config_entries.async_setup(other_entry.entry_id)
    async with running_self_test(hass, gateway, config_entry=entry.entry_id) as first:
        second = await run_self_test(hass, config_entry=other_entry.entry_id)

    results = [problems(await first), problems(second)]
    assert await hass.config_entries.async_unload(other_entry.entry_id)
    results[0].pop("round_trip", None)  # it took as long as the second self-test
    assert results == [{}, {}]


async def test_what_is_being_tested_keeps_no_other_gateway_from_its_self_test(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    other_entry: MockConfigEntry,
    gateway: GatewaySimulator,
) -> None:
    assert await hass.config_entries.async_setup(other_entry.entry_id)
    async with running_self_test(hass, gateway, config_entry=entry.entry_id) as first:
        report = await run_self_test(hass)

    await first
    assert await hass.config_entries.async_unload(other_entry.entry_id)
    assert report["entry"] == other_entry.entry_id


async def test_what_cannot_be_drilled_keeps_no_other_gateway_from_its_drill(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    other_entry: MockConfigEntry,
    gateway: GatewaySimulator,
) -> None:
    assert await hass.config_entries.async_setup(other_entry.entry_id)
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")

    report = await run_self_test(hass, mode="drill", checks=["protocol"])

    assert await hass.config_entries.async_unload(other_entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert report["entry"] == other_entry.entry_id


@RUNS_LONG
async def test_two_gateways_drill_one_after_the_other(
    hass: HomeAssistant, entry: MockConfigEntry, other_entry: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_setup(other_entry.entry_id)
    level = LOGGER.level

    reports = await asyncio.gather(
        run_self_test(hass, mode="drill", config_entry=entry.entry_id),
        run_self_test(hass, mode="drill", config_entry=other_entry.entry_id),
    )

    assert await hass.config_entries.async_unload(other_entry.entry_id)
    assert [report["status"] for report in reports] == ["pass", "pass"]
    assert (LOGGER.level, LOGGER.propagate) == (level, True)
