"""Scenarios of the home with OpenClaw."""

import asyncio
from collections.abc import AsyncIterator
import json

import pytest

from custom_components.clawd.gateway import RequestFailedError, RunRequest
from scripts.home_assistant import journey
from tests.gateway_e2e.clients import warm_up
from tests.gateway_e2e.gateways import Gateway

from .real_home import (
    GARAGE,
    HALL,
    KITCHEN,
    LOCK,
    NAMES,
    another_client,
    new_home,
    new_session,
    resident_of,
)
from .resident import Resident

UNLOCK = {"action": "HassTurnOff", "name": "Front door", "domain": ["lock"]}
ENTITIES = (KITCHEN, HALL, LOCK, GARAGE, "movie_time")
MAIN_CHAT = "agent:main:main"
# Of a check that is skipped on a busy machine.
EVENT_LOOP_LATE = "the event loop was late"
DEPENDING_ON_SPEED = ("round_trip", "home_round_trip")


@pytest.fixture(scope="module")
def private_texts() -> tuple[str, ...]:
    """Return the names of the entities."""
    return (*NAMES, *ENTITIES)


@pytest.fixture
async def resident(resident: Resident) -> Resident:
    """Return the user of the home, as it was at first."""
    for light in (KITCHEN, HALL):
        await resident.act("light.turn_off", light)
    await resident.act("lock.lock", LOCK)
    await resident.act("cover.close_cover", GARAGE)
    return resident


def use(action: str, tool: str = "home_control", **arguments: object) -> str:
    """Return the model's step that uses an action of the home."""
    return f"use {tool} {json.dumps({'action': action, **arguments})}"


async def test_light_is_turned_on_in_the_name_of_the_user(resident: Resident) -> None:
    answer = await resident.say("Turn on the kitchen light.")
    assert answer.text == "The kitchen light is on."
    assert await resident.state(KITCHEN) == "on"
    assert await resident.state(HALL) == "off"
    event = await resident.wait_logbook(KITCHEN, "on")
    assert event["context_user_id"] == await resident.user_id()
    assert event["context_name"] == "main"
    assert event["context_message"] == "turned on Kitchen light"


async def test_door_is_unlocked_after_the_user_agreed(resident: Resident) -> None:
    asked = await resident.say("Unlock the door.")
    assert "CONFIRMATION_REQUIRED" in asked.text
    assert "Front door" in asked.text
    assert await resident.state(LOCK) == "locked"
    done = await resident.say("Yes, unlock it.", asked.conversation_id)
    assert "CONFIRMATION_REQUIRED" not in done.text
    assert await resident.state(LOCK) == "unlocked"


async def test_model_cannot_agree_for_the_user(resident: Resident) -> None:
    twice = f"{use('HassTurnOff', name='Front door', domain=['lock'])} | "
    asked = await resident.say(f"{twice * 2}quote")
    assert "CONFIRMATION_REQUIRED" in asked.text
    assert await resident.state(LOCK) == "locked"


async def test_other_conversation_does_not_agree(resident: Resident) -> None:
    await resident.say("Unlock the door.")
    other = await resident.say("Yes, unlock it.")
    assert "CONFIRMATION_REQUIRED" in other.text
    assert await resident.state(LOCK) == "locked"


async def test_other_client_cannot_agree_for_the_user(
    resident: Resident, gateway: Gateway
) -> None:
    async with another_client(gateway) as client:
        async with new_session(resident, client) as session:
            asked = await resident.say("Unlock the door.")
        assert "CONFIRMATION_REQUIRED" in asked.text
        with pytest.raises(RequestFailedError):
            await client.tools.invoke("home_control", UNLOCK, session.key)
        run = await client.start_run(RunRequest("Yes, unlock it.", session.key))
        assert "NOT_ALLOWED" in (await run.result()).text
    assert await resident.state(LOCK) == "locked"


async def test_garage_door_is_asked_for(resident: Resident) -> None:
    script = f"{use('HassTurnOn', name='Garage door')} | quote"
    asked = await resident.say(script)
    assert "Garage door" in asked.text
    assert await resident.state(GARAGE) == "closed"
    await resident.say(script, asked.conversation_id)
    assert await resident.state(GARAGE) == "open"


async def test_script_is_an_action(resident: Resident) -> None:
    await resident.say(f"{use('movie_time')} | quote")
    assert await resident.state(HALL) == "on"


async def test_state_is_read(resident: Resident) -> None:
    answer = await resident.say(f"{use('GetLiveContext', 'home_state')} | quote")
    assert "home_data" in answer.text
    assert "Garage door" in answer.text


async def test_withdrawn_entity_is_not_found(resident: Resident) -> None:
    await resident.expose(HALL, exposed=False)
    try:
        answer = await resident.say(f"{use('HassTurnOn', name='Hall light')} | quote")
    finally:
        await resident.expose(HALL)
    assert "No exposed entity matches" in answer.text
    assert await resident.state(HALL) == "off"


