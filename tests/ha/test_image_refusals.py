"""Refusals of image providers, as they reach the user."""

from collections.abc import AsyncGenerator
import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from tests.simulator import GatewaySimulator

from .ai_tasks import generate_image, more_subentries, settings
from .pictures import picture

pytestmark = pytest.mark.usefixtures("entry", "no_deletion_delays")
__all__ = ["more_subentries", "settings"]

SAFETY = "Your request was rejected by the safety system."
BODY = {"error": {"code": "moderation_blocked", "message": SAFETY}}


@pytest.fixture
async def gateway() -> AsyncGenerator[GatewaySimulator]:
    """Run a Gateway whose image tasks fail."""
    async with GatewaySimulator(protocol=4) as simulator:
        simulator.images.image = picture(8, 8, "PNG")
        simulator.images.status = "failed"
        yield simulator


@pytest.mark.parametrize(
    ("error", "key", "reason"),
    [
        (SAFETY, "image_failed_because", SAFETY),
        (
            f"OpenAI image generation failed (HTTP 400): {json.dumps(BODY)}",
            "image_failed_because",
            SAFETY,
        ),
        (f"Error: {SAFETY}\n\n  at post (a.js)", "image_failed_because", SAFETY),
        ("Error:\n", "image_failed", ""),
        ("x" * 5000, "image_failed_because", "x" * 299 + "…"),
    ],
    ids=["a sentence", "JSON", "lines", "nothing", "too much"],
)
async def test_the_reason_is_a_sentence(
    hass: HomeAssistant, gateway: GatewaySimulator, error: str, key: str, reason: str
) -> None:
    def fail(payload: dict[str, Any]) -> None:
        if payload["task"]["status"] == "failed":
            payload["task"]["error"] = error

    gateway.edit("event task", fail)
    with pytest.raises(HomeAssistantError) as raised:
        await generate_image(hass)
    assert raised.value.translation_key == key
    placeholders = raised.value.translation_placeholders or {"reason": ""}
    assert placeholders["reason"].startswith(reason)
    assert "\n" not in placeholders["reason"]
