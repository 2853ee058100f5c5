"""Agents that speak first: announcements, questions and notifications."""

import asyncio
from collections.abc import Mapping
from itertools import count
import json
from pathlib import Path
from typing import Any

from homeassistant.auth.const import GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.components.assist_satellite import AssistSatelliteEntityFeature
from homeassistant.components.assist_satellite.entity import AssistSatelliteState
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.clawd.gateway import NodeCall, NodeCallError
from custom_components.clawd.gateway.models import Json
from custom_components.clawd.home import limits, messages
from tests.simulator import GatewaySimulator

from .harness import SESSION, Home
from .speakers import (
    Speaker,
    add_device,
    add_person,
    add_speaker,
    device_of,
    set_up_voice,
)

ANNOUNCE, ASK, NOTIFY = "home_announce", "home_ask", "home_notify"
MAIN_CHAT = "agent:main:main"
ALL_DAY = {"quiet_start": "00:00:00", "quiet_end": "00:00:00"}
_IDS = count()

reads_only = pytest.mark.parametrize("home_settings", [{"home_access": "read"}])
from_elsewhere = pytest.mark.parametrize(
    "home_settings", [{"from_elsewhere": "control"}]
)


@pytest.fixture(autouse=True)
async def _voice(
    hass: HomeAssistant,
    house: None,  # noqa: ARG001 - has the areas
    tmp_path: Path,
) -> None:
    await set_up_voice(hass, str(tmp_path))


@pytest.fixture
async def kitchen(hass: HomeAssistant, _voice: None) -> Speaker:
    """Return a voice device in the kitchen."""
    return await add_speaker(hass, "Oven", "Kitchen")


@pytest.fixture
async def hall(hass: HomeAssistant, _voice: None) -> Speaker:
    """Return a voice device in the hall."""
    return await add_speaker(hass, "Mirror", "Hall")


@pytest.fixture
def quiet(hass: HomeAssistant, new_entry: MockConfigEntry) -> None:
    """Let the whole day be quiet."""
    hass.config_entries.async_update_entry(new_entry, options=ALL_DAY)


@pytest.fixture
def shown(hass: HomeAssistant) -> dict[str, Any]:
    """Return the notifications that Home Assistant itself shows."""
    found: dict[str, Any] = hass.data.setdefault("persistent_notification", {})
    return found


def new_call(
    tool: str | None,
    arguments: dict[str, Json],
    key: str | None = SESSION,
    seconds: float = 5.0,
) -> NodeCall:
    """Return a call of a tool."""
    return NodeCall(str(next(_IDS)), tool, arguments, key, seconds)


async def handle(home: Home, call: NodeCall) -> Any:  # noqa: ANN401 - JSON
    """Return the data or error of a call."""
    try:
        result = await home.service.async_handle(call)
    except NodeCallError as err:
        return f"{err.code}: {err.message}"
    finally:
        await home.hass.async_block_till_done()
    return json.loads(result)["home_data"]


async def use(
    home: Home,
    tool: str,
    *,
    origin: Mapping[str, object] | None = None,
    **arguments: Json,
) -> Any:  # noqa: ANN401 - JSON
    """Call a tool in a run of its own."""
    with home.run(**dict(origin or {})):  # type: ignore[arg-type]
        return await handle(home, new_call(tool, arguments))


async def ended(home: Home) -> None:
    """Wait until no announcement is under way."""
    while tasks := home.entry.runtime_data.background_tasks:
        await asyncio.wait(tasks)


async def names(home: Home) -> list[str]:
    """Return the names of the tools that are offered now."""
    await home.service.async_update_tools()
    return [tool.name for tool in home.service.tools]


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


async def test_question_and_answer(home: Home, kitchen: Speaker) -> None:
    kitchen.answer = "yes please"
    data = await use(home, ASK, question="Shall I **start**?", area="Kitchen")

    assert data == {"answered": True, "sentence": "yes please"}
    assert kitchen.asked == ["Shall I start?"]
    [event] = home.events
    assert (event.data["tool"], event.data["outcome"]) == (ASK, "done")


@pytest.mark.parametrize(
    ("heard", "answer"), [("Yes, please.", "yes"), ("nope", "No"), ("maybe", None)]
)
async def test_expected_answers(
    home: Home, kitchen: Speaker, heard: str, answer: str | None
) -> None:
    kitchen.answer = heard
    data = await use(
        home,
        ASK,
        question="Shall I?",
        answers=["yes|yes, please!|(sure) [thing]", "No|nope", "|"],
        device="Oven",
    )
    assert data == {"answered": True, "sentence": heard, "answer": answer}


