"""Checks of a healthy home."""

import asyncio
from pathlib import Path
from typing import Any

from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.gateway import (
    NodeCall,
    NodeHost,
    NodeTool,
    PairingRequiredError,
)
from custom_components.clawd.home.service import HomeService, get_home
from custom_components.clawd.reports import Report
from custom_components.clawd.selftest.checks import home_drills, requests
from custom_components.clawd.selftest.loop_watch import LoopWatch
from tests.ha.assist_client import Conversation
from tests.ha.fault_harness import poll
from tests.ha.self_test import RUNS_LONG, problems, run_self_test, statuses
from tests.simulator import GatewaySimulator, Refusal, Reply

from .nodes import node_of, wait_for_node
from .speakers import add_speaker, set_up_voice
from .tools import FakeApi, FakeTool

type Check = dict[str, Any]


@pytest.fixture
def other_tool(hass: HomeAssistant) -> FakeTool:
    """Return a tool of another integration, which reads."""
    tool = FakeTool("look", read_only=True)
    FakeApi.register(hass, tool)
    return tool


@pytest.fixture
async def service(
    hass: HomeAssistant,
    house: None,  # noqa: ARG001 - before the entry
    other_tool: FakeTool,  # noqa: ARG001 - before the entry
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
) -> HomeService:
    """Return the home's service once the Gateway has its tools."""
    service = get_home(entry)
    assert service is not None
    await service.async_update_tools()
    await wait_for_node(gateway, entry)
    host = node_of(entry).host
    await poll(lambda: len(host.published) == len(host.wanted) > 0)
    await hass.async_block_till_done()
    return service


async def check_of(hass: HomeAssistant, check_id: str, mode: str = "active") -> Check:
    """Return the report of one check."""
    report = await run_self_test(hass, mode=mode, checks=[check_id])
    [check] = report["checks"]
    return dict(check)


async def skipped(hass: HomeAssistant, check_id: str, mode: str = "active") -> str:
    """Return why a check is skipped."""
    check = await check_of(hass, check_id, mode)
    assert check["status"] == "skip", check
    assert check["hint"]
    return str(check["message"])


def home_statuses(report: Report) -> set[str]:
    """Return the statuses of the checks of the home."""
    return {c["status"] for c in report["checks"] if c["component"] == "home"}


@RUNS_LONG
@pytest.mark.usefixtures("service")
async def test_a_home_in_order_passes_every_check(hass: HomeAssistant) -> None:
    for mode in ("passive", "active", "drill"):
        report = await run_self_test(hass, mode=mode)

        assert problems(report) == {}
        assert report["suspects"] == []
        assert home_statuses(report) == {"pass"}


@pytest.mark.parametrize("home_settings", [{"home_access": "none"}])
@pytest.mark.usefixtures("entry")
async def test_without_access_the_checks_say_so(hass: HomeAssistant) -> None:
    assert "no agent has access" in await skipped(hass, "home_approval")
    assert "no agent has access" in await skipped(hass, "home_policy")


