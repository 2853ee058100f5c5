"""Delivery of unsolicited messages."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components import tts
from homeassistant.components.assist_pipeline.pipeline import (
    async_get_pipeline,
    async_update_pipeline,
)
from homeassistant.components.assist_satellite import AssistSatelliteEntityFeature
from homeassistant.components.assist_satellite.entity import AssistSatelliteState
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.components.media_player import (
    MediaPlayerEntityFeature,
    MediaPlayerState,
)
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.clawd.home import players, satellites
from custom_components.clawd.home.announcements import Delivery, Listener, async_deliver
from custom_components.clawd.home.notifications import async_notify_user
from custom_components.clawd.home.quiet_hours import is_quiet
from custom_components.clawd.home.satellites import CannotSpeakError, async_speak

from .voice_devices import (
    MIXES,
    PLAYS,
    Engine,
    Phone,
    Player,
    Satellite,
    add,
    set_engine,
)

ANNOUNCE = AssistSatelliteEntityFeature.ANNOUNCE
NO_FEATURE = AssistSatelliteEntityFeature(0)


@pytest.fixture(autouse=True)
async def _voice(hass: HomeAssistant, tmp_path: Path) -> None:
    """Set up voice devices and an assistant."""
    assert await async_setup_component(hass, "homeassistant", {})
    with patch.object(tts, "_init_tts_cache_dir", lambda *_: str(tmp_path)):
        assert await async_setup_component(hass, "assist_pipeline", {})
    await hass.data[tts.DATA_COMPONENT].async_add_entities([Engine()])
    for component in ("assist_satellite", "media_player", "notify", "person"):
        assert await async_setup_component(hass, component, {})
    # The first one is preferred.
    await set_engine(hass, "tts.engine")


@pytest.fixture
def notifications(hass: HomeAssistant) -> dict[str, Any]:
    """Return the notifications that Home Assistant itself shows."""
    found: dict[str, Any] = hass.data.setdefault("persistent_notification", {})
    return found


def texts(notifications: dict[str, Any]) -> list[str]:
    return [shown["message"] for shown in notifications.values()]


def new_device(hass: HomeAssistant, name: str, area: str | None = "Kitchen") -> str:
    """Return the id of another device."""
    [owner] = hass.config_entries.async_entries("test") or [MockConfigEntry()]
    if owner.domain != "test":
        raise AssertionError
    registry = dr.async_get(hass)
    device = registry.async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("test", name)}, name=name
    )
    if area:
        found = ar.async_get(hass).async_get_area_by_name(area)
        assert found
        registry.async_update_device(device.id, area_id=found.id)
    return device.id


async def add_phone(
    hass: HomeAssistant, user: str, name: str = "phone", error: Exception | None = None
) -> Phone:
    """Add the phone of a user's person."""
    device = new_device(hass, name, None)
    registry = er.async_get(hass)
    tracker = registry.async_get_or_create(
        "device_tracker", "test", name, device_id=device
    )
    person = {"id": name, "name": name, "user_id": user}
    people = {"person": {**person, "device_trackers": [tracker.entity_id]}}
    hass.states.async_set(f"person.{name}", "home", people["person"])
    return await add(hass, Phone(name, error), device)


@pytest.fixture
async def kitchen(hass: HomeAssistant, satellite: str) -> Satellite:
    """Add a satellite in the kitchen."""
    return await add(hass, Satellite(), satellite)


@pytest.fixture
def listener(satellite: str) -> Listener:
    """Return a listener in the kitchen."""
    return Listener(device_id=satellite)


async def test_an_answer_is_announced_by_the_device_that_asked(
    hass: HomeAssistant, entry: MockConfigEntry, kitchen: Satellite, listener: Listener
) -> None:
    delivery = await async_deliver(hass, entry, listener, "It is done.")

    assert delivery is Delivery.ANNOUNCED
    assert kitchen.said == ["It is done."]
    deliveries = entry.runtime_data.deliveries
    assert (deliveries.outcomes, deliveries.pending) == ({"announced": 1}, {})


