"""Home of the agent in the Assist dialog."""

import pytest

from scripts.home_assistant import journey
from scripts.home_assistant.api import HomeAssistantApi
from scripts.home_assistant.gateway import Gateway
from scripts.home_assistant.home import (
    LIGHT,
    LOCK,
    TURN_ON,
    UNLOCK,
    expose,
    wait_until_visible,
)
from tests.simulator import CallTool, GatewaySimulator, Reply

from .frontend import Frontend

pytestmark = pytest.mark.parametrize("gateway", [4], indirect=True)
CONTROL = "home_control"
QUESTION = "That unlocks the front door. Shall I?"


@pytest.fixture
async def entry(api: HomeAssistantApi, gateway: GatewaySimulator) -> None:
    """Set up the integration with an agent that controls the home."""
    config = Gateway(gateway.host, gateway.port, ssl=False, token=gateway.token)
    entry = await journey.add_gateway(api, config.fields, print, "control")
    await journey.create_assistant(api, entry["entry_id"])
    await expose(api, LOCK)
    await wait_until_visible(api, entry["entry_id"])


@pytest.mark.usefixtures("entry")
async def test_home_is_controlled_in_the_assist_dialog(
    api: HomeAssistantApi,
    frontend: Frontend,
    gateway: GatewaySimulator,
    pytestconfig: pytest.Config,
) -> None:
    pictures = pytestconfig.getoption("--pictures")
    gateway.script_once(CallTool(CONTROL, TURN_ON), Reply("The kitchen light is on."))
    await frontend.ask("Turn on the kitchen light")
    await frontend.expect_reply("The kitchen light is on.")
    await frontend.expect_note_without_control(shown=False)
    assert (await api.get(f"states/{LIGHT}"))["state"] == "on"
    if pictures:
        await frontend.picture_assist(pictures / "home-assist.png")

    gateway.script_once(CallTool(CONTROL, UNLOCK), Reply(QUESTION))
    await frontend.say("Unlock the front door")
    await frontend.expect_reply(QUESTION)
    assert (await api.get(f"states/{LOCK}"))["state"] == "locked"
    gateway.script_once(CallTool(CONTROL, UNLOCK), Reply("The front door is unlocked."))
    await frontend.say("Yes, please")
    await frontend.expect_reply("The front door is unlocked.")
    assert (await api.get(f"states/{LOCK}"))["state"] == "unlocked"
    if pictures:
        await frontend.picture_assist(pictures / "home-lock.png")
