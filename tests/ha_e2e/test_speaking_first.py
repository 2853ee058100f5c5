"""Unsolicited messages of an OpenClaw agent."""

from collections.abc import AsyncIterator, Iterator
import json
from uuid import uuid4

import pytest

from custom_components.clawd.gateway import (
    GatewayClient,
    RequestFailedError,
    RunRequest,
)
from tests.gateway_e2e.gateways import Gateway

from .real_home import (
    RealHome,
    Resident,
    another_client,
    resident_of,
    serve_home,
    until,
)
from .voice import VoiceDevice, add_voice_device, speak_with

DINNER = {"message": "Dinner is ready.", "area": "Kitchen"}
ANNOUNCE = f"use home_announce {json.dumps(DINNER)} | quote"
MAIN_CHAT = "agent:main:main"


@pytest.fixture(scope="module")
def home(gateway: Gateway) -> Iterator[RealHome]:
    """Run Home Assistant and check its log."""
    with serve_home(gateway) as home:
        yield home
        log = home.log.read_text()
        assert "Traceback" not in log
        assert DINNER["message"] not in log


@pytest.fixture
async def resident(home: RealHome) -> AsyncIterator[Resident]:
    """Return the user of the home."""
    async with resident_of(home) as resident:
        yield resident


async def test_agent_speaks_first(
    home: RealHome, resident: Resident, gateway: Gateway
) -> None:
    kitchen = await add_voice_device(resident.api, "Kitchen speaker", "kitchen")
    await speak_with(resident.api, home, "kitchen_speaker")
    await resident.expose(kitchen.entity_id)
    await resident.be_patient()
    await resident.wait_visible()
    # The tool is published some seconds after the device is exposed.
    await until(
        lambda: resident.say(ANNOUNCE), lambda answer: "home_data" in answer.text
    )
    assert await texts_of(kitchen) == ["Dinner is ready."]

    # On the device of the conversation, it is told to answer instead.
    reply = await kitchen.say(ANNOUNCE)
    assert "Say it in your answer" in reply.text
    assert len(await texts_of(kitchen)) == 1

    async with another_client(gateway) as client:
        run = await client.start_run(RunRequest(ANNOUNCE, MAIN_CHAT))
        assert "only in conversations that were started in" in (await run.result()).text
        with pytest.raises(RequestFailedError):
            await notify(client)
        assert len(await texts_of(kitchen)) == 1

        [issue] = await resident.issues()
        fixed = await resident.fix(issue, from_elsewhere="control")
        assert fixed["type"] == "create_entry"
        await resident.wait_visible()

        run = await client.start_run(RunRequest(ANNOUNCE, MAIN_CHAT))
        assert "home_data" in (await run.result()).text
        assert await texts_of(kitchen) == ["Dinner is ready."] * 2
        assert (await notify(client))["payload"] == {"ok": True}
        shown = await resident.api.command("persistent_notification/get")
        assert "is ready" in [one["message"] for one in shown]


async def texts_of(device: VoiceDevice) -> list[str]:
    """Return the announcements of a device."""
    return [played.text for played in await device.heard()]


async def notify(client: GatewayClient) -> dict[str, object]:
    """Notify the home, as `openclaw nodes notify` does."""
    nodes = await client.nodes.list()
    params = {
        "nodeId": next(node.id for node in nodes if node.tools),
        "command": "system.notify",
        "params": {"title": "Dinner", "body": "is ready"},
        "idempotencyKey": uuid4().hex,
    }
    return dict(await client.request("node.invoke", params))