async def test_a_question_leaves_the_microphone_open(
    hass: HomeAssistant, entry: MockConfigEntry, kitchen: Satellite, listener: Listener
) -> None:
    delivery = await async_deliver(
        hass, entry, listener, "Shall I?", question=True, extra_system_prompt="Asked."
    )

    assert delivery is Delivery.CONVERSATION
    assert (kitchen.said, kitchen.asked) == ([], ["Shall I?"])
    assert kitchen.prompts == ["Asked."]


async def test_a_question_without_a_prompt_is_its_own(
    hass: HomeAssistant, entry: MockConfigEntry, kitchen: Satellite, listener: Listener
) -> None:
    await async_deliver(hass, entry, listener, "Shall I?", question=True)

    assert kitchen.prompts == ["Shall I?"]


async def test_a_device_that_cannot_listen_is_told_the_question(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: str, listener: Listener
) -> None:
    kitchen = await add(hass, Satellite(features=ANNOUNCE), satellite)

    delivery = await async_deliver(hass, entry, listener, "Shall I?", question=True)

    assert delivery is Delivery.ANNOUNCED
    assert kitchen.said == ["Shall I?"]
    assert entry.runtime_data.deliveries.failures == {"device_cannot_speak": 1}


async def test_a_satellite_without_a_device_is_found_by_its_entity(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    alone = await add(hass, Satellite(), None)

    listener = Listener(device_id=alone.entity_id)
    assert await async_deliver(hass, entry, listener, "Done.") is Delivery.ANNOUNCED
    assert alone.said == ["Done."]


type Prepare = Callable[[HomeAssistant, str], Awaitable[None]]


async def _gone(hass: HomeAssistant, device: str) -> None:
    """Have no satellite at all."""


async def _removed(hass: HomeAssistant, device: str) -> None:
    added = await add(hass, Satellite(), device)
    hass.states.async_remove(added.entity_id)


async def _unavailable(hass: HomeAssistant, device: str) -> None:
    (await add(hass, Satellite(), device)).go(available=False)


async def _without_feature(hass: HomeAssistant, device: str) -> None:
    await add(hass, Satellite(features=NO_FEATURE), device)


async def _muted(hass: HomeAssistant, device: str) -> None:
    await add(hass, Satellite(), device)
    await add(hass, Player("speaker", muted=True), device)


async def _failing(hass: HomeAssistant, device: str) -> None:
    await add(hass, Satellite(error=ConnectionError("lost")), device)


async def _deleted(hass: HomeAssistant, device: str) -> None:
    dr.async_get(hass).async_remove_device(device)


DEVICES = [
    (_gone, "device_gone"),
    (_removed, "device_gone"),
    (_deleted, "device_gone"),
    (_unavailable, "device_unavailable"),
    (_without_feature, "device_cannot_speak"),
    (_muted, "device_muted"),
    (_failing, "device_failed"),
]


@pytest.mark.parametrize(("prepare", "code"), DEVICES)
async def test_a_device_that_cannot_speak_says_why(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    satellite: str,
    prepare: Prepare,
    code: str,
) -> None:
    assert entry.runtime_data
    await prepare(hass, satellite)

    with pytest.raises(CannotSpeakError) as raised:
        await async_speak(hass, satellite, "It is done.")
    assert raised.value.code == raised.value.translation_key == code


@pytest.mark.parametrize(("prepare", "code"), DEVICES)
async def test_without_a_device_there_is_a_notification(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    listener: Listener,
    satellite: str,
    notifications: dict[str, Any],
    prepare: Prepare,
    code: str,
) -> None:
    await prepare(hass, satellite)

    delivery = await async_deliver(hass, entry, listener, "It is done.", title="Main")

    assert delivery is Delivery.NOTIFICATION
    assert texts(notifications) == ["It is done."]
    [shown] = notifications.values()
    assert shown["title"] == "Main"
    deliveries = entry.runtime_data.deliveries
    # What may have been heard is not said once more.
    after = {} if code == "device_failed" else {"no_media_player": 1}
    assert deliveries.failures == {code: 1, **after}


async def test_another_device_of_the_area_does_not_speak_instead(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: str, listener: Listener
) -> None:
    await _muted(hass, satellite)
    other = await add(hass, Satellite("other"), new_device(hass, "other"))

    delivery = await async_deliver(hass, entry, listener, "It is done.")

    assert (delivery, other.said) == (Delivery.NOTIFICATION, [])


async def test_nobody_speaks_without_a_device(hass: HomeAssistant) -> None:
    with pytest.raises(CannotSpeakError) as raised:
        await async_speak(hass, None, "It is done.")
    assert raised.value.code == "device_gone"


async def test_a_busy_device_is_waited_for(
    hass: HomeAssistant, entry: MockConfigEntry, kitchen: Satellite, listener: Listener
) -> None:
    kitchen.become(AssistSatelliteState.PROCESSING)
    delivering = hass.async_create_task(async_deliver(hass, entry, listener, "Done."))
    await asyncio.sleep(0)
    kitchen.become(AssistSatelliteState.RESPONDING)
    for _ in range(5):
        await asyncio.sleep(0)
    assert (kitchen.said, len(entry.runtime_data.deliveries.pending)) == ([], 1)

    kitchen.become(AssistSatelliteState.IDLE)
    assert await delivering is Delivery.ANNOUNCED
    assert kitchen.said == ["Done."]


async def test_two_messages_are_said_one_after_the_other(
    hass: HomeAssistant, entry: MockConfigEntry, kitchen: Satellite, listener: Listener
) -> None:
    kitchen.may_end.clear()
    first = hass.async_create_task(async_deliver(hass, entry, listener, "One."))
    await kitchen.begun.wait()
    second = hass.async_create_task(async_deliver(hass, entry, listener, "Two."))
    await asyncio.sleep(0)
    kitchen.may_end.set()

    assert [await first, await second] == [Delivery.ANNOUNCED] * 2
    assert kitchen.said == ["One.", "Two."]


async def test_a_device_that_stays_busy_is_not_waited_for_forever(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    kitchen: Satellite,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(satellites, "IDLE_TIMEOUT", 0)
    kitchen.become(AssistSatelliteState.LISTENING)

    delivery = await async_deliver(hass, entry, listener, "Done.")

    assert delivery is Delivery.NOTIFICATION
    assert kitchen.said == []
    assert entry.runtime_data.deliveries.failures["device_busy"] == 1


async def test_a_device_that_never_ends_is_not_waited_for_forever(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    kitchen: Satellite,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(satellites, "SPEECH_TIMEOUT", 0)
    kitchen.may_end.clear()

    await async_deliver(hass, entry, listener, "Done.")
    assert entry.runtime_data.deliveries.failures["device_failed"] == 1


async def test_a_player_of_the_area_says_it(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: str, listener: Listener
) -> None:
    player = await add(hass, Player("radio"), new_device(hass, "radio"))

    delivery = await async_deliver(hass, entry, listener, "It is done.")

    assert delivery is Delivery.MEDIA_PLAYER
    [played] = player.played
    # The attributes of the player show no text.
    assert played.startswith("media-source://tts/")
    assert "done" not in played
    assert satellite == listener.device_id


async def test_a_player_speaks_with_the_voice_of_the_preferred_assistant(
    hass: HomeAssistant, entry: MockConfigEntry, listener: Listener
) -> None:
    await set_engine(hass, "tts.engine", "Ada")
    player = await add(hass, Player("radio"), new_device(hass, "radio"))

    await async_deliver(hass, entry, listener, "It is done.")

    token = player.played[0].rpartition("/")[2]
    stream = tts.async_get_stream(hass, token)
    assert stream is not None
    assert stream.options["voice"] == "Ada"


@pytest.mark.parametrize("engine", [None, "tts.gone"])
async def test_without_an_engine_no_player_is_asked(
    hass: HomeAssistant, entry: MockConfigEntry, listener: Listener, engine: str | None
) -> None:
    await set_engine(hass, engine)
    player = await add(hass, Player("radio"), new_device(hass, "radio"))

    delivery = await async_deliver(hass, entry, listener, "It is done.")

    assert (delivery, player.played) == (Delivery.NOTIFICATION, [])
    assert entry.runtime_data.deliveries.failures["no_speech_engine"] == 1


@pytest.mark.parametrize("missing", ["assist_pipeline", "tts"])
async def test_a_home_without_speech_notifies(
    hass: HomeAssistant, entry: MockConfigEntry, listener: Listener, missing: str
) -> None:
    hass.config.components.remove(missing)

    delivery = await async_deliver(hass, entry, listener, "It is done.")
    assert delivery is Delivery.NOTIFICATION


async def test_a_preferred_assistant_that_is_gone_notifies(
    hass: HomeAssistant, entry: MockConfigEntry, listener: Listener
) -> None:
    store = hass.data["assist_pipeline"].pipeline_store
    store.data.clear()

    delivery = await async_deliver(hass, entry, listener, "It is done.")
    assert delivery is Delivery.NOTIFICATION


async def test_the_best_player_of_an_area_is_the_same_each_time(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: str
) -> None:
    assert entry.runtime_data
    other = new_device(hass, "other")
    plain = await add(hass, Player("a", PLAYS), other)
    mixing = [await add(hass, Player(name), other) for name in ("c", "b")]
    own = await add(hass, Player("z", PLAYS), satellite)

    found = players.find_players(hass, satellite)
    names = [own, mixing[1], mixing[0], plain]
    assert found == tuple(player.entity_id for player in names)


async def test_some_players_are_never_used(
    hass: HomeAssistant, entry: MockConfigEntry, satellite: str
) -> None:
    assert entry.runtime_data
    ar.async_get(hass).async_create("Bath")
    kitchen, bath = new_device(hass, "k"), new_device(hass, "b", "Bath")
    await add(hass, Player("elsewhere"), bath)
    await add(hass, Player("nowhere"), None)
    await add(hass, Player("muted", muted=True), kitchen)
    await add(hass, Player("plays", PLAYS, MediaPlayerState.PLAYING), kitchen)
    await add(hass, Player("cannot", MediaPlayerEntityFeature.PAUSE), kitchen)
    hidden = await add(hass, Player("hidden"), kitchen)
    async_expose_entity(hass, "conversation", hidden.entity_id, should_expose=False)
    disabled = await add(hass, Player("disabled"), kitchen)
    registry = er.async_get(hass)
    registry.async_update_entity(
        disabled.entity_id, disabled_by=er.RegistryEntryDisabler.USER
    )
    registry.async_get_or_create("media_player", "test", "stateless", device_id=kitchen)
    await hass.async_block_till_done()

    assert players.find_players(hass, satellite) == ()
    assert players.find_players(hass, None) == ()


async def test_players_are_found_by_the_area_of_their_entity_and_satellite(
    hass: HomeAssistant, entry: MockConfigEntry, kitchen: Satellite
) -> None:
    assert entry.runtime_data
    bath = ar.async_get(hass).async_create("Bath")
    alone = await add(hass, Satellite("alone"), None)
    moved = await add(hass, Player("moved"), None)
    playing = Player("music", MIXES, MediaPlayerState.PLAYING)
    music = await add(hass, playing, new_device(hass, "music"))
    registry = er.async_get(hass)
    for entity in (alone, moved):
        registry.async_update_entity(entity.entity_id, area_id=bath.id)

    assert players.find_players(hass, alone.entity_id) == (moved.entity_id,)
    assert players.find_players(hass, kitchen.entity_id) == (music.entity_id,)


async def test_the_next_player_takes_over_from_one_that_fails(
    hass: HomeAssistant, entry: MockConfigEntry, listener: Listener
) -> None:
    device = new_device(hass, "radio")
    await add(hass, Player("a", error=OSError("lost")), device)
    second = await add(hass, Player("b"), device)

    delivery = await async_deliver(hass, entry, listener, "It is done.")

    assert delivery is Delivery.MEDIA_PLAYER
    assert len(second.played) == 1


async def test_a_user_is_notified_on_all_own_phones_only(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    notifications: dict[str, Any],
    satellite: str,
) -> None:
    assert satellite
    ada, bob = MockUser(id="ada"), MockUser(id="bob")
    hers = await add_phone(hass, ada.id)
    his = await add_phone(hass, bob.id, "other")

    listener = Listener(user_id="ada")
    delivery = await async_deliver(hass, entry, listener, "Done.", title="Main")

    assert delivery is Delivery.NOTIFICATION
    assert (hers.shown, his.shown) == ([("Main", "Done.")], [])
    assert notifications == {}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("command_screen_on", '"command_screen_on"'),
        (" Command_Webview\n", '" Command_Webview\n"'),
        ("TTS", '"TTS"'),
        ("clear_notification", '"clear_notification"'),
        ("request_location_update", '"request_location_update"'),
        ("Show_camera", '"Show_camera"'),
        ("TTS is a shorthand.", "TTS is a shorthand."),
    ],
)
async def test_a_message_is_no_command_to_a_phone(
    hass: HomeAssistant, satellite: str, message: str, shown: str
) -> None:
    assert satellite
    phone = await add_phone(hass, "ada")
    await async_notify_user(hass, "ada", message)
    assert [text for _, text in phone.shown] == [shown]


async def test_a_message_shows_links_and_no_pictures_in_home_assistant(
    hass: HomeAssistant, entry: MockConfigEntry, notifications: dict[str, Any]
) -> None:
    message = (
        "See ![this](https://e.example/?x=1), !![this](https://e.example/?x=2), "
        '<img src="https://e.example/?x=3">, ![a][b] and [that](https://e.example).'
    )
    await async_deliver(hass, entry, Listener(), message)
    safe = message.replace("![", "!\u2060[").replace("<", "<\u2060")
    assert texts(notifications) == [safe]


@pytest.mark.parametrize("reason", ["unavailable", "failing", "no phone"])
async def test_a_user_who_cannot_be_notified_sees_it_in_home_assistant(
    hass: HomeAssistant, satellite: str, notifications: dict[str, Any], reason: str
) -> None:
    assert satellite
    if reason != "no phone":
        error = OSError("lost") if reason == "failing" else None
        phone = await add_phone(hass, "ada", error=error)
        if reason == "unavailable":
            hass.states.async_set(phone.entity_id, "unavailable")

    await async_notify_user(hass, "ada", "Done.")

    assert texts(notifications) == ["Done."]


async def test_a_person_with_a_tracker_without_a_device(
    hass: HomeAssistant, notifications: dict[str, Any]
) -> None:
    er.async_get(hass).async_get_or_create("device_tracker", "test", "router")
    trackers = ["device_tracker.test_router", "device_tracker.gone"]
    hass.states.async_set(
        "person.ada", "home", {"user_id": "ada", "device_trackers": trackers}
    )

    await async_notify_user(hass, "ada", "Done.")

    assert texts(notifications) == ["Done."]


@pytest.mark.parametrize("known", [True, False])
async def test_a_phone_without_an_entity_is_notified_by_its_action(
    hass: HomeAssistant, satellite: str, notifications: dict[str, Any], *, known: bool
) -> None:
    assert satellite
    phone = await add_phone(hass, "ada")
    registry = er.async_get(hass)
    device = registry.entities[phone.entity_id].device_id
    assert device
    registry.async_remove(phone.entity_id)
    calls: list[ServiceCall] = []
    hass.services.async_register("notify", "mobile_app_ada", calls.append)
    hass.config.components.add("mobile_app")
    found = dr.async_get(hass).async_get(device)
    targets = {"mobile_app_ada": "hook"} if known else {}
    service = type("Service", (), {"registered_targets": targets})()
    hass.data["mobile_app"] = {"devices": {"hook": found}, "notify": service}

    await async_notify_user(hass, "ada", "Done.", "Main")
    hass.config.components.remove("mobile_app")

    sent = [dict(call.data) for call in calls]
    assert sent == ([{"message": "Done.", "title": "Main"}] if known else [])
    assert texts(notifications) == ([] if known else ["Done."])


async def test_a_long_message_is_spoken_in_part_and_shown_whole(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    kitchen: Satellite,
    satellite: str,
    notifications: dict[str, Any],
) -> None:
    message = "Das ist ein Satz. " * 222
    listener = Listener(device_id=satellite, language="de-DE")

    delivery = await async_deliver(hass, entry, listener, message, question=True)

    # The question itself is not spoken, so nobody is to answer.
    assert delivery is Delivery.ANNOUNCED
    [said] = kitchen.said
    rest = " Den Rest findest du in einer Benachrichtigung."
    assert said == "Das ist ein Satz. " * 43 + "Das ist ein Satz." + rest
    assert texts(notifications) == [message]


@pytest.mark.parametrize(
    ("message", "spoken"),
    [("word " * 800, ("word " * 160).rstrip()), ("x" * 4000, "x" * 800)],
)
async def test_a_long_message_without_sentences_is_cut(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    kitchen: Satellite,
    listener: Listener,
    message: str,
    spoken: str,
) -> None:
    await async_deliver(hass, entry, listener, message)

    assert kitchen.said == [f"{spoken} The rest is in a notification."]


@pytest.mark.parametrize(
    ("start", "end", "now", "quiet"),
    [
        ("22:00:00", "07:00:00", "2026-06-01T21:59:59+03:00", False),
        ("22:00:00", "07:00:00", "2026-06-01T22:00:00+03:00", True),
        ("22:00:00", "07:00:00", "2026-06-02T06:59:59+03:00", True),
        ("22:00:00", "07:00:00", "2026-06-02T07:00:00+03:00", False),
        ("13:00:00", "15:00:00", "2026-06-01T13:00:00+03:00", True),
        ("13:00:00", "15:00:00", "2026-06-01T12:59:59+03:00", False),
        ("13:00:00", "15:00:00", "2026-06-01T15:00:00+03:00", False),
        # The night in which the clock goes back: from 4 to 3, an hour twice.
        ("22:00:00", "03:30:00", "2026-10-25T03:29:00+03:00", True),
        ("22:00:00", "03:30:00", "2026-10-25T03:40:00+03:00", False),
        ("22:00:00", "03:30:00", "2026-10-25T03:29:00+02:00", True),
        # And forward: from 3 to 4.
        ("22:00:00", "03:30:00", "2026-03-29T02:59:00+02:00", True),
        ("22:00:00", "03:30:00", "2026-03-29T04:00:00+03:00", False),
        (None, "07:00:00", "2026-06-02T06:00:00+03:00", False),
        ("22:00:00", "soon", "2026-06-02T06:00:00+03:00", False),
    ],
)
async def test_quiet_hours_follow_the_clock_on_the_wall(  # noqa: PLR0913
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    start: str | None,
    end: str,
    now: str,
    *,
    quiet: bool,
) -> None:
    await hass.config.async_set_time_zone("Europe/Helsinki")
    options = {"quiet_start": start, "quiet_end": end}
    entry = MockConfigEntry(domain="clawd", options=options)
    freezer.move_to(datetime.fromisoformat(now).astimezone(UTC))

    assert is_quiet(hass, entry) is quiet


@pytest.fixture
async def quiet(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> AsyncGenerator[None]:
    """Have quiet hours at noon."""
    await hass.config.async_set_time_zone("UTC")
    options = {"quiet_start": "11:00:00", "quiet_end": "13:00:00"}
    with patch.dict(entry.__dict__, {"options": options}):
        freezer.move_to(datetime(2026, 6, 1, 12, tzinfo=UTC))
        yield


async def test_quiet_hours_turn_an_announcement_into_a_notification(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    kitchen: Satellite,
    listener: Listener,
    quiet: None,
    notifications: dict[str, Any],
) -> None:
    assert quiet is None
    delivery = await async_deliver(hass, entry, listener, "Done.", question=True)

    assert delivery is Delivery.NOTIFICATION
    assert (kitchen.said, texts(notifications)) == ([], ["Done."])


async def _failing_at_the_end(
    monkeypatch: pytest.MonkeyPatch, kitchen: Satellite
) -> None:
    """Have the device say everything, and fail then."""
    announce, ask = kitchen.async_announce, kitchen.async_start_conversation

    async def fail_after(say: Callable[[Any], Awaitable[None]], what: object) -> None:
        await say(what)
        raise HomeAssistantError("no acknowledgement")

    monkeypatch.setattr(kitchen, "async_announce", partial(fail_after, announce))
    monkeypatch.setattr(kitchen, "async_start_conversation", partial(fail_after, ask))


async def _never_ending(monkeypatch: pytest.MonkeyPatch, kitchen: Satellite) -> None:
    """Have the device speak for ever."""
    monkeypatch.setattr(satellites, "SPEECH_TIMEOUT", 0.02)
    kitchen.may_end.clear()


@pytest.mark.parametrize("question", [True, False])
@pytest.mark.parametrize("prepare", [_failing_at_the_end, _never_ending])
async def test_what_may_have_been_heard_is_not_said_again(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    kitchen: Satellite,
    listener: Listener,
    notifications: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[pytest.MonkeyPatch, Satellite], Awaitable[None]],
    question: bool,  # noqa: FBT001
) -> None:
    player = await add(hass, Player("radio"), new_device(hass, "radio"))
    await prepare(monkeypatch, kitchen)

    delivery = await async_deliver(hass, entry, listener, "Shall I?", question=question)

    assert delivery is Delivery.NOTIFICATION
    assert texts(notifications) == ["Shall I?"]
    assert len(kitchen.said + kitchen.asked) <= 1
    assert player.played == []
    assert entry.runtime_data.deliveries.failures == {"device_failed": 1}


async def test_a_device_whose_assistant_holds_no_conversation_is_told_the_question(
    hass: HomeAssistant, entry: MockConfigEntry, kitchen: Satellite, listener: Listener
) -> None:
    await async_update_pipeline(
        hass,
        async_get_pipeline(hass),
        conversation_engine="conversation.home_assistant",
    )

    delivery = await async_deliver(hass, entry, listener, "Shall I?", question=True)

    assert delivery is Delivery.ANNOUNCED
    assert (kitchen.said, kitchen.asked) == (["Shall I?"], [])
    assert entry.runtime_data.deliveries.failures == {"device_cannot_speak": 1}


async def test_no_player_takes_over_from_one_that_may_speak(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device = new_device(hass, "radio")
    first = await add(hass, Player("a"), device)
    second = await add(hass, Player("b"), device)
    monkeypatch.setattr(players, "PLAY_TIMEOUT", 0.02)
    monkeypatch.setattr(first, "async_play_media", _hang)

    delivery = await async_deliver(hass, entry, listener, "It is done.")

    assert delivery is Delivery.NOTIFICATION
    assert second.played == []


async def _hang(*_: object, **__: object) -> None:
    await asyncio.Event().wait()
