"""Unsolicited messages of an OpenClaw agent."""

import json
from uuid import uuid4

import pytest

from custom_components.clawd.gateway import (
    GatewayClient,
    RequestFailedError,
    RunRequest,
)
from tests.gateway_e2e.gateways import Gateway

from .real_home import another_client
from .resident import Resident
from .voice import VoiceDevice
from .waiting import until

DINNER = {"message": "Dinner is ready.", "area": "Kitchen"}
ANNOUNCE = f"use home_announce {json.dumps(DINNER)} | quote"
MAIN_CHAT = "agent:main:main"


@pytest.fixture(scope="module")
def private_texts() -> tuple[str, ...]:
    """Return the message."""
    return (DINNER["message"],)


async def test_agent_speaks_first(
    resident: Resident, patient: VoiceDevice, gateway: Gateway
) -> None:
    await resident.expose(patient.entity_id)
    await resident.wait_visible()
    # The tool is published some seconds after the device is exposed.
    await until(
        lambda: resident.say(ANNOUNCE), lambda answer: "home_data" in answer.text
    )
    assert await texts_of(patient) == ["Dinner is ready."]

    # On the device of the conversation, it is told to answer instead.
    reply = await patient.say(ANNOUNCE)
    assert "Say it in your answer" in reply.text
    assert len(await texts_of(patient)) == 1

    async with another_client(gateway) as client:
        run = await client.start_run(RunRequest(ANNOUNCE, MAIN_CHAT))
        assert "only in conversations that were started in" in (await run.result()).text
        with pytest.raises(RequestFailedError):
            await notify(client)
        assert len(await texts_of(patient)) == 1

        issue = await resident.wait_issue("home_refused")
        fixed = await resident.fix(issue, from_elsewhere="control")
        assert fixed["type"] == "create_entry"
        await resident.wait_visible()

        run = await client.start_run(RunRequest(ANNOUNCE, MAIN_CHAT))
        assert "home_data" in (await run.result()).text
        assert await texts_of(patient) == ["Dinner is ready."] * 2
        assert (await notify(client))["payload"] == {"ok": True}
        shown = await resident.api.command("persistent_notification/get")
        assert "is ready" in [one["message"] for one in shown]


async def texts_of(device: VoiceDevice) -> list[str]:
    """Return the announcements of a device."""
    return [played.text for played in await device.heard()]


async def notify(client: GatewayClient) -> dict[str, object]:
    """Notify the home, as `openclaw nodes notify` does."""
    # Of the homes of other tests, none is connected now.
    [node_id] = [node.id for node in await client.nodes.list() if node.tools]
    params = {
        "nodeId": node_id,
        "command": "system.notify",
        "params": {"title": "Dinner", "body": "is ready"},
        "idempotencyKey": uuid4().hex,
    }
    return dict(await client.request("node.invoke", params))
