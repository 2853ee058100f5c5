"""Approval of the node by OpenClaw."""

import asyncio
from collections.abc import AsyncIterator, Sequence
import json
from pathlib import Path
from typing import Any

import pytest

from scripts.home_assistant import journey
from scripts.home_assistant.api import ApiError, HomeAssistantApi, connect_new_user
from scripts.home_assistant.boot import boot
from scripts.home_assistant.gateway import Gateway as Address
from scripts.home_assistant.reply import ask
from tests.gateway_e2e.gateway_harness import RealGatewayHarness
from tests.gateway_e2e.gateways import Gateway
from tests.gateway_e2e.nodes import admin, print_node_link
from tests.gateway_e2e.relay import Relay, forward

from .installations import installation
from .waiting import until

LIGHT = "light.kitchen_light"
TEMPLATE = """
template:
  - light:
      - name: Kitchen light
        unique_id: kitchen
        turn_on: []
        turn_off: []
"""
CALL = {
    "id": "home_control",
    "args": {"action": "HassTurnOn", "name": "Kitchen light"},
}
QUESTION = f"call tool_call {json.dumps(CALL)} | quote"
# The Gateway trusts its proxy, and takes who comes by it for another machine.
HOST, FORWARDED = b"\r\nHost:", b"\r\nX-Forwarded-For: 10.9.8.7\r\nHost:"

type Step = dict[str, Any]


def add_light(folder: Path) -> Sequence[str]:
    """Add a light to the configuration."""
    with (folder / "configuration.yaml").open("a") as file:
        file.write(TEMPLATE)
    return ()


@pytest.fixture
async def api() -> AsyncIterator[HomeAssistantApi]:
    """Run a fresh Home Assistant with a light."""
    async with (
        boot(installation=installation(), wrapper=add_light) as running_home,
        connect_new_user(running_home.url) as (api, _),
    ):
        await api.wait_until_running()
        yield api


async def add_header(data: bytes, writer: asyncio.StreamWriter) -> None:
    """Forward a chunk as a proxy does."""
    await forward(data.replace(HOST, FORWARDED, 1), writer)


@pytest.fixture
async def elsewhere(gateway: Gateway) -> AsyncIterator[Relay]:
    """Run a proxy in front of the Gateway."""
    async with Relay(gateway.port) as relay:
        relay.up = add_header
        yield relay


async def add_entry(api: HomeAssistantApi, gateway: Gateway, access: str) -> str:
    """Add the Gateway; return the id of its entry."""
    address = Address("127.0.0.1", gateway.port, ssl=False, token=gateway.token)
    entry = await journey.add_gateway(api, address.fields, print, access)
    return str(entry["entry_id"])


async def node_of(api: HomeAssistantApi, entry_id: str) -> dict[str, Any]:
    """Return the node's diagnostics."""
    try:
        text = await api.download(f"diagnostics/config_entry/{entry_id}")
    except ApiError:
        # The component has just been loaded.
        return {}
    return dict(json.loads(text)["data"]["node"] or {})


async def issues_of(api: HomeAssistantApi) -> dict[str, dict[str, Any]]:
    """Return the repairs by their texts' key."""
    answer = await api.command("repairs/list_issues")
    ours = [issue for issue in answer["issues"] if issue["domain"] == "clawd"]
    return {issue["translation_key"]: issue for issue in ours}


async def expect_light_turned_on(api: HomeAssistantApi, entry_id: str) -> None:
    """Let the agent turn on the light."""

    def is_published(node: dict[str, Any]) -> bool:
        # home_state, home_control and home_notify.
        return (node.get("approval"), node.get("published")) == ("approved", 3)

    await until(lambda: node_of(api, entry_id), is_published)
    await until(
        lambda: issues_of(api), lambda issues: "node_not_approved" not in issues
    )
    _, pipeline = await journey.create_assistant(api, entry_id)
    assert (await api.get(f"states/{LIGHT}"))["state"] != "on"
    reply = await ask(api, pipeline, QUESTION, lambda _: None)
    assert (await api.get(f"states/{LIGHT}"))["state"] == "on", reply.text


async def test_on_this_machine_the_home_is_approved_by_itself(
    api: HomeAssistantApi, gateway: Gateway
) -> None:
    entry_id = await add_entry(api, gateway, "control")
    await expect_light_turned_on(api, entry_id)
    report = await journey.self_test(api, entry_id, "active", "home_approval")
    [check] = report["checks"]
    assert check["observed_value"] == "approved"
    assert await issues_of(api) == {}


