"""Announcements of agents."""

import asyncio
import json

from homeassistant.components.assist_satellite import AssistSatelliteEntityFeature
from homeassistant.components.assist_satellite.entity import AssistSatelliteState
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.clawd.gateway.models import Json
from custom_components.clawd.home import messages
from tests.simulator import GatewaySimulator

from .harness import Home
from .message_calls import (
    ANNOUNCE,
    ASK,
    MAIN_CHAT,
    NOTIFY,
    ended,
    from_elsewhere,
    handle,
    names,
    new_call,
    reads_only,
    use,
)
from .speakers import Speaker, add_speaker, device_of

pytestmark = pytest.mark.usefixtures("voice")


async def test_announcement_in_an_area(
    home: Home, kitchen: Speaker, hall: Speaker
) -> None:
    data = await use(home, ANNOUNCE, message="Dinner is ready.", area="kitchen ")

    assert data == {"announced": ["Oven"]}
    assert kitchen.said == ["Dinner is ready."]
    assert hall.said == []
    [event] = home.events
    assert event.data["tool"] == ANNOUNCE
    assert event.data["outcome"] == "done"
    assert event.data["entity_id"] == [kitchen.entity_id]
    assert event.data["user_id"] == home.user


async def test_both_devices_of_an_area_announce(
    hass: HomeAssistant, home: Home, kitchen: Speaker
) -> None:
    other = await add_speaker(hass, "Fridge", "Kitchen")

    data = await use(home, ANNOUNCE, message="Dinner.", area="Kitchen")

    assert data == {"announced": ["Fridge", "Oven"]}
    assert kitchen.said == other.said == ["Dinner."]


async def test_announcement_everywhere_leaves_telephones_out(
    hass: HomeAssistant, home: Home, kitchen: Speaker, hall: Speaker
) -> None:
    phone = er.async_get(hass).async_get_or_create("assist_satellite", "voip", "1")
    hass.states.async_set(phone.entity_id, "idle", {"supported_features": 3})
    async_expose_entity(hass, "conversation", phone.entity_id, should_expose=True)
    hidden = await add_speaker(hass, "Attic", exposed=False)

    data = await use(home, ANNOUNCE, message="Dinner.", everywhere=True)

    assert data == {"announced": ["Mirror", "Oven"]}
    assert (kitchen.said, hall.said, hidden.said) == (["Dinner."], ["Dinner."], [])


@pytest.mark.parametrize("name", ["oven", "Aga", "assist_satellite.oven"])
async def test_device_is_found_by_each_of_its_names(
    hass: HomeAssistant, home: Home, kitchen: Speaker, hall: Speaker, name: str
) -> None:
    er.async_get(hass).async_update_entity(kitchen.entity_id, aliases=["Aga"])

    data = await use(home, ANNOUNCE, message="Dinner.", device=name)

    assert data == {"announced": ["Oven"]}
    assert hall.said == []


async def test_what_is_not_found_lists_what_there_is(
    hass: HomeAssistant, home: Home, kitchen: Speaker, hall: Speaker
) -> None:
    await add_speaker(hass, "Attic", exposed=False)
    other = await add_speaker(hass, "Oven 2")
    there_are = 'There are: "Oven" (area Kitchen), "Mirror" (area Hall), "Oven 2".'
    places: list[dict[str, Json]] = [{"device": "Attic"}, {"area": "Cellar"}]
    for place in places:
        told = await use(home, ANNOUNCE, message="Dinner.", **place)
        assert told.startswith("INVALID_ARGUMENTS: No voice device ")
        assert told.endswith(there_are)
    devices = dr.async_get(hass)
    devices.async_update_device(device_of(hass, other), name_by_user="Mirror")
    told = await use(home, ANNOUNCE, message="Dinner.", device="mirror")
    assert told == (
        "INVALID_ARGUMENTS: Several voice devices have this name. "
        'There are: "Mirror" (area Hall), "Mirror".'
    )
    assert kitchen.said == hall.said == []


async def test_device_is_exposed_by_its_media_player(
    hass: HomeAssistant, home: Home, kitchen: Speaker
) -> None:
    async_expose_entity(hass, "conversation", kitchen.entity_id, should_expose=False)
    assert ANNOUNCE not in await names(home)
    player = er.async_get(hass).async_get_or_create(
        "media_player", "test", "oven", device_id=device_of(hass, kitchen)
    )
    assert ANNOUNCE in await names(home)
    assert await use(home, ANNOUNCE, message="Dinner.", everywhere=True) == {
        "announced": ["Oven"]
    }

    async_expose_entity(hass, "conversation", player.entity_id, should_expose=False)
    told = await use(home, ANNOUNCE, message="Dinner.", everywhere=True)
    assert told == (
        "INVALID_ARGUMENTS: No voice device that can do this is exposed to agents."
    )


