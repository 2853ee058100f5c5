"""Names of what a reply shows."""

from pathlib import Path

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from tests.simulator import GatewaySimulator

from .assist_client import Conversation, speech
from .test_media import PATH, cache, fetch, show

__all__ = ["cache"]

LONG = "Chart of the consumption of the whole house from January to November " * 2


async def shown(conversation: Conversation) -> str:
    """Return what a reply shows below its text."""
    reply = speech(await conversation.say("Show me."))
    return reply.removeprefix("Here.\n\n")


@pytest.mark.parametrize("kind", [".pdf", ".tar.gz"])
async def test_a_long_name_keeps_its_type(
    conversation: Conversation,
    gateway: GatewaySimulator,
    hass_client_no_auth: ClientSessionGenerator,
    kind: str,
) -> None:
    path = f"/ws/{LONG}{kind}"
    gateway.http.files[path] = ("application/pdf", b"%PDF")
    show(gateway, path)
    [link] = PATH.findall(await shown(conversation))
    _, _, headers = await fetch(await hass_client_no_auth(), link)
    name = headers["Content-Disposition"].partition("''")[2]
    assert name.startswith("Chart%20of%20the")
    assert name.endswith(f"%E2%80%A6{Path(path).suffix}")


async def test_a_long_name_without_a_type_is_cut(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    show(gateway, f"/ws/{'a' * 50}.{'b' * 50}")
    assert f"{'a' * 50}.{'b' * 28}… cannot be shown" in await shown(conversation)


@pytest.mark.parametrize("address", ["https://e.example", "https://e.example/"])
async def test_a_site_is_named_by_its_host(
    conversation: Conversation, gateway: GatewaySimulator, address: str
) -> None:
    show(gateway, address)
    assert await shown(conversation) == f"[e.example](<{address}>)"
