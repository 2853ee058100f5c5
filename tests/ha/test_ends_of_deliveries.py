"""Unloads and removals while something is told or asked."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.simulator import GatewaySimulator, Pause, Reply

from .handoff_scenario import ANSWER, SENTENCE, HandoffScenario, agent_settings
from .test_ends_in_the_middle import end, verify
from .voice_devices import Satellite

__all__ = ["agent_settings"]

how = pytest.mark.parametrize("how", ["reload", "unload", "remove"])


@how
@pytest.mark.parametrize("speaks", [False, True])
async def test_a_handoff_is_not_told_again(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    scenario: HandoffScenario,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    loudspeaker: Satellite,
    caplog: pytest.LogCaptureFixture,
    how: str,
    speaks: bool,  # noqa: FBT001
) -> None:
    loudspeaker.may_end.clear()
    gateway.script(Pause(), Reply(ANSWER))
    assert await scenario.ask() == SENTENCE
    if speaks:
        gateway.proceed()
        await loudspeaker.begun.wait()

    await end(hass, entry, how)
    loudspeaker.may_end.set()
    gateway.proceed()
    if how == "reload":
        await scenario.wait_ended()
    await hass.async_block_till_done()

    # Cut off while it was spoken, it is shown.
    heard = (loudspeaker.said, scenario.messages)
    if how == "reload":
        assert heard == (([], [ANSWER]) if speaks else ([ANSWER], []))
    else:
        assert heard == ([], [])
    verify(hass, entry, how, caplog, hass_storage)