async def test_nobody_answers(home: Home, kitchen: Speaker) -> None:
    data = await use(home, ASK, question="Shall I?", device="Oven")
    assert data == {"answered": False, "note": "Nobody answered in time."}
    assert kitchen.asked == ["Shall I?"]


async def test_device_that_never_listens_is_given_up(
    home: Home, kitchen: Speaker
) -> None:
    kitchen.answer = None
    with home.run():
        call = new_call(ASK, {"question": "Shall I?", "device": "Oven"}, seconds=1.0)
        data = await handle(home, call)
    assert data == {"answered": False, "note": "Nobody answered in time."}


async def test_question_that_cannot_be_asked(hass: HomeAssistant, home: Home) -> None:
    for error in (ValueError("secret"), None):
        name = f"Broken {error is None}"
        broken = Speaker(name.lower(), error=error)
        await add_speaker(hass, name, speaker=broken)
        if error is None:
            broken.become(AssistSatelliteState.IDLE)
            # Home Assistant takes an announcement of its own for a conversation.
            broken.may_end.clear()
            play = asyncio.create_task(broken.async_internal_announce("x"))
            await broken.begun.wait()
            hass.states.async_set(broken.entity_id, "idle", {"supported_features": 3})
        told = await use(home, ASK, question="Shall I?", device=name)
        assert told == f'FAILED: The voice device "{name}" could not ask.'
    broken.may_end.set()
    await play


async def test_one_device_of_an_area_is_asked(
    hass: HomeAssistant, home: Home, kitchen: Speaker
) -> None:
    other = await add_speaker(hass, "Fridge", "Kitchen")
    told = await use(home, ASK, question="x", area="Kitchen")
    kitchen.become(AssistSatelliteState.RESPONDING)
    data = await use(home, ASK, question="x", area="Kitchen")
    other.become(AssistSatelliteState.RESPONDING)
    busy = await use(home, ASK, question="x", area="Kitchen")

    assert told == (
        "DEVICE_IN_USE: More than one voice device is there; name the one to ask on "
        'by the argument device: "Oven" (area Kitchen), "Fridge" (area Kitchen).'
    )
    assert data["answered"] is False
    assert other.asked == ["x"]
    assert busy == (
        'DEVICE_IN_USE: Not asked: in use just now is "Oven" (area Kitchen), '
        '"Fridge" (area Kitchen). Try again later, or use another device.'
    )


async def test_device_that_is_about_to_announce_is_not_asked(
    hass: HomeAssistant, home: Home, kitchen: Speaker
) -> None:
    kitchen.may_end.clear()
    call = new_call(ANNOUNCE, {"message": "x", "area": "Kitchen"}, seconds=1.0)
    with home.run():
        assert "under_way" in await home.service.async_handle(call)
        # As between two announcements.
        hass.states.async_set(kitchen.entity_id, "idle", {"supported_features": 3})
        with pytest.raises(NodeCallError) as error:
            await home.service.async_handle(
                new_call(ASK, {"question": "x", "area": "Kitchen"})
            )
    assert error.value.message.startswith("Not asked: in use just now is")
    kitchen.may_end.set()
    await ended(home)


@pytest.mark.usefixtures("quiet")
async def test_quiet_hours_hold(
    hass: HomeAssistant, home: Home, kitchen: Speaker, shown: dict[str, Any]
) -> None:
    for origin in (
        {},
        {"device_id": "gone"},
        {"device_id": add_device(hass, "Elsewhere")},
        {"device_id": add_device(hass, "Here", "Kitchen"), "person": False},
        {"device_id": add_device(hass, "There", "Hall")},
    ):
        for tool, text in ((ANNOUNCE, "message"), (ASK, "question")):
            told = await use(home, tool, origin=origin, **{text: "x"}, area="Kitchen")
            assert told.startswith("QUIET_HOURS: Not done: ")
            assert NOTIFY in told
    assert kitchen.said == kitchen.asked == []
    assert "notified" in await use(home, NOTIFY, message="x")
    assert len(shown) == 1