async def add_from_elsewhere(
    api: HomeAssistantApi, gateway: Gateway, port: int
) -> tuple[str, Step]:
    """Add the Gateway as another machine; return the flow's choice of an approval."""
    flow = await api.post("config/config_entries/flow", {"handler": journey.DOMAIN})
    path = f"config/config_entries/flow/{flow['flow_id']}"
    fields = {"address": f"ws://127.0.0.1:{port}", "token": gateway.token}
    step = await api.post(path, fields)
    if step["type"] == "progress":
        request_id = step["description_placeholders"]["request_id"]
        await asyncio.to_thread(gateway.approve, request_id)
        step = await until(lambda: api.get(path), has_ended)
    assert step["step_id"] == "home", step
    menu = await api.post(path, {"home_access": "control"})
    assert menu["menu_options"] == ["node_link", "node_commands", "node_later"]
    return path, menu


async def decline_assistant(api: HomeAssistantApi, path: str, step: Step) -> Step:
    """Finish a flow without an assistant; return its result."""
    assert step["step_id"] == "assistant", step
    result = await api.post(path, {"create_assistant": False})
    assert result["type"] == "create_entry", result
    return dict(result)


def has_ended(step: Step) -> bool:
    """Return whether a progress is over."""
    return bool(step["type"] != "progress")


def commands_of(step: Step) -> list[str]:
    """Return the commands that a progress shows."""
    return list(step["description_placeholders"]["commands"].splitlines())


async def test_elsewhere_a_node_link_approves_the_home(
    api: HomeAssistantApi, gateway: Gateway, elsewhere: Relay
) -> None:
    path, _ = await add_from_elsewhere(api, gateway, elsewhere.port)
    await api.post(path, {"next_step_id": "node_link"})
    link = await print_node_link(RealGatewayHarness(gateway), elsewhere.port)
    step = await api.post(path, {"node_link": link})
    result = await decline_assistant(api, path, step)
    await expect_light_turned_on(api, result["result"]["entry_id"])


async def pending_nodes(gateway: Gateway) -> set[str]:
    """Return the ids of the requests of nodes, also of those of other tests."""
    async with admin(RealGatewayHarness(gateway)) as client:
        return {pending.id for pending in await client.nodes.pairing_requests()}


@pytest.mark.slow
async def test_elsewhere_commands_approve_the_home(
    api: HomeAssistantApi, gateway: Gateway, elsewhere: Relay
) -> None:
    earlier = await pending_nodes(gateway)
    path, _ = await add_from_elsewhere(api, gateway, elsewhere.port)
    step = await api.post(path, {"next_step_id": "node_commands"})
    device, *others = commands_of(step)
    request_id = device.removeprefix("openclaw devices approve ")
    await asyncio.to_thread(gateway.approve, request_id)
    step = await until(lambda: api.get(path), lambda step: len(commands_of(step)) == 2)
    assert commands_of(step) == others
    [pending] = await pending_nodes(gateway) - earlier
    command = ("nodes", "approve", pending)
    await asyncio.to_thread(gateway._run_command, *command)  # noqa: SLF001 - a user's
    step = await until(lambda: api.get(path), has_ended)
    result = await decline_assistant(api, path, step)
    await expect_light_turned_on(api, result["result"]["entry_id"])


@pytest.mark.parametrize("paired", [False, True])
async def test_a_repair_takes_a_node_link(
    api: HomeAssistantApi, gateway: Gateway, elsewhere: Relay, *, paired: bool
) -> None:
    path, _ = await add_from_elsewhere(api, gateway, elsewhere.port)
    step = await api.post(path, {"next_step_id": "node_later"})
    result = await decline_assistant(api, path, step)
    entry_id = result["result"]["entry_id"]
    name = "node_not_approved"
    issues = await until(lambda: issues_of(api), lambda found: name in found)
    handler = {"handler": "clawd", "issue_id": issues[name]["issue_id"]}
    form = await api.post("repairs/issues/fix", handler)
    path = f"repairs/issues/fix/{form['flow_id']}"
    if paired:
        device = commands_of(form)[0].removeprefix("openclaw devices approve ")
        await asyncio.to_thread(gateway.approve, device)
        form = await api.post(path, {})
        assert form["errors"] == {"base": "not_fixed"}
        await until(
            lambda: node_of(api, entry_id),
            lambda node: node.get("approval") == "commands",
        )
    link = await print_node_link(RealGatewayHarness(gateway), elsewhere.port)
    result = await api.post(path, {"node_link": link})
    assert result["type"] == "create_entry", result
    await expect_light_turned_on(api, entry_id)
