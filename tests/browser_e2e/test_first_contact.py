"""Setup of a Gateway with a certificate of its own, which has to be approved."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from scripts.home_assistant.api import HomeAssistantApi
from scripts.home_assistant.journey import DOMAIN, self_test
from tests.simulator import Agent, GatewaySimulator
from tests.simulator.tls import certificate, fingerprint, server_context

from .frontend import Frontend


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a self-signed certificate."""
    return certificate(tmp_path)


@pytest.fixture
async def gateway(path: Path) -> AsyncIterator[GatewaySimulator]:
    """Run a Gateway with TLS that approves nobody by itself."""
    gateway = GatewaySimulator(
        pairing=True,
        ssl=server_context(path),
        agents=(Agent("main", "Claw"), Agent("kitchen", "Kitchen")),
    )
    async with gateway:
        yield gateway


async def add_agent(api: HomeAssistantApi, entry_id: str, agent: str) -> None:
    """Add another agent, without an assistant."""
    path = "config/config_entries/subentries/flow"
    form = await api.post(path, {"handler": [entry_id, "conversation"]})
    while form["type"] == "form":
        fields = {item["name"]: item for item in form["data_schema"]}
        answers: dict[str, Any] = {
            name: item["default"] for name, item in fields.items() if "default" in item
        }
        for name, item in fields.items():
            if item.get("type") == "expandable":
                answers[name] = {
                    field["name"]: field["default"]
                    for field in item["schema"]
                    if "default" in field
                }
        if "agent" in fields:
            answers["agent"] = agent
        if "create_assistant" in fields:
            answers["create_assistant"] = False
        form = await api.post(f"{path}/{form['flow_id']}", answers)
    assert form["type"] == "create_entry", form


async def gateway_device(api: HomeAssistantApi) -> str:
    """Return the id of the Gateway's device."""
    devices = await api.command("config/device_registry/list")
    [device_id] = [
        str(device["id"])
        for device in devices
        if device["manufacturer"] == "OpenClaw" and not device["via_device_id"]
    ]
    return device_id


@pytest.mark.slow
async def test_certificate_is_confirmed_and_home_assistant_approved(
    api: HomeAssistantApi,
    frontend: Frontend,
    gateway: GatewaySimulator,
    path: Path,
    pytestconfig: pytest.Config,
) -> None:
    pictures = pytestconfig.getoption("--pictures")
    await frontend.choose_integration()
    await frontend.submit(address=gateway.url, token=gateway.token)
    await frontend.expect_in_form("is not signed by an authority")
    start = fingerprint(path)[:4].upper()
    await frontend.expect_in_form(f"{start[:2]}:{start[2:]}:")
    if pictures:
        await frontend.picture_page(pictures / "certificate.png", 860)
    await frontend.submit()

    await frontend.expect_in_form("openclaw devices approve")
    [request_id] = gateway.devices.pending
    await frontend.expect_in_form(request_id)
    if pictures:
        await frontend.picture_page(pictures / "approval.png", 860)
    gateway.approve(request_id)
    await frontend.expect_in_form("need a confirmation by a person")
    await frontend.submit()
    await frontend.expect_in_form("An assistant makes Claw available in Assist")
    await frontend.submit()
    await frontend.finish()

    [entry] = await api.command("config_entries/get", domain=DOMAIN)
    await self_test(api, entry["entry_id"])
    await frontend.open_device(await gateway_device(api), "Self-test result")
    if pictures:
        await frontend.picture_page(pictures / "device.png", 1000)

    await add_agent(api, entry["entry_id"], "kitchen")
    await frontend.open_integration()
    await frontend.expect_agents("Claw", "Kitchen")
    if pictures:
        await frontend.picture_page(pictures / "agents.png", 1040)
    # A client that reconnects when the Gateway stops leaves handshakes unfinished.
    await frontend.remove_entry()
