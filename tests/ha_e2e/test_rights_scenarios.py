"""Scenarios of rights with OpenClaw."""

from .real_home import KITCHEN, NEW_CONVERSATION
from .resident import Resident
from .voice import VoiceDevice

EXEC = 'call exec {"command":"expr 40 + 2"} | quote'


async def test_commands_are_for_chats_of_administrators(
    resident: Resident, patient: VoiceDevice
) -> None:
    assert (await resident.say(EXEC)).text == "42"
    spoken = await patient.say(EXEC)
    assert "approval" in spoken.text
    assert "42" not in spoken.text
    # The home's tools work in spite of it.
    light = await patient.say("Turn on the kitchen light.")
    assert light.text == "The kitchen light is on."
    assert await resident.state(KITCHEN) == "on"
    check = await resident.check("permission_mode")
    assert check["status"] == "pass"
    assert check["message"].endswith("(sessions: 1).")
    # A new session is restricted, too.
    await resident.act("button.press", NEW_CONVERSATION)
    assert "approval" in (await patient.say(EXEC)).text
    assert (await resident.say(EXEC)).text == "42"
    sessions = (await resident.diagnostics())["sessions"]
    assert sessions == {"modes": {"guarded": 1, "gateway": 1}}
