"""Stopping of agents whose images go on."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.ongoing import get_ongoing
from tests.simulator import GatewaySimulator, Pause, Reply

from .assist_client import Conversation, speech, wait_processed
from .handoff_scenario import ANSWER, HandoffScenario, agent_settings

__all__ = ["agent_settings"]


@pytest.mark.parametrize(
    ("cancellable", "told"),
    [
        (True, "Stopped."),
        (
            False,
            "Stopped. Something that the agent had started in the background goes on.",
        ),
    ],
)
async def test_an_image_that_goes_on_is_told(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    cancellable: bool,  # noqa: FBT001
    told: str,
) -> None:
    gateway.images.image = b"picture"
    gateway.images.status = "running"
    gateway.images.cancellable = cancellable
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    await wait_processed(entry)
    [run] = get_ongoing(entry).all
    client = entry.runtime_data.client
    await client.tools.invoke("image_generate", {"prompt": "a cat"}, run.session_key)

    result = await conversation.say("stop", device=satellite)

    assert speech(result) == told
