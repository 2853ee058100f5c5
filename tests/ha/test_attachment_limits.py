"""Attachments within the limits that a Gateway tells."""

from base64 import b64decode
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from tests.simulator import GatewaySimulator, Reply

from .ai_tasks import file, generate, media, more_subentries, settings
from .pictures import add_camera, picture

pytestmark = pytest.mark.usefixtures("entry", "no_deletion_delays")
__all__ = ["more_subentries", "settings"]


@pytest.fixture
def limits() -> dict[str, Any]:
    """Return the limits; parametrize a test by it to use others."""
    return {"maxBytes": 400_000, "maxImageBytes": 50_000}


@pytest.fixture
async def gateway(limits: dict[str, Any]) -> AsyncGenerator[GatewaySimulator]:
    """Run a Gateway with limits."""
    async with GatewaySimulator(
        protocol=4, policy={"attachments": limits}
    ) as simulator:
        simulator.script(Reply("Seen."))
        yield simulator


async def sent_size(hass: HomeAssistant, gateway: GatewaySimulator) -> int:
    """Return the size of a large picture as it is sent."""
    door = await add_camera(hass, picture(1400, 1000))
    assert await generate(hass, attachments=media(door)) == "Seen."
    [request] = gateway.received("agent")
    [sent] = request.params["attachments"]
    return len(b64decode(sent["content"]))


@pytest.mark.parametrize(
    "limits", [{"maxBytes": 400_000, "maxImageBytes": 50_000}, {"maxBytes": 50_000}]
)
async def test_a_picture_is_made_as_small_as_the_gateway_wants_it(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    assert await sent_size(hass, gateway) <= 50_000


@pytest.mark.parametrize(
    "limits",
    [{"maxImageBytes": "1"}, {"maxImageBytes": 0}, {"maxImageBytes": True}, {}, []],
)
async def test_limits_that_are_none_are_not_kept(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    assert await sent_size(hass, gateway) > 50_000


@pytest.mark.parametrize("limits", [{"maxImageBytes": 100}])
async def test_a_picture_that_cannot_be_so_small_is_refused(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    door = await add_camera(hass)
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass, attachments=media(door))
    assert error.value.translation_key == "attachments_too_large"
    assert gateway.received("agent") == []


@pytest.mark.parametrize(("size", "taken"), [(400_000, True), (400_001, False)])
async def test_a_file_is_as_large_as_the_gateway_takes_it(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    tmp_path: Path,
    size: int,
    *,
    taken: bool,
) -> None:
    media_id = await file(hass, tmp_path, "note.txt", b"x" * size)
    files = [{"media_content_id": media_id, "media_content_type": "text/plain"}]
    if taken:
        assert await generate(hass, attachments=files) == "Seen."
        return
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass, attachments=files)
    assert error.value.translation_key == "attachments_too_large"
    assert error.value.translation_placeholders == {"limit": "0.4"}
    assert gateway.received("chat.send") == []
