"""Unloads and removals while something is told or asked."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.ongoing import get_ongoing
from tests.simulator import GatewaySimulator, Pause, Reply

from .assist_client import Conversation
from .test_ends_in_the_middle import end, verify
from .test_handoff import (
    ANSWER,
    SENTENCE,
    Notifications,
    Patience,
    agent_settings,
    notifications,
    patience,
    told,
)
from .voice_devices import Satellite

__all__ = ["agent_settings", "notifications", "patience"]

how = pytest.mark.parametrize("how", ["reload", "unload", "remove"])


@how
@pytest.mark.parametrize("speaks", [False, True])
async def test_a_handoff_is_not_told_again(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    loudspeaker: Satellite,
    notifications: Notifications,
    caplog: pytest.LogCaptureFixture,
    how: str,
    speaks: bool,  # noqa: FBT001
) -> None:
    loudspeaker.may_end.clear()
    gateway.script(Pause(), Reply(ANSWER))
    assert await patience.ask(conversation, satellite) == SENTENCE
    if speaks:
        gateway.proceed()
        await loudspeaker.begun.wait()

    await end(hass, entry, how)
    loudspeaker.may_end.set()
    gateway.proceed()
    if how == "reload":
        while tasks := get_ongoing(entry).handoffs:
            await asyncio.wait([*tasks.values()])
            await asyncio.sleep(0)
    await hass.async_block_till_done()

    # Cut off while it was spoken, it is shown.
    heard = (loudspeaker.said, told(notifications))
    if how == "reload":
        assert heard == (([], [ANSWER]) if speaks else ([ANSWER], []))
    else:
        assert heard == ([], [])
    verify(hass, entry, how, caplog, hass_storage)
