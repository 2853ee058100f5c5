"""Pictures in the responses of actions, with a real OpenClaw and Home Assistant."""

from base64 import b64decode
from typing import Any

from aiohttp import ClientSession

from tests.gateway_e2e.gateways import Gateway
from tests.gateway_e2e.model import PIXEL

from .resident import RealHome, Resident

CONTENT = b64decode(PIXEL)


async def ask(resident: Resident, text: str) -> dict[str, Any]:
    """Ask the agent by the action; return the response."""
    data = {"agent": resident.home.agents["main"], "text": text}
    answer = await resident.api.post("services/clawd/ask?return_response", data)
    return dict(answer["service_response"])


async def test_the_response_has_the_pictures_of_the_reply(
    gateway: Gateway, home: RealHome, resident: Resident
) -> None:
    gateway.write_file("pic.png", CONTENT)
    answer = await ask(resident, r"say Here.\n\nMEDIA:./pic.png")
    assert answer["text"] == "Here."
    [picture] = answer["media"]
    # As a browser does: without the user's token.
    async with (
        ClientSession(home.url) as session,
        session.get(picture["url"]) as response,
    ):
        assert response.content_type == "image/png"
        assert await response.read() == CONTENT


async def test_a_file_outside_of_the_workspace_is_named_as_an_error(
    resident: Resident,
) -> None:
    answer = await ask(resident, r"say Here.\n\nMEDIA:/etc/passwd")
    assert answer["text"] == "Here."
    assert answer["media"] == []
    assert len(answer["media_errors"]) == 1