@pytest.mark.usefixtures("quiet")
async def test_quiet_area_speaks_to_who_asks_there_right_now(
    hass: HomeAssistant, home: Home, kitchen: Speaker
) -> None:
    here = {"device_id": add_device(hass, "Here", "Kitchen")}
    data = await use(home, ANNOUNCE, origin=here, message="x", area="Kitchen")
    assert data == {"announced": ["Oven"]}

    now = home.service.clock()
    with home.run(device_id=here["device_id"]):
        home.service.clock = lambda: now + 121
        call = new_call(ANNOUNCE, {"message": "x", "area": "Kitchen"})
        assert (await handle(home, call)).startswith("QUIET_HOURS: ")
    assert kitchen.said == ["x"]


@pytest.mark.usefixtures("kitchen")
async def test_messages_are_limited(home: Home) -> None:
    now = home.service.clock()
    home.service.clock = lambda: now
    arguments: dict[str, Json] = {"message": "x", "area": "Kitchen"}
    for _ in range(limits.MAX_MESSAGES_OF_MINUTE):
        assert await use(home, ANNOUNCE, **arguments) == {"announced": ["Oven"]}
    told = await use(home, NOTIFY, message="x")
    assert told.startswith("TOO_MANY_CALLS: ")
    assert "at most 5 messages a minute" in told

    sent = limits.MAX_MESSAGES_OF_MINUTE
    while sent < limits.MAX_MESSAGES_OF_HOUR:
        now += 60
        for _ in range(limits.MAX_MESSAGES_OF_MINUTE):
            assert await use(home, ANNOUNCE, **arguments) == {"announced": ["Oven"]}
            sent += 1
    now += 60
    assert "at most 30 messages an hour" in await use(home, ANNOUNCE, **arguments)
    assert home.service.messages.recent == limits.MAX_MESSAGES_OF_HOUR
    now += 3600
    assert await use(home, ANNOUNCE, **arguments) == {"announced": ["Oven"]}


async def test_user_without_the_right_to_a_device(
    hass: HomeAssistant, home: Home, kitchen: Speaker, shown: dict[str, Any]
) -> None:
    group = await hass.auth.async_get_group(GROUP_ID_READ_ONLY)
    assert group is not None
    user = MockUser(groups=[group]).add_to_hass(hass)
    guest = {"user_id": user.id}
    await add_person(hass, "Bob", "somebody")

    for tool, arguments in (
        (ANNOUNCE, {"message": "x", "area": "Kitchen"}),
        (ASK, {"question": "x", "area": "Kitchen"}),
        (NOTIFY, {"message": "x", "person": "Bob"}),
    ):
        told = await use(home, tool, origin=guest, **arguments)
        assert told.startswith("NOT_ALLOWED: The user who asked has no permission")
    assert "notified" in await use(home, NOTIFY, origin=guest, message="x")
    assert kitchen.said == kitchen.asked == []
    assert len(shown) == 1


async def test_voice_device_without_a_user_may_announce(
    hass: HomeAssistant, home: Home, kitchen: Speaker, hall: Speaker
) -> None:
    guest = {"user_id": None, "device_id": device_of(hass, hall)}
    data = await use(home, ANNOUNCE, origin=guest, message="x", area="Kitchen")
    assert data == {"announced": ["Oven"]}
    assert kitchen.said == ["x"]


async def test_user_who_asked_is_notified(
    hass: HomeAssistant, home: Home, shown: dict[str, Any]
) -> None:
    phone = await add_person(hass, "Ada", home.user, "Ada phone")
    assert phone is not None
    data = await use(home, NOTIFY, message="Dinner.\nNow.", title="Food")
    assert data == {"notified": "the user who asked", "by": "devices"}
    assert phone.shown == [("Food", "Dinner.\nNow.")]
    assert shown == {}


async def test_person_is_notified_by_name(
    hass: HomeAssistant, home: Home, shown: dict[str, Any]
) -> None:
    user = MockUser(name="Bob").add_to_hass(hass)
    phone = await add_person(hass, "Bob", user.id, "Bob phone")
    await add_person(hass, "Guest", None)
    async_expose_entity(hass, "conversation", "person.guest", should_expose=True)

    data = await use(home, NOTIFY, message="x", person=" bob")
    nobody = await use(home, NOTIFY, message="x", person="Eve")
    guest = await use(home, NOTIFY, message="x", person="Guest")
    hass.states.async_set("person.bob_2", "home", {"friendly_name": "Bob"})
    several = await use(home, NOTIFY, message="x", person="Bob")
    async_expose_entity(hass, "conversation", "person.guest", should_expose=False)
    unknown = await use(home, NOTIFY, message="x", person="Eve")

    assert data == {"notified": "bob", "by": "devices"}
    assert phone is not None
    assert phone.shown == [(None, "x")]
    start = "INVALID_ARGUMENTS: No person has this name."
    assert nobody == f'{start} There are: "Guest".'
    assert unknown == start
    assert guest == "INVALID_ARGUMENTS: This person has no user in Home Assistant."
    assert several == "INVALID_ARGUMENTS: Several persons have this name."
    assert shown == {}


