"""Scenarios of rights with OpenClaw."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.gateway_e2e.gateways import Gateway

from .real_home import KITCHEN, RealHome, Resident, resident_of, serve_home
from .voice import VoiceDevice, add_voice_device, speak_with

EXEC = 'call exec {"command":"expr 40 + 2"} | quote'
NEW_CONVERSATION = "button.main_new_conversation"


@pytest.fixture(scope="module")
def home(gateway: Gateway) -> Iterator[RealHome]:
    """Run Home Assistant."""
    with serve_home(gateway) as home:
        yield home
        assert "Traceback" not in home.log.read_text()


@pytest.fixture
async def resident(home: RealHome) -> AsyncIterator[Resident]:
    """Return the owner of the home."""
    async with resident_of(home) as resident:
        yield resident


@pytest.fixture
async def kitchen(home: RealHome, resident: Resident) -> VoiceDevice:
    """Add a voice device to the kitchen."""
    device = await add_voice_device(resident.api, "Kitchen speaker", "kitchen")
    await speak_with(resident.api, home, "kitchen_speaker")
    await resident.be_patient()
    return device


async def test_commands_are_for_chats_of_administrators(
    resident: Resident, kitchen: VoiceDevice
) -> None:
    assert (await resident.say(EXEC)).text == "42"
    spoken = await kitchen.say(EXEC)
    assert "approval" in spoken.text
    assert "42" not in spoken.text
    # The home's tools work in spite of it.
    light = await kitchen.say("Turn on the kitchen light.")
    assert light.text == "The kitchen light is on."
    assert await resident.state(KITCHEN) == "on"
    check = await resident.check("permission_mode")
    assert check["status"] == "pass"
    assert check["message"].endswith("(sessions: 1).")
    # A new session is restricted, too.
    await resident.act("button.press", NEW_CONVERSATION)
    assert "approval" in (await kitchen.say(EXEC)).text
    assert (await resident.say(EXEC)).text == "42"
    sessions = (await resident.diagnostics())["sessions"]
    assert sessions == {"modes": {"guarded": 1, "gateway": 1}}