async def test_tools_are_offered_as_far_as_the_devices_can(
    hass: HomeAssistant, home: Home
) -> None:
    assert await names(home) == ["home_state", "home_control", NOTIFY]
    only_announces = Speaker("oven", AssistSatelliteEntityFeature.ANNOUNCE)
    await add_speaker(hass, "Oven", speaker=only_announces)
    assert await names(home) == ["home_state", "home_control", ANNOUNCE, NOTIFY]
    await add_speaker(hass, "Mirror")
    assert (await names(home))[2:] == [ANNOUNCE, ASK, NOTIFY]
    assert "HassBroadcast" not in home.actions("home_control")


@reads_only
async def test_agent_that_only_reads_says_nothing_first(
    home: Home, kitchen: Speaker
) -> None:
    assert await names(home) == ["home_state"]
    for tool in (ANNOUNCE, ASK, NOTIFY):
        told = await use(home, tool, message="Dinner.", area="Kitchen")
        assert told == "NOT_ALLOWED: This agent may read the home, but not control it."
    assert kitchen.said == kitchen.asked == []


@pytest.mark.parametrize("home_settings", [{"llm_hass_api": ["fake"]}])
async def test_agent_without_assist_says_nothing_first(
    home: Home, kitchen: Speaker
) -> None:
    assert await names(home) == []
    told = await use(home, ANNOUNCE, message="Dinner.", area="Kitchen")
    assert told == "NOT_ALLOWED: This agent has not been given the tools of Assist."
    assert kitchen.said == []


async def test_from_elsewhere_nothing_is_said(home: Home, kitchen: Speaker) -> None:
    arguments: dict[str, Json] = {"message": "Dinner.", "area": "Kitchen"}
    for key in (None, MAIN_CHAT, "agent:main:cron:1:run:2", "agent:main:subagent:3"):
        told = await handle(home, new_call(ANNOUNCE, arguments, key))
        assert told.startswith("NOT_ALLOWED: ")
    assert kitchen.said == []


@from_elsewhere
@pytest.mark.usefixtures("kitchen")
async def test_from_elsewhere_it_may_be_allowed(
    home: Home, gateway: GatewaySimulator
) -> None:
    key = "agent:main:cron:1:run:2"
    gateway.described[key] = {"key": key, "chatType": "direct"}
    arguments: dict[str, Json] = {"message": "Dinner.", "area": "Kitchen"}
    data = await handle(home, new_call(ANNOUNCE, arguments, key))
    assert data == {"announced": ["Oven"]}


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        (ANNOUNCE, {"area": "Kitchen"}, "home_announce lacks the argument message."),
        (ANNOUNCE, {"message": " \n"}, "home_announce lacks the argument message."),
        (
            ANNOUNCE,
            {"message": "x"},
            "home_announce takes one of the arguments area, device or everywhere.",
        ),
        (
            ANNOUNCE,
            {"message": "x", "area": "Kitchen", "everywhere": True},
            "home_announce takes one of the arguments area, device or everywhere.",
        ),
        (
            ANNOUNCE,
            {"message": "x", "everywhere": "yes"},
            "The argument everywhere has to be true or false.",
        ),
        (
            ANNOUNCE,
            {"message": "x" * 4000, "everywhere": True},
            (
                "The argument message has 4000 characters; at most 800 are taken. "
                "Shorten it."
            ),
        ),
        (
            ANNOUNCE,
            {"message": "***", "everywhere": True},
            "The argument message has no words to be spoken.",
        ),
        (
            ASK,
            {"question": "???", "area": "Kitchen"},
            "The argument question has no words to be spoken.",
        ),
        (
            ASK,
            {"question": "x", "area": 1},
            "The argument area has to be a text.",
        ),
        (ASK, {"question": "x"}, "home_ask takes one of the arguments area or device."),
        (
            ASK,
            {"question": "x", "everywhere": True},
            (
                "home_ask has no argument 'everywhere'. "
                "It takes: question, answers, area, device."
            ),
        ),
        (
            ASK,
            {"question": "x", "area": "Kitchen", "answers": "yes"},
            "The argument answers has to be a list of texts.",
        ),
        (
            ASK,
            {"question": "x", "area": "Kitchen", "answers": ["x" * 101]},
            "At most 10 answers of 100 characters are taken.",
        ),
        (
            NOTIFY,
            {"message": "x", "title": "x" * 101},
            "The argument title has 101 characters; at most 100 are taken. Shorten it.",
        ),
    ],
)
@pytest.mark.usefixtures("kitchen")
async def test_wrong_argument_is_named(
    home: Home, tool: str, arguments: dict[str, Json], message: str
) -> None:
    assert await use(home, tool, **arguments) == f"INVALID_ARGUMENTS: {message}"


