"""AI tasks without instructions, as a template may leave them."""

from collections.abc import AsyncGenerator
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from tests.simulator import GatewaySimulator, Reply

from .ai_tasks import generate, generate_image, media, more_subentries, settings
from .pictures import add_camera, picture

pytestmark = pytest.mark.usefixtures("entry", "no_deletion_delays")
__all__ = ["more_subentries", "settings"]

BLANK = " \u200b\n"


@pytest.fixture
async def gateway() -> AsyncGenerator[GatewaySimulator]:
    """Run a Gateway that makes images."""
    async with GatewaySimulator(protocol=4) as simulator:
        simulator.images.image = picture(8, 8, "PNG")
        yield simulator


@pytest.mark.parametrize("settings", [{}, {"agent_tools": True}])
async def test_a_blank_task_is_not_sent(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass, instructions=BLANK)
    assert error.value.translation_key == "blank_question"
    assert gateway.received("agent") == []


async def test_an_image_of_nothing_is_not_made(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await generate_image(hass, instructions=BLANK)
    assert error.value.translation_key == "blank_question"
    assert gateway.images.tasks == {}


async def test_a_picture_or_a_structure_says_enough(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply('{"n": 1}'))
    door = media(await add_camera(hass))
    assert await generate(hass, instructions=BLANK, attachments=door) == '{"n": 1}'
    structure: dict[str, Any] = {"n": {"selector": {"number": {}}}}
    assert await generate(hass, instructions=BLANK, structure=structure) == {"n": 1}
