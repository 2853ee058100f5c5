"""Reload of an entry while a chat waits for a picture."""

import asyncio
from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest

from custom_components.clawd.coordinator import ClawdConfigEntry
from tests.simulator import GatewaySimulator, Pause, Reply
from tests.simulator.images import make_image

from .assist_client import Conversation, speech, wait_processed


@pytest.fixture(autouse=True)
def _cache(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        hass.config, "cache_path", lambda *path: str(tmp_path.joinpath(*path))
    )


async def test_a_reload_ends_the_wait_for_a_picture_with_the_text(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    conversation: Conversation,
    gateway: GatewaySimulator,
) -> None:
    gateway.images.image = b"\x89PNG\r\n"
    gateway.images.status = "running"
    gateway.script_once(Pause(), Reply("On it."))
    drawing = asyncio.create_task(conversation.say("Draw a cat."))
    await gateway.wait_paused()
    [run] = gateway.runs.active()
    make_image(gateway, {"args": {"prompt": "a"}, "sessionKey": run.session.key})
    gateway.proceed()
    while "".join(conversation.deltas) != "On it.":
        await conversation.delta_received.wait()
        conversation.delta_received.clear()
    await wait_processed(entry)
    assert not drawing.done()

    assert await hass.config_entries.async_reload(entry.entry_id)

    assert speech(await drawing) == "On it."
    last = conversation.content[-1]
    assert getattr(last, "content", None) == "On it."
