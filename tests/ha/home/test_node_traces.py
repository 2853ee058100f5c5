"""Node in diagnostics and self-test."""

import asyncio
import json
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.flows import node_setup
from custom_components.clawd.redaction import known_secrets
from tests.ha.downloads import Download
from tests.ha.flows import configure, placeholder
from tests.ha.self_test import run_self_test, statuses
from tests.leak_guard import no_leaks
from tests.simulator import GatewaySimulator

from .nodes import node_of, wait_for_node, wait_published

CYCLES = 3


async def _set_up(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await wait_published(gateway, entry)


@pytest.mark.usefixtures("house")
async def test_diagnostics_have_counts_and_no_names(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    download: Download,
) -> None:
    await _set_up(hass, new_entry, gateway)
    text = await download()

    node: dict[str, Any] = json.loads(text)["data"]["node"]
    assert {**node, "connects": 0, "peer": None, "calls": {}} == {
        "state": "connected",
        "error": None,
        "peer": None,
        "approval": "approved",
        "wanted": 3,
        "published": 3,
        "publish_error": "",
        "method_missing": False,
        "displaced": False,
        "prefix": False,
        "ready": True,
        "open_calls": 0,
        "calls": {},
        "connects": 0,
        "drops": 0,
    }
    credentials = node_of(new_entry).credentials
    assert credentials.device_token
    for secret in (credentials.identity.secret, credentials.device_token.token):
        assert secret not in text
    for name in ("itchen", "garage", "home_state", node_of(new_entry).client.device_id):
        assert name not in json.dumps(node)


async def test_the_secrets_of_the_node_are_known(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await wait_for_node(gateway, new_entry)
    await gateway.wait_until(
        lambda: node_of(new_entry).credentials.device_token is not None
    )
    credentials = node_of(new_entry).credentials
    assert credentials.device_token
    credentials.bootstrap_token = "bootstrap-token"
    secrets = known_secrets(
        new_entry.data, new_entry.options, *new_entry.runtime_data.all_credentials
    )
    credentials.bootstrap_token = None

    assert {
        credentials.identity.secret,
        credentials.device_token.token,
        "bootstrap-token",
    } <= {*secrets}


@pytest.mark.usefixtures("house")
async def test_set_up_and_unloaded_leaves_nothing(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
) -> None:
    await _set_up(hass, new_entry, gateway)
    assert await hass.config_entries.async_unload(new_entry.entry_id)
    await gateway.wait_until(lambda: not gateway.open_connections)

    async with no_leaks():
        for _ in range(CYCLES):
            await _set_up(hass, new_entry, gateway)
            assert await hass.config_entries.async_unload(new_entry.entry_id)
            await hass.async_block_till_done()
        await gateway.wait_until(lambda: not gateway.open_connections)


@pytest.mark.usefixtures("entry")
async def test_a_self_test_knows_the_node_of_an_open_dialog(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_setup, "APPROVAL_POLL_INTERVAL", 5.0)
    async with GatewaySimulator(pairing=True) as other:
        form = await hass.config_entries.flow.async_init(
            DOMAIN, context={"source": "user"}
        )
        fields = {"address": other.url, "token": other.token}
        monkeypatch.setattr(
            "custom_components.clawd.flows.setup.APPROVAL_POLL_INTERVAL", 0
        )
        step = await configure(hass, form, fields)
        other.approve(placeholder(step, "request_id"))
        flows = hass.config_entries.flow
        while flows.async_get(step["flow_id"])["step_id"] == "pairing":  # noqa: ASYNC110
            await asyncio.sleep(0)
        step = await configure(hass, step)
        menu = await configure(hass, step, {"home_access": "read"})
        step = await configure(hass, menu, {"next_step_id": "node_commands"})
        assert step["type"] == "progress"

        report = await run_self_test(hass, mode="passive")
        assert statuses(report)["task_inventory"] == "pass"
        hass.config_entries.flow.async_abort(step["flow_id"])
        await other.wait_until(lambda: not other.open_connections)
