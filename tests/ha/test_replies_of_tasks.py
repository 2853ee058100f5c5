"""Replies of tasks that hold more than their answer."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.clawd.const import DOMAIN
from tests.simulator import GatewaySimulator, Media, Reply

from .ai_tasks import generate, more_subentries, settings

pytestmark = pytest.mark.usefixtures("entry", "no_deletion_delays")
QUESTION = {"agent": "conversation.main", "text": "Draw a cat."}
__all__ = ["more_subentries", "settings"]


@pytest.mark.parametrize(
    "reply",
    [
        "<think>The user wants to know who is there.</think>",
        "<think></think>\n\n",
        "[THINK]Hm.[/THINK]",
        "<|channel|>analysis<|message|>The user asks.<|end|>",
        '<tool_call>{"name": "exec"}</tool_call>',
        "[[reply_to_current]]",
        "MEDIA:/home/claw/secret.png",
        "<|im_end|>",
        " \u200b\n",
    ],
)
async def test_a_reply_of_nothing_but_thoughts_is_empty(
    hass: HomeAssistant, gateway: GatewaySimulator, reply: str
) -> None:
    gateway.script(Reply(chunks=(reply,)))
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass)
    assert error.value.translation_key == "empty_reply"


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("<think>Say it with a sign.</think>\n👍", "👍"),
        ("[[reply_to_current]] …", "…"),
        ("MEDIA:/home/claw/a.png\n✅", "✅"),
    ],
)
async def test_an_answer_without_words_has_no_thoughts(
    hass: HomeAssistant, gateway: GatewaySimulator, reply: str, answer: str
) -> None:
    gateway.script(Reply(chunks=(reply,)))
    assert await generate(hass) == answer


async def test_data_without_words_are_found_behind_a_thought(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply(chunks=("<think>Nobody is there.</think>{}",)))
    structure: dict[str, Any] = {"names": {"selector": {"text": {"multiple": True}}}}
    assert await generate(hass, structure=structure) == {}


async def test_data_in_a_thought_are_a_draft(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply(chunks=('<think>{"n": 1}?</think>',)))
    structure: dict[str, Any] = {"n": {"selector": {"number": {}}}}
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass, structure=structure)
    assert error.value.translation_key == "empty_reply"


@pytest.mark.parametrize("text", ["NO_REPLY", "[[audio_as_voice]]", "<think>A</think>"])
async def test_a_picture_is_an_answer_whatever_stands_beside_it(
    hass: HomeAssistant, gateway: GatewaySimulator, text: str
) -> None:
    gateway.script(Reply(chunks=(text,)), Media(("https://e.example/cat.png",)))
    response: Any = await hass.services.async_call(
        DOMAIN, "ask", QUESTION, blocking=True, return_response=True
    )
    assert response["text"] == ""
    [picture] = response["media"]
    assert picture["name"] == "e.example/cat.png"
