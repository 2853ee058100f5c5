"""Questions of agents at voice devices."""

import asyncio

from homeassistant.components.assist_satellite.entity import AssistSatelliteState
from homeassistant.core import HomeAssistant
import pytest

from custom_components.clawd.gateway import NodeCallError

from .harness import Home
from .message_calls import ANNOUNCE, ASK, ended, handle, new_call, use
from .speakers import Speaker, add_speaker

pytestmark = pytest.mark.usefixtures("voice")


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
