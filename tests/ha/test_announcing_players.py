"""Announcements by media players."""

import asyncio

from homeassistant.components import tts
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.components.media_player import (
    MediaPlayerEntityFeature,
    MediaPlayerState,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.home import players
from custom_components.clawd.home.announcements import Delivery, Listener, async_deliver

from .announcing import kitchen, listener, new_device, voice
from .voice_devices import MIXES, PLAYS, Player, Satellite, add, set_engine

pytestmark = pytest.mark.usefixtures("voice")
__all__ = ["kitchen", "listener", "voice"]


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