@pytest.mark.usefixtures("service")
async def test_a_node_that_is_not_paired_is_not_approved(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    client = node_of(entry).client
    gateway.refuse(Refusal.PAIRING)
    gateway.devices.approved.pop(client.device_id)
    gateway.nodes.sessions[client.device_id].connection.websocket.transport.abort()
    await poll(lambda: isinstance(client.last_error, PairingRequiredError))

    report = await run_self_test(hass)

    assert problems(report) == {"home_approval": "fail"}
    assert report["suspects"][0].startswith("The Gateway has not approved the home")
    assert "not approved" in await skipped(hass, "home_published", "passive")
    assert "down" in await skipped(hass, "home_visible")
    gateway.refuse(None)


@pytest.mark.usefixtures("service")
async def test_a_second_holder_explains_what_is_not_published(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NodeHost, "displaced", property(lambda _: True))

    assert "key of this home" in await skipped(hass, "home_published", "passive")
    monkeypatch.undo()


@pytest.mark.usefixtures("service")
async def test_a_slow_gateway_is_not_the_home(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "ROUND_TRIP_WARN", 0.0)

    report = await run_self_test(hass, checks=["round_trip", "home_round_trip"])

    assert statuses(report) == {"round_trip": "warn", "home_round_trip": "skip"}


@pytest.mark.usefixtures("service")
async def test_a_late_loop_is_not_the_home(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "ROUND_TRIP_WARN", 0.0)
    monkeypatch.setattr(LoopWatch, "lag_since", lambda *_: 10.0)

    assert "event loop was late" in await skipped(hass, "home_round_trip")


async def test_the_session_that_was_used_last_tells_what_is_visible(
    hass: HomeAssistant,
    service: HomeService,
    conversation: Conversation,
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply("Hi."))
    await conversation.say("Hi")
    assert service.origins.last_session
    assert (await check_of(hass, "home_visible"))["status"] == "pass"

    gateway.nodes.profile = "minimal"
    assert (await check_of(hass, "home_visible"))["status"] == "fail"
    gateway.nodes.also_allow = ["homeassistant"]
    assert (await check_of(hass, "home_visible"))["status"] == "pass"


@pytest.mark.usefixtures("service")
async def test_without_a_session_the_configuration_tells_it(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.nodes.profile = "minimal"
    assert (await check_of(hass, "home_visible"))["status"] == "fail"
    gateway.nodes.also_allow = ["group:plugins"]
    assert (await check_of(hass, "home_visible"))["status"] == "pass"


POLICIES: list[tuple[dict[str, str], int]] = [
    ({"home_access": "read"}, 7),
    ({"sensitive": "never"}, 7),
    ({"sensitive": "ask"}, 7),
    # Nothing is tried that the owner allows.
    ({"sensitive": "allow"}, 5),
    ({"sensitive": "allow", "from_elsewhere": "control"}, 4),
]


@pytest.mark.parametrize(("home_settings", "calls"), POLICIES)
async def test_every_setting_has_its_policy_and_nothing_is_done(
    hass: HomeAssistant, service: HomeService, calls: int
) -> None:
    done: list[object] = []
    for event in ("done", "clawd_tool_call"):
        hass.bus.async_listen(event, done.append)

    assert (await check_of(hass, "home_exposure"))["status"] == "pass"
    check = await check_of(hass, "home_policy", "passive")
    await hass.async_block_till_done()

    assert check["status"] == "pass"
    assert f"(calls: {calls})" in check["message"]
    # The calls without a session are refused like any other.
    assert {event.data["outcome"] for event in done} <= {"not_allowed"}  # type: ignore[attr-defined]
    assert "dry_run" not in service.statistics.outcomes


async def test_without_a_lock_the_rules_are_tried_on_one_that_is_not_there(
    hass: HomeAssistant, service: HomeService
) -> None:
    async_expose_entity(hass, "conversation", "lock.front_door", should_expose=False)

    check = await check_of(hass, "home_policy", "passive")

    assert check["status"] == "pass"
    assert "(calls: 6)" in check["message"]
    assert len(service.confirmations) == 0


@pytest.mark.usefixtures("service")
async def test_no_policy_is_tried_while_home_assistant_stops(
    hass: HomeAssistant,
) -> None:
    hass.set_state(CoreState.stopping)
    reason = await skipped(hass, "home_policy", "passive")
    hass.set_state(CoreState.running)

    assert "starting or stopping" in reason


@pytest.mark.parametrize("home_settings", [{"llm_hass_api": ["fake"]}])
@pytest.mark.usefixtures("service")
async def test_tools_of_others_are_not_called(
    hass: HomeAssistant, other_tool: FakeTool
) -> None:
    for check_id in ("home_round_trip", "home_call_cut"):
        mode = "drill" if check_id == "home_call_cut" else "active"
        assert "sure to do nothing" in await skipped(hass, check_id, mode)
    for check_id in ("home_exposure", "home_policy"):
        assert (await check_of(hass, check_id))["status"] == "pass"
    assert not other_tool.called.is_set()


async def test_an_exposed_voice_device_is_no_leak(
    hass: HomeAssistant, service: HomeService, tmp_path: Path
) -> None:
    await set_up_voice(hass, str(tmp_path))
    await add_speaker(hass, "Oven")
    await service.async_update_tools()
    assert "home_announce" in {tool.name for tool in service.tools}
    assert (await check_of(hass, "home_exposure"))["status"] == "pass"


async def test_a_name_that_is_not_exposed_is_found(
    hass: HomeAssistant,
    service: HomeService,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "custom_components.clawd.selftest.checks.home_calls.EXPOSURE_DELAY", 0.0
    )
    registry = er.async_get(hass)
    calendar = registry.async_get_or_create("calendar", "test", "1").entity_id
    registry.async_update_entity(calendar, aliases=["Ours"])
    hass.states.async_set(calendar, "off", {"friendly_name": "Family"})
    async_expose_entity(hass, "conversation", calendar, should_expose=True)
    names = {"enum": ["Family", "Ours"]}
    schema: dict[str, Any] = {"type": "object", "properties": {"calendar": names}}
    host = node_of(entry).host
    host.set_tools([NodeTool("home_state", "Reads.", schema), *service.tools[1:]])
    assert (await check_of(hass, "home_exposure"))["status"] == "pass"

    async_expose_entity(hass, "conversation", calendar, should_expose=False)

    check = await check_of(hass, "home_exposure")
    assert check["status"] == "fail"
    assert check["observed_value"] == 2
    assert "calendar" in check["message"]
    assert "Family" not in str(check)


@pytest.mark.usefixtures("service")
async def test_a_change_that_is_being_followed_is_no_fault(
    hass: HomeAssistant, service: HomeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "custom_components.clawd.selftest.checks.home_calls.EXPOSURE_DELAY", 0.05
    )
    async_expose_entity(hass, "conversation", "script.welcome", should_expose=False)
    test = asyncio.create_task(check_of(hass, "home_exposure"))
    await asyncio.sleep(0)
    await service.async_update_tools()

    assert (await test)["status"] == "pass"


@pytest.mark.usefixtures("service")
async def test_a_call_that_does_not_come_is_skipped(
    hass: HomeAssistant, gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_drills, "CALL_TIMEOUT", 0.05)
    gateway.hold("tools.invoke")

    assert "passed no call on" in await skipped(hass, "home_call_cut", "drill")
    gateway.release("tools.invoke")


async def test_drills_do_not_interrupt_a_call(
    hass: HomeAssistant,
    service: HomeService,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
) -> None:
    proceed, started = asyncio.Event(), asyncio.Event()

    async def hold(_: NodeCall) -> str:
        started.set()
        await proceed.wait()
        return "done"

    key = "agent:main:held"
    service.probes[key] = hold
    call = asyncio.create_task(
        gateway.nodes.call("home_state", {"action": "GetDateTime"}, session_key=key)
    )
    await started.wait()

    for check_id in ("drill_abort", "home_cut"):
        assert "using the home" in await skipped(hass, check_id, "drill")

    assert [one.session_key for one in node_of(entry).host.open_calls] == [key]
    proceed.set()
    assert (await call)["ok"]
    del service.probes[key]
