"""Usage in conversation traces."""

import asyncio
from pathlib import Path
from typing import Any

from homeassistant.components.conversation import trace
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.coordinator import ClawdConfigEntry
from custom_components.clawd.flows.ai_task import new_ai_task
from tests.simulator import Fail, GatewaySimulator, Pause, Reply, Tool

from .ai_tasks import file, generate, generate_image
from .assist_client import Conversation, speech
from .home.local_model import traced_usage
from .pictures import picture

TOKENS = {"input_tokens": 10, "cached_input_tokens": 0, "output_tokens": 20}
FROM_HISTORY = TOKENS | {"output_tokens": 40, "cost": 0}


@pytest.fixture
def more_subentries() -> list[ConfigSubentryData]:
    """Return an AI task."""
    return [new_ai_task("main", "main")]


@pytest.mark.parametrize(
    ("protocol", "more"), [(3, {"output_tokens": 4}), (4, {"cost": 0})]
)
async def test_a_reply_is_traced_with_its_usage(
    conversation: Conversation, gateway: GatewaySimulator, more: dict[str, Any]
) -> None:
    gateway.script(Reply("Let me see."), Tool("weather"), Reply("Sunny."))

    assert speech(await conversation.say("Weather?")).endswith("Sunny.")

    assert traced_usage() == [{"stats": TOKENS | more, "model": "mock/mock"}]


async def test_a_failed_run_has_no_usage(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Fail("no more credits"))
    await conversation.say("Weather?")
    assert traced_usage() == []


@pytest.mark.usefixtures("no_deletion_delays", "entry")
@pytest.mark.parametrize("refused", [False, True])
async def test_the_usage_of_a_run_with_a_file_is_in_its_history(
    hass: HomeAssistant, gateway: GatewaySimulator, tmp_path: Path, *, refused: bool
) -> None:
    gateway.script(Reply("Three rows."))
    if refused:
        gateway.refuse_method("chat.history")
    media_id = await file(hass, tmp_path, "rows.csv", b"a\nb\nc\n")
    attachments = [{"media_content_id": media_id, "media_content_type": "text/csv"}]

    with trace.async_conversation_trace():
        assert await generate(hass, attachments=attachments) == "Three rows."

    assert gateway.received("chat.send")
    told = [] if refused else [{"stats": FROM_HISTORY, "model": "mock/mock"}]
    assert traced_usage() == told


@pytest.mark.parametrize("protocol", [3, 4])
async def test_the_usage_of_a_recovered_reply_is_in_its_history(
    entry: ClawdConfigEntry, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("It is"), Pause(), Reply(" sunny."))
    saying = asyncio.create_task(conversation.say("Weather?"))
    await gateway.wait_paused()
    gateway.drop()
    gateway.proceed()
    assert speech(await saying) == "It is sunny."
    assert entry.runtime_data.client.hello
    assert traced_usage() == [{"stats": FROM_HISTORY, "model": "mock/mock"}]


@pytest.mark.parametrize("refused", [False, True])
async def test_the_run_that_tells_of_a_picture_has_a_usage(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    *,
    refused: bool,
) -> None:
    gateway.images.image = picture(8, 8, "PNG")
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    if refused:
        gateway.refuse_method("chat.history")

    with trace.async_conversation_trace():
        await generate_image(hass)

    told = [] if refused else [{"stats": FROM_HISTORY, "model": "mock/mock"}]
    assert traced_usage() == told


async def test_a_conversation_without_usage_is_not_traced(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    def forget(payload: dict[str, Any]) -> None:
        payload["result"]["meta"].pop("agentMeta")

    gateway.edit("agent", forget)
    await conversation.say("Weather?")
    assert traced_usage() == []
