"""Device triggers and blueprints of a user, with real programs."""

from collections.abc import AsyncIterator
import json
from pathlib import Path
from typing import Any

import pytest

from scripts.home_assistant import journey
from scripts.home_assistant.api import HomeAssistantApi, connect_new_user
from scripts.home_assistant.boot import RunningHomeAssistant, boot
from tests.gateway_e2e.gateways import Gateway
from tests.gateway_e2e.relay import Relay

from .installations import installation
from .waiting import until

BLUEPRINTS = Path(__file__).parents[2] / "blueprints"
RULES = "rules"
CONFIGURATION = f"automation: !include_dir_merge_list {RULES}\n"
TASK_BLUEPRINT = "tell_when_a_task_is_done"
AGENT = "conversation.main"
GATEWAY = "OpenClaw Gateway"


@pytest.fixture
async def running() -> AsyncIterator[RunningHomeAssistant]:
    """Run a fresh Home Assistant with automations in a folder."""
    async with boot(
        installation=installation(), configuration=CONFIGURATION
    ) as running:
        yield running


async def load(
    api: HomeAssistantApi, running: RunningHomeAssistant, rules: list[dict[str, Any]]
) -> None:
    """Load automations, and see that Home Assistant takes them."""
    folder = running.folder / RULES
    folder.mkdir()
    (folder / "rules.yaml").write_text(json.dumps(rules))
    await api.post("services/automation/reload", {})
    states = await api.get("states")
    found = [one for one in states if one["entity_id"].startswith("automation.")]
    assert [one["state"] for one in found] == ["on"] * len(rules), found


async def device_of(api: HomeAssistantApi, name: str) -> str:
    """Return the id of a device of the integration."""
    devices = await api.command("config/device_registry/list")
    [device] = [one for one in devices if one["name"] == name]
    return str(device["id"])


def rule(trigger: dict[str, Any], message: str, **more: object) -> dict[str, Any]:
    """Return an automation that shows a message."""
    data = {"message": message}
    action = {"action": "persistent_notification.create", "data": data}
    return {"alias": message, "triggers": [trigger], "actions": [action], **more}


async def test_a_user_chooses_triggers_and_conditions_of_devices(
    running: RunningHomeAssistant, gateway: Gateway
) -> None:
    async with (
        connect_new_user(running.url) as (api, _),
        Relay(gateway.port) as relay,
    ):
        url = f"ws://127.0.0.1:{relay.port}"
        await journey.add_gateway(api, {"address": url, "token": gateway.token}, print)
        agent, box = await device_of(api, "main"), await device_of(api, GATEWAY)
        offered = {
            (one["device_id"], one["type"]): one
            for device in (agent, box)
            for one in await api.command(
                "device_automation/trigger/list", device_id=device
            )
            if one["domain"] == journey.DOMAIN
        }
        conditions = await api.command(
            "device_automation/condition/list", device_id=box
        )
        ours = [one for one in conditions if one["domain"] == journey.DOMAIN]
        [connected] = [one for one in ours if one["type"] == "is_connected"]
        path = f"clawd/{TASK_BLUEPRINT}.yaml"
        blueprint = BLUEPRINTS / "automation" / path
        await api.command(
            "blueprint/save",
            domain="automation",
            path=path,
            yaml=blueprint.read_text(),
            source_url="https://example.com",
        )
        await load(
            api,
            running,
            [
                rule(offered[agent, "reply"], "replied", conditions=[connected]),
                rule(offered[agent, "task_finished"], "finished"),
                rule(offered[box, "connection_lost"], "lost"),
                {"alias": "b", "use_blueprint": {"path": path, "input": {}}},
            ],
        )

        async def shown() -> list[str]:
            found = await api.command("persistent_notification/get")
            # Texts of agents begin with a character that nobody sees.
            return sorted(one["message"].removeprefix("\u2060") for one in found)

        question = {"agent_id": AGENT, "text": "say Hello.", "language": "en"}
        await api.post("conversation/process", question)
        await until(shown, lambda found: found == ["replied"])
        task = {"agent": AGENT, "text": "say A small one.", "name": "Heat pump"}
        await api.post("services/clawd/start_task", task)
        told = ["A small one.", "finished", "replied"]
        await until(shown, lambda found: found == told)
        await relay.refuse()
        await until(shown, lambda found: "lost" in found)

        async def lines() -> list[str]:
            start = "2026-01-01T00:00:00+00:00"
            found = await api.command(
                "logbook/get_events", start_time=start, device_ids=[agent, box]
            )
            ours = [one for one in found if one.get("domain") == journey.DOMAIN]
            return [f"{one['name']} {one['message']}" for one in ours]

        # The recorder writes every few seconds.
        written = await until(lines, lambda found: len(found) >= len(told))
        assert written == [
            "main replied",
            "main finished a task: Heat pump",
            f"{GATEWAY} lost its connection",
        ]
        assert "Traceback" not in (running.folder / "console.log").read_text()