async def test_without_a_user_the_administrators_are_notified(
    hass: HomeAssistant, home: Home, shown: dict[str, Any]
) -> None:
    nobody = {"user_id": None}
    text = "x ![y](https://e.example/z.png)"
    data = await use(home, NOTIFY, origin=nobody, message=text, title="T")
    assert data == {
        "notified": "the administrators",
        "by": "a notification in Home Assistant",
    }
    [notification] = shown.values()
    assert notification["message"] == "x !\u2060[y](https://e.example/z.png)"

    ada = await add_person(hass, "Ada", home.user, "Ada phone")
    group = await hass.auth.async_get_group(GROUP_ID_USER)
    assert group is not None
    other = MockUser(groups=[group]).add_to_hass(hass)
    bob = await add_person(hass, "Bob", other.id, "Bob phone")
    data = await use(home, NOTIFY, origin=nobody, message="y")
    assert data == {"notified": "the administrators", "by": "devices"}
    assert ada is not None
    assert bob is not None
    assert (ada.shown, bob.shown) == ([(None, "y")], [])


@from_elsewhere
async def test_gateway_notifies_the_administrators(
    hass: HomeAssistant, home: Home, shown: dict[str, Any]
) -> None:
    phone = await add_person(hass, "Ada", home.user, "Ada phone")
    assert phone is not None

    for params in (
        {"title": "Dinner", "body": "is ready"},
        {"title": "Dinner", "priority": "timeSensitive", "delivery": "auto"},
        {"body": "is ready", "delivery": "overlay"},
        {"body": "again", "priority": "passive"},
    ):
        assert await notify(home, params) == "done"

    assert phone.shown == [("Dinner", "is ready"), (None, "Dinner")]
    assert [one["message"] for one in shown.values()] == ["is ready", "again"]
    assert [event.data["tool"] for event in home.events] == ["system.notify"] * 4
    assert home.events[0].data["outcome"] == "done"
    assert home.events[0].data["subentry_id"] is None


@from_elsewhere
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "The notification is empty."),
        ({"title": " ", "body": None}, "The notification is empty."),
        ({"title": 1}, "title is not a text."),
        ({"body": "x" * 1001}, "body is longer than 1000 characters."),
    ],
)
async def test_notification_of_the_gateway_that_is_not_valid(
    home: Home, shown: dict[str, Any], params: dict[str, Json], message: str
) -> None:
    assert await notify(home, params) == f"INVALID_PARAMS: {message}"
    assert shown == {}


@pytest.mark.parametrize(
    "home_settings",
    [
        {},
        {"from_elsewhere": "read"},
        {"home_access": "read", "from_elsewhere": "control"},
    ],
)
async def test_gateway_notifies_nobody_unless_allowed(
    home: Home, shown: dict[str, Any]
) -> None:
    told = await notify(home, {"title": "Dinner"})
    assert told.startswith("NOT_ALLOWED: Home Assistant shows no notifications")
    assert shown == {}


@from_elsewhere
async def test_notifications_of_the_gateway_are_limited(home: Home) -> None:
    for _ in range(limits.MAX_MESSAGES_OF_MINUTE):
        assert await notify(home, {"title": "Dinner"}) == "done"
    assert (await notify(home, {"title": "x"})).startswith("TOO_MANY_CALLS: ")


async def notify(home: Home, params: dict[str, Json]) -> str:
    """Notify as the Gateway and return the result."""
    call = NodeCall(
        str(next(_IDS)), None, params, None, timeout=5.0, command="system.notify"
    )
    try:
        await home.service.async_handle(call)
    except NodeCallError as err:
        return f"{err.code}: {err.message}"
    finally:
        await home.hass.async_block_till_done()
    return "done"
