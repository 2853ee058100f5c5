"""Calls from sessions of other channels."""

from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.clawd.flows.repair import AllowElsewhereFlow
from custom_components.clawd.home import elsewhere
from custom_components.clawd.home.limits import SESSION_PAUSE
from custom_components.clawd.repairs import async_create_fix_flow
from tests.ha.repair import Repair, open_issues, texts_of
from tests.simulator import GatewaySimulator

from .harness import SESSION, Home

WHATSAPP = "agent:main:whatsapp:direct:+15551234567"
MAIN = "agent:main:main"
SUBAGENT = "agent:main:subagent:1"

may_read = pytest.mark.parametrize("home_settings", [{"from_elsewhere": "read"}])
may_control = pytest.mark.parametrize("home_settings", [{"from_elsewhere": "control"}])


def known(gateway: GatewaySimulator, key: str, **row: object) -> None:
    """Let the Gateway know a session."""
    gateway.described[key] = row


async def test_nothing_is_allowed_by_default_and_a_repair_offers_it(
    hass: HomeAssistant, home: Home, repair: Repair, gateway: GatewaySimulator
) -> None:
    first = home.entry.subentries[home.subentry_id]
    other = ConfigSubentry(
        data=MappingProxyType({**first.data, "agent": "kitchen"}),
        subentry_type="conversation",
        title="Chef",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(home.entry, other)
    await hass.async_block_till_done()
    home = Home(hass, home.entry, home.user)
    known(gateway, WHATSAPP)
    refused = await home.refused("HassTurnOn", name="Kitchen light", key=WHATSAPP)
    await home.refused("GetDateTime", key=MAIN)

    assert refused == (
        "NOT_ALLOWED: Home Assistant lets this agent reach the home only in "
        "conversations that were started in Home Assistant. Its owner can allow it "
        "from here."
    )
    issue = open_issues(hass)["home_refused"]
    assert "(main)" in await texts_of(hass, issue)
    assert "1555" not in str(hass.data["issue_registry"].issues)
    step = await repair.open(home.entry, "home_refused", suffix="_main")
    assert step["step_id"] == "allow"
    done = await repair.submit(from_elsewhere="read")
    assert done["type"] == "create_entry"
    await hass.async_block_till_done()
    assert open_issues(hass) == {}
    kept = home.entry.subentries[other.subentry_id]
    assert kept.data["from_elsewhere"] == "none"
    home = Home(hass, home.entry, home.user)
    await home.call("GetDateTime", key=WHATSAPP)
    refused = await home.refused("HassTurnOn", name="Kitchen light", key=WHATSAPP)
    assert "may read the home, but not control it" in refused


async def test_the_repair_goes_away_with_the_entry(
    hass: HomeAssistant, home: Home
) -> None:
    await home.refused("GetDateTime", key=MAIN)
    assert "home_refused" in open_issues(hass)
    assert await hass.config_entries.async_unload(home.entry.entry_id)
    assert open_issues(hass) == {}


@may_control
async def test_control_from_elsewhere_is_nobodys_in_particular(
    hass: HomeAssistant, home: Home, gateway: GatewaySimulator
) -> None:
    known(gateway, WHATSAPP, chatType="direct")
    await home.call("HassTurnOn", name="Kitchen light", key=WHATSAPP)
    unlock = await home.refused("HassTurnOff", domain=["lock"], key=WHATSAPP)

    assert home.effects == ["on"]
    state = hass.states.get("light.kitchen_light")
    assert state is not None
    assert state.context.user_id is None
    assert "it cannot be confirmed from here" in unlock
    assert "whatsapp" not in str(home.events)


@may_control
@pytest.mark.parametrize(
    ("key", "told"),
    [
        (None, "no calls without a session"),
        ("", "no calls without a session"),
        ("global", "no calls without a session"),
        ("agent:other:main", "This agent is not set up"),
        ("agent:main:whatsapp:group:123@g.us", "not be reached from group chats"),
        ("agent:main:discord:channel:123", "not be reached from group chats"),
        ("agent:main:mine", "not be reached from group chats"),
    ],
)
async def test_groups_strangers_and_calls_without_a_key_get_nothing(
    hass: HomeAssistant,
    home: Home,
    gateway: GatewaySimulator,
    key: str | None,
    told: str,
) -> None:
    known(gateway, "agent:main:mine", chatType="group")
    refused = await home.refused("GetDateTime", key=key)

    assert told.replace("not be", "cannot be") in refused
    assert open_issues(hass) == {}


@may_read
async def test_a_session_that_the_gateway_does_not_describe_gets_nothing(
    home: Home, gateway: GatewaySimulator
) -> None:
    assert "group chats" in await home.refused("GetDateTime", key=MAIN)
    known(gateway, MAIN)
    await home.call("GetDateTime", key=MAIN)
    gateway.described.clear()
    await home.call("GetDateTime", key=MAIN)


@may_read
async def test_a_gateway_that_does_not_answer_lets_nobody_in(
    home: Home, gateway: GatewaySimulator
) -> None:
    gateway.described[MAIN] = None
    assert "group chats" in await home.refused("GetDateTime", key=MAIN)


async def test_a_sub_agent_of_our_run_acts_for_its_user(
    hass: HomeAssistant, home: Home, gateway: GatewaySimulator
) -> None:
    known(gateway, SUBAGENT, spawnedBy=SESSION)
    known(gateway, f"{SUBAGENT}1", parentSessionKey=SUBAGENT)
    with home.run():
        await home.call("HassTurnOn", name="Kitchen light", key=SUBAGENT)
        await home.call("HassTurnOn", name="Hall light", key=f"{SUBAGENT}1")
    with home.run(user_id=None):
        await home.call("HassTurnOff", name="Kitchen light", key=SUBAGENT)
        unlock = await home.refused("HassTurnOff", domain=["lock"], key=SUBAGENT)

    assert home.effects == ["on", "on", "off"]
    state = hass.states.get("light.kitchen_light")
    assert state is not None
    assert state.context.user_id == home.user
    assert "it cannot be confirmed from here" in unlock


@pytest.mark.parametrize(
    "row", [None, {}, {"spawnedBy": 1}, {"spawnedBy": MAIN}, {"spawnedBy": SUBAGENT}]
)
async def test_a_sub_agent_of_others_is_from_elsewhere(
    home: Home, gateway: GatewaySimulator, row: dict[str, Any] | None
) -> None:
    if row is not None:
        known(gateway, SUBAGENT, **row)
    with home.run():
        refused = await home.refused("GetDateTime", key=SUBAGENT)
    assert "only in conversations" in refused


async def test_a_run_is_remembered_for_its_sub_agents_for_a_while(
    home: Home, gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.clawd.home.origin.MAX_SESSIONS", 1)
    monkeypatch.setattr(elsewhere, "MAX_SESSIONS", 1)
    known(gateway, SUBAGENT, spawnedBy=SESSION)
    known(gateway, f"{SUBAGENT}1", spawnedBy="agent:main:ha-other")
    for key in (SESSION, "agent:main:ha-other"):
        with home.run(key):
            pass
    assert "only in" in await home.refused("GetDateTime", key=SUBAGENT)
    await home.call("GetDateTime", key=f"{SUBAGENT}1")
    assert home.service.origins.latest("agent:main:ha-other")
    now = home.service.clock()
    home.service.clock = lambda: now + 3601
    assert home.service.origins.latest("agent:main:ha-other") is None


@may_control
@pytest.mark.parametrize(
    "row",
    [
        {},
        {"spawnedBy": "agent:main:whatsapp:group:1@g.us"},
        {"spawnedBy": "agent:main:WhatsApp:GROUP:1@g.us"},
        {"spawnedBy": "agent:main:mine"},
        {"spawnedBy": "agent:main:gone"},
        {"spawnedBy": "global"},
        {"spawnedBy": SUBAGENT},
    ],
)
async def test_a_sub_agent_of_a_group_gets_nothing(
    home: Home, gateway: GatewaySimulator, row: dict[str, Any]
) -> None:
    known(gateway, "agent:main:mine", chatType="group")
    known(gateway, SUBAGENT, **row)
    refused = await home.refused("GetDateTime", key=SUBAGENT)
    assert "cannot be reached from group chats" in refused


@may_control
async def test_a_sub_agent_of_one_person_is_let_in(
    home: Home, gateway: GatewaySimulator
) -> None:
    known(gateway, WHATSAPP, chatType="direct")
    known(gateway, SUBAGENT, spawnedBy=WHATSAPP)
    await home.call("HassTurnOn", name="Kitchen light", key=SUBAGENT)
    assert home.effects == ["on"]


@may_control
async def test_a_session_from_elsewhere_may_control_again_after_a_pause(
    home: Home, gateway: GatewaySimulator
) -> None:
    known(gateway, MAIN)
    now = 1000.0
    home.service.clock = lambda: now
    for _ in range(3):
        await home.call("HassTurnOn", name="Kitchen light", key=MAIN)
    for _ in range(3):
        now += SESSION_PAUSE
        refused = await home.refused("HassTurnOn", name="Kitchen light", key=MAIN)
        assert "TOO_MANY_CALLS" in refused
    now += SESSION_PAUSE + 1
    await home.call("HassTurnOn", name="Kitchen light", key=MAIN)


async def test_a_run_of_a_deleted_agent_is_from_elsewhere(home: Home) -> None:
    with home.run(subentry_id="gone"):
        assert "only in" in await home.refused("GetDateTime")


@may_control
async def test_of_two_settings_the_least_counts(
    hass: HomeAssistant, home: Home, gateway: GatewaySimulator
) -> None:
    known(gateway, MAIN)
    first = home.entry.subentries[home.subentry_id]
    for number, changes in enumerate(
        ({"from_elsewhere": "read"}, {"home_access": "none"})
    ):
        other = ConfigSubentry(
            data=MappingProxyType({**first.data, **changes}),
            subentry_type="conversation",
            title=f"Other {number}",
            unique_id=None,
        )
        hass.config_entries.async_add_subentry(home.entry, other)
        await hass.async_block_till_done()
        home = Home(hass, home.entry, home.user)
        if not number:
            await home.call("GetDateTime", key=MAIN)
            refused = await home.refused("HassTurnOn", name="Kitchen light", key=MAIN)
            assert "may read the home" in refused
    # What one of them forbids, no repair offers.
    assert "only in" in await home.refused("GetDateTime", key=MAIN)
    assert open_issues(hass) == {}


async def test_the_repair_of_an_issue_that_is_gone_still_shows(
    hass: HomeAssistant, home: Home
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    data = {"entry_id": home.entry.entry_id, "issue": "home_refused", "agent": "main"}
    flow = await async_create_fix_flow(hass, "gone", data)
    assert isinstance(flow, AllowElsewhereFlow)
    flow.hass, flow.issue_id = hass, "gone"
    step = await flow.async_step_init()
    assert step["description_placeholders"] is None
