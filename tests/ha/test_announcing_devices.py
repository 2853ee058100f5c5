"""Announcements by voice devices."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from homeassistant.components.assist_pipeline.pipeline import (
    async_get_pipeline,
    async_update_pipeline,
)
from homeassistant.components.assist_satellite.entity import AssistSatelliteState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.home import satellites
from custom_components.clawd.home.announcements import Delivery, Listener, async_deliver
from custom_components.clawd.home.satellites import CannotSpeakError, async_speak

from .announcing import (
    ANNOUNCE,
    NO_FEATURE,
    kitchen,
    listener,
    new_device,
    notifications,
    texts,
    voice,
)
from .voice_devices import Player, Satellite, add

pytestmark = pytest.mark.usefixtures("voice")
__all__ = ["kitchen", "listener", "notifications", "voice"]


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