async def test_markup_is_not_spoken(home: Home, kitchen: Speaker) -> None:
    text = "**Dinner**\nis `ready`, see [the menu](https://e.example)."
    await use(home, ANNOUNCE, message=text, area="Kitchen")
    assert kitchen.said == ["Dinner is ready, see the menu."]


@pytest.mark.parametrize(
    ("arguments", "tool"),
    [
        ({"question": "x", "area": "Kitchen"}, ASK),
        ({"message": "x", "area": "Kitchen"}, ANNOUNCE),
        ({"message": "x", "everywhere": True}, ANNOUNCE),
        ({"message": "x"}, NOTIFY),
        ({"action": "GetDateTime", "message": "x"}, None),
        ({}, None),
    ],
)
def test_arguments_say_which_tool_is_called(
    arguments: dict[str, Json], tool: str | None
) -> None:
    assert messages.called_message_tool(new_call(None, arguments)) == tool


async def test_device_of_the_conversation_is_not_interrupted(
    hass: HomeAssistant, home: Home, kitchen: Speaker
) -> None:
    here = {"device_id": device_of(hass, kitchen)}
    kitchen.become(AssistSatelliteState.PROCESSING)

    told = await use(home, ANNOUNCE, origin=here, message="x", area="Kitchen")
    asked = await use(home, ASK, origin=here, question="x", area="Kitchen")
    other = await add_speaker(hass, "Fridge", "Kitchen")
    data = await use(home, ANNOUNCE, origin=here, message="x", everywhere=True)
    answered = await use(home, ASK, origin=here, question="x", area="Kitchen")

    assert told == (
        "DEVICE_IN_USE: The user is talking with you on this very device. "
        "Say it in your answer."
    )
    assert asked == (
        "DEVICE_IN_USE: The user is talking with you on this very device. "
        "Ask in your answer, and end your turn."
    )
    assert data == {"announced": ["Fridge"]}
    assert answered["answered"] is False
    assert (kitchen.said, other.said, other.asked) == ([], ["x"], ["x"])


async def test_device_is_used_again_after_its_conversation(
    hass: HomeAssistant, home: Home, kitchen: Speaker
) -> None:
    here = {"device_id": device_of(hass, kitchen)}
    data = await use(home, ANNOUNCE, origin=here, message="Done.", area="Kitchen")
    assert data == {"announced": ["Oven"]}


@pytest.mark.usefixtures("hall")
async def test_busy_device_announces_once_it_is_free(
    home: Home, kitchen: Speaker
) -> None:
    kitchen.become(AssistSatelliteState.LISTENING)
    call = new_call(ANNOUNCE, {"message": "x", "everywhere": True}, seconds=1.0)
    with home.run():
        result = await home.service.async_handle(call)
    data = json.loads(result)["home_data"]
    assert data == {"announced": ["Mirror"], "under_way": ["Oven"]}
    assert kitchen.said == []
    kitchen.become(AssistSatelliteState.IDLE)
    await kitchen.begun.wait()
    await ended(home)
    assert kitchen.said == ["x"]


async def test_stopped_agent_announces_no_more(home: Home, kitchen: Speaker) -> None:
    kitchen.may_end.clear()
    call = new_call(ANNOUNCE, {"message": "x", "area": "Kitchen"})
    with home.run():
        task = asyncio.create_task(home.service.async_handle(call))
        await kitchen.begun.wait()
        task.cancel()
        await asyncio.wait([task])
    await ended(home)
    assert task.cancelled()
    assert home.entry.runtime_data.background_tasks == set()
    kitchen.may_end.set()
    assert kitchen.said == []


async def test_device_that_fails_is_named(
    hass: HomeAssistant, home: Home, kitchen: Speaker
) -> None:
    broken = Speaker("mirror", error=ValueError("secret"))
    await add_speaker(hass, "Mirror", "Hall", speaker=broken)
    kitchen.go(available=False)

    told = await use(home, ANNOUNCE, message="x", everywhere=True)
    kitchen.go(available=True)
    data = await use(home, ANNOUNCE, message="x", everywhere=True)

    assert told == (
        "NOT_ANNOUNCED: Nothing was announced "
        '("Mirror": device_failed, "Oven": device_unavailable).'
    )
    assert data == {"announced": ["Oven"], "not_announced": {"Mirror": "device_failed"}}