async def test_agent_that_may_only_read(resident: Resident) -> None:
    async with resident.another_agent("kitchen", "Chef", "read"):
        await resident.wait_visible()
        answer = await resident.say(
            f"{use('GetDateTime', 'home_state')} | quote", None, "Chef"
        )
        assert "home_data" in answer.text
        answer = await resident.say(
            f"{use('HassTurnOn', name='Hall light')} | quote", None, "Chef"
        )
        assert "may read the home, but not control it" in answer.text
        assert await resident.state(HALL) == "off"


@pytest.fixture
async def allowing(resident: Resident) -> AsyncIterator[Resident]:
    """Return the user of the home, who allows other sessions for a time."""
    yield resident
    await resident.set_up_agent()


async def test_other_session_is_refused_until_it_is_allowed(
    allowing: Resident, gateway: Gateway
) -> None:
    resident = allowing
    async with another_client(gateway) as client:
        script = f"{use('HassTurnOn', name='Hall light')} | quote"
        run = await client.start_run(RunRequest(script, MAIN_CHAT))
        refused = await run.result()
        assert "only in conversations that were started in Home" in refused.text
        assert await resident.state(HALL) == "off"
        arguments = {"action": "HassTurnOn", "name": "Hall light"}
        with pytest.raises(RequestFailedError):
            await client.tools.invoke("home_control", arguments, MAIN_CHAT)

        issue = await resident.wait_issue("home_refused")
        fixed = await resident.fix(issue, from_elsewhere="control")
        assert fixed["type"] == "create_entry"
        assert await resident.issues("home_refused") == []
        await resident.wait_visible()

        await client.tools.invoke("home_control", arguments, MAIN_CHAT)
        assert await resident.state(HALL) == "on"
        await resident.act("light.turn_off", HALL)
        run = await client.start_run(RunRequest(script, MAIN_CHAT))
        allowed = await run.result()
        assert "home_data" in allowed.text
        assert await resident.state(HALL) == "on"
        # Nobody of the house is asked there.
        with pytest.raises(RequestFailedError):
            await client.tools.invoke("home_control", UNLOCK, MAIN_CHAT)
        assert await resident.state(LOCK) == "locked"


async def test_self_test_with_its_drills(resident: Resident) -> None:
    # A drill does not interrupt the warm-up of a Gateway that has just started.
    await resident.say("say Hello.")
    entry_id = resident.home.entry_id
    for mode in ("active", "drill"):
        report = await journey.self_test(resident.api, entry_id, mode)
        found = {
            check["id"]: check["status"]
            for check in report["checks"]
            if EVENT_LOOP_LATE not in check["message"]
        }
        for check in DEPENDING_ON_SPEED:
            found.pop(check, None)
        assert not {"fail", "error"} & set(found.values()), report
        home = {found[check] for check in found if check.startswith("home_")}
        assert home == {"pass"}, report
    # The drills have reloaded the entry.
    await resident.wait_visible()


async def test_diagnostics_name_no_entity(resident: Resident) -> None:
    await resident.say("Unlock the door.")
    diagnostics = await resident.diagnostics()
    assert diagnostics["home"]["questions"]
    text = json.dumps(diagnostics)
    for name in (*NAMES, *ENTITIES):
        assert name not in text


@pytest.mark.slow
async def test_gateway_killed_during_a_call(
    resident: Resident, gateway: Gateway
) -> None:
    talk = asyncio.create_task(resident.say(f"{use('long_walk')} | quote"))
    async with resident_of(resident.home) as other:
        before = await cancelled_calls(other)
        await other.wait_state(HALL, "on")
        await asyncio.to_thread(gateway.kill)
        try:
            await other.wait_state("script.long_walk", "off")
            assert await cancelled_calls(other) == before + 1
        finally:
            await asyncio.to_thread(gateway.start)
        # It would reconnect by itself, but after half a minute at most.
        await other.reload()
        assert "home_data" not in (await talk).text
        await other.wait_visible()
        assert (await other.check("home_calls"))["status"] == "pass"
        # The first run of a Gateway takes seconds: this call does without.
        round_trip = await other.check("home_round_trip")
        assert round_trip["status"] in {"pass", "warn"}
    await warm_up(gateway)


async def cancelled_calls(resident: Resident) -> int:
    """Return the number of cancelled calls."""
    return int((await resident.diagnostics())["home"]["outcomes"].get("cancelled", 0))


async def test_two_homes_at_one_gateway(resident: Resident, gateway: Gateway) -> None:
    async with new_home(gateway) as home, resident_of(home) as other:
        await resident.say("Turn on the kitchen light.")
        assert await resident.state(KITCHEN) == "on"
        assert await other.state(KITCHEN) == "unknown"
        tool = "home_home_control"
        await other.say(f"{use('HassTurnOn', tool, name='Hall light')} | quote")
        assert await other.state(HALL) == "on"
        assert await resident.state(HALL) == "off"
    await resident.wait_visible()
