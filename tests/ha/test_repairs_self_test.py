"""Repair issue of the self-test."""

import asyncio
from collections.abc import Callable

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.gateway import Event, UnsupportedProtocolError
from custom_components.clawd.reports import Status
from tests.simulator import GatewaySimulator

from .check_stubs import check_stub, run_stubs
from .fault_harness import FaultHarness
from .repair import Repair, open_issues, texts_of
from .self_test import problems, run_self_test
from .states import CONNECTIVITY, SELF_TEST, wait_for_state

FAILED = "self_test_failed"

pytestmark = pytest.mark.usefixtures("harness")


def _listen(entry: MockConfigEntry, event: str) -> Callable[[], None]:
    """Listen to one more event than after the set-up, which is a fault."""

    def ignore(_: Event) -> None:
        """Do nothing."""

    unsubscribe: Callable[[], None] = entry.runtime_data.client.subscribe(event, ignore)
    return unsubscribe


@pytest.mark.parametrize("mode", ["passive", "active"])
async def test_a_failure_is_explained_until_it_is_over(
    hass: HomeAssistant, entry: MockConfigEntry, mode: str
) -> None:
    unsubscribe = _listen(entry, "tick")
    report = await run_self_test(hass, mode=mode)

    [issue] = open_issues(hass).values()
    assert issue.translation_key == FAILED
    [check] = [c for c in report["checks"] if c["status"] == "fail"]
    text = await texts_of(hass, issue)
    assert check["message"] in text
    assert check["hint"] in text
    assert entry.title in text

    unsubscribe()
    await run_self_test(hass, mode="passive")
    assert open_issues(hass) == {}


async def test_its_dialogue_tests_again_until_nothing_fails(
    hass: HomeAssistant, entry: MockConfigEntry, repair: Repair
) -> None:
    first = _listen(entry, "tick")
    await run_self_test(hass)
    step = await repair.open(entry, FAILED)
    assert ": tick." in step["description_placeholders"]["failed_checks"]

    second = _listen(entry, "presence")
    first()
    step = await repair.submit()
    assert step["errors"] == {"base": "not_fixed"}
    assert ": presence." in step["description_placeholders"]["failed_checks"]

    second()
    step = await repair.submit()
    assert step["type"] == FlowResultType.CREATE_ENTRY
    assert open_issues(hass) == {}
    assert len(entry.runtime_data.reports.reports) == 3
    await wait_for_state(hass, SELF_TEST, "pass")


async def test_its_dialogue_ends_for_now_while_another_self_test_runs(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    repair: Repair,
) -> None:
    unsubscribe = _listen(entry, "tick")
    await run_self_test(hass)
    await repair.open(entry, FAILED)
    gateway.hold("health")
    other = asyncio.create_task(run_self_test(hass))
    await gateway.wait_for_request("health", 6)

    step = await repair.submit()
    assert step["type"] == FlowResultType.ABORT
    assert step["reason"] == "not_tested"
    assert set(open_issues(hass)) == {FAILED}

    gateway.release("health")
    await other
    unsubscribe()


async def test_a_check_that_broke_is_one_that_failed(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await run_stubs(hass, entry, check_stub(Status.ERROR))

    assert set(open_issues(hass)) == {FAILED}


@pytest.mark.parametrize("status", [Status.PASS, Status.WARN])
async def test_a_check_that_passes_again_ends_it(
    hass: HomeAssistant, entry: MockConfigEntry, status: Status
) -> None:
    await run_stubs(hass, entry, check_stub(Status.FAIL))
    await run_stubs(hass, entry, check_stub(status))

    assert open_issues(hass) == {}


@pytest.mark.parametrize(
    ("status", "name"), [(Status.SKIP, "stub"), (Status.PASS, "another")]
)
async def test_a_self_test_that_does_not_look_again_does_not_end_it(
    hass: HomeAssistant, entry: MockConfigEntry, status: Status, name: str
) -> None:
    await run_stubs(hass, entry, check_stub(Status.FAIL))
    await run_stubs(hass, entry, check_stub(status, name))

    assert set(open_issues(hass)) == {FAILED}


async def test_a_gateway_that_is_away_is_none(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")

    report = await run_self_test(hass, config_entry=entry.entry_id)

    assert report["status"] == "fail"
    assert open_issues(hass) == {}


async def test_clocks_that_differ_have_an_issue_of_their_own_alone(
    hass: HomeAssistant, gateway: GatewaySimulator, harness: FaultHarness
) -> None:
    gateway.clock_shift_ms = 130_000
    await harness.reconnect()

    assert problems(await run_self_test(hass)) == {"clock_skew": "fail"}

    assert set(open_issues(hass)) == {"clock_skew"}


async def test_a_protocol_that_is_too_new_has_an_issue_of_its_own_alone(
    hass: HomeAssistant, gateway: GatewaySimulator, harness: FaultHarness
) -> None:
    gateway.edit("hello-ok", lambda hello: hello.update(protocol=5))
    with pytest.raises(UnsupportedProtocolError):
        await harness.reconnect()

    assert problems(await run_self_test(hass)) == {"protocol": "fail"}

    assert set(open_issues(hass)) == {"protocol_too_new"}


async def test_a_reload_ends_it(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    _listen(entry, "tick")
    await run_self_test(hass)
    assert open_issues(hass)

    assert await hass.config_entries.async_reload(entry.entry_id)

    assert open_issues(hass) == {}
    assert (await run_self_test(hass))["status"] == "pass"


async def test_no_secret_of_a_finding_gets_into_it(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    unsubscribe = _listen(entry, gateway.token)

    await run_self_test(hass, checks=["handler_baseline"])

    [issue] = open_issues(hass).values()
    assert gateway.token not in str(issue)
    unsubscribe()
