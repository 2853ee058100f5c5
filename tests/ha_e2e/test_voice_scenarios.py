"""Scenarios of voice devices with OpenClaw."""

import asyncio
from base64 import b64decode

import pytest

from tests.gateway_e2e.gateways import Gateway
from tests.gateway_e2e.model import PIXEL
from tests.gateway_e2e.test_questions import ASK

from .conftest import SHORT_HANDOFF
from .real_home import new_home, resident_of
from .resident import Resident
from .voice import VoiceDevice, ensure_voice_device

HANDED_OFF = "I'm on it; I'll tell you when it's done."
# Seconds from the end of the agent's silence, in which a busy machine speaks.
MARGIN = 15


async def test_spoken_question_is_answered(patient: VoiceDevice) -> None:
    reply = await patient.say("say The light in the kitchen is on.")
    assert reply.text == "The light in the kitchen is on."
    assert not reply.error
    assert reply.seconds == pytest.approx(len(reply.text) * 0.02, rel=0.1)
    assert not reply.listens


async def test_long_answer_is_handed_off_and_announced(
    kitchen: VoiceDevice, resident: Resident, gateway: Gateway
) -> None:
    gateway.write_file("pic.png", b64decode(PIXEL))
    text = "The long task is done."
    reply = await kitchen.say(rf"wait 15 | say {text}\n\nMEDIA:./pic.png")
    assert reply.text == HANDED_OFF
    assert not reply.listens
    assert SHORT_HANDOFF <= reply.began_after < SHORT_HANDOFF + MARGIN
    played = await kitchen.wait_heard(text)
    assert played.kind == "announcement"
    assert played.seconds == pytest.approx(len(played.text) * 0.02, rel=0.1)
    assert await resident.wait_picture(text) == b64decode(PIXEL)


async def test_question_in_the_end_opens_the_microphone(kitchen: VoiceDevice) -> None:
    await kitchen.say("wait 15 | say It is done. Shall I close the window?")
    played = await kitchen.wait_heard("It is done. Shall I close the window?")
    assert played.kind == "conversation"


@pytest.mark.slow
async def test_two_long_questions_are_both_answered_once(kitchen: VoiceDevice) -> None:
    await kitchen.say("wait 25 | say The first is done.")
    second = await kitchen.say("say A quick one.")
    assert second.text == "A quick one."
    await kitchen.wait_heard("The first is done.")
    texts = [played.text for played in await kitchen.heard()]
    assert texts.count("The first is done.") == 1
    assert "A quick one." not in texts


async def test_stop_ends_what_was_handed_off(
    kitchen: VoiceDevice, resident: Resident
) -> None:
    await kitchen.say("wait 60 | say Never to be heard.")
    await resident.wait_tasks(1)
    reply = await kitchen.say("Stop that.")
    assert not reply.error
    await resident.wait_tasks(0)
    assert "Never to be heard." not in [one.text for one in await kitchen.heard()]


async def test_question_of_the_agent_is_answered_by_voice(
    patient: VoiceDevice, resident: Resident, gateway: Gateway
) -> None:
    await resident.set_options(ask_questions=True)
    request_id = await resident.wait_questions_requested()
    await asyncio.to_thread(gateway.approve, request_id)
    await resident.wait_no_issue("questions_not_approved")

    asked = await patient.say(ASK)
    assert "Which room?" in asked.text
    assert "Kitchen" in asked.text
    assert asked.listens
    answered = await patient.say("The second one.")
    assert "Bath" in answered.text
    assert not answered.listens


async def test_speech_with_a_tool_in_the_middle_does_not_starve(
    patient: VoiceDevice,
) -> None:
    scratch = "I should look at the clock and at the sensors of the house first, I say."
    tool = 'use home_state {"action":"GetDateTime"}'
    reply = await patient.say(f"say {scratch} | {tool} | wait 9 | say It is noon.")
    # Without words in between, it would be more than seven; on a quiet machine it is
    # less than three.
    assert reply.longest_gap < 5
    assert reply.text.endswith("It is noon.")


async def test_guest_cannot_run_commands(
    patient: VoiceDevice, resident: Resident
) -> None:
    command = 'call exec {"command":"echo allowed-$((40+2))"} | quote'
    spoken = await patient.say(command)
    assert "allowed-42" not in spoken.text
    written = await resident.say(command)
    assert "allowed-42" in written.text


@pytest.mark.slow
async def test_restart_in_the_middle_of_a_hand_off(gateway: Gateway) -> None:
    async with new_home(gateway) as home:
        async with resident_of(home) as resident:
            device = await ensure_voice_device(resident, "bedroom")
            await device.say("wait 60 | say It survived the restart.")
        await home.running.restart()
        async with resident_of(home) as resident:
            await resident.api.wait_until_running()
            device = VoiceDevice(resident.api, device.entity_id, device.device_id)
            await device.wait_heard("It survived the restart.")
            texts = [one.text for one in await device.heard()]
            assert texts.count("It survived the restart.") == 1
