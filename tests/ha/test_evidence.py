"""Diagnostics across reloads and drills."""

import json
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import (
    CONF_ALLOW_INSECURE,
    CONF_KEEP_RUN,
    CONF_TRACE_LENGTH,
)
from custom_components.clawd.gateway import ClientHistory, GatewayError, RunRequest
from custom_components.clawd.gateway.tracebacks import Failure
from tests.simulator import GatewaySimulator, Refusal

from .downloads import Download
from .self_test import RUNS_LONG, problems, run_self_test
from .states import CONNECTIVITY, LAST_DISCONNECT, wait_for_state

DEEP = '{"type":"event","event":"agent","payload":' + "[" * 10_000


def _data(body: str) -> dict[str, Any]:
    return dict(json.loads(body)["data"])


async def _lose_connection(hass: HomeAssistant, gateway: GatewaySimulator) -> None:
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await wait_for_state(hass, CONNECTIVITY, "on")


async def test_the_past_is_told_after_a_reload(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    download: Download,
) -> None:
    client = entry.runtime_data.client
    gateway.send_raw(DEEP)
    run = await client.start_run(RunRequest("canary-question", "agent:main:x"))
    await run.result()
    with pytest.raises(GatewayError):
        await client.request("nobody.knows")
    await _lose_connection(hass, gateway)
    assert await hass.config_entries.async_reload(entry.entry_id)

    body = await download()

    data = _data(body)
    assert data["counters"]["invalid_frames"] == 1
    assert data["counters"]["drops"] == 1
    assert data["counters"]["connects"] == 3
    assert data["counters"]["closes"] == {"nobody 1006": 1}
    assert data["counters"]["store_errors"] == 0
    assert data["faults"] == {"store": None, "tasks": {}, "exception": None}
    [question] = data["questions"]
    assert (question["code"], question["accepted"]) == ("ok", True)
    assert [name for name in data["requests"]["errors"] if "nobody" in name]
    [cut, reloaded] = data["hellos"]
    assert cut["restarted"] is reloaded["restarted"] is False
    assert reloaded["changes"] == {}
    assert data["attempts"] == {
        "addresses": [{"family": "IPv4", "class": "loopback"}],
        "refusal": None,
    }
    assert data["connection"]["peer"] == {"family": "IPv4", "class": "loopback"}
    causes = [change["cause"] for change in data["transitions"]]
    assert causes.count("started") == 2
    assert "lost" in causes
    assert {"close", "event"} <= {frame["kind"] for frame in data["trace"]}
    assert "canary-question" not in body
    assert gateway.host not in body


async def test_the_past_is_told_of_an_entry_that_is_not_loaded(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    download: Download,
) -> None:
    gateway.refuse(Refusal.TOKEN_MISMATCH)
    await hass.config_entries.async_setup(new_entry.entry_id)
    assert new_entry.state is ConfigEntryState.SETUP_ERROR

    data = _data(await download())

    refusal = data["attempts"]["refusal"]
    assert refusal["code"] == "AUTH_TOKEN_MISMATCH"
    assert (refusal["shown"], refusal["device_token"]) == ("token", "absent")
    assert refusal["same_peer"] is None
    assert data["transitions"][-1]["cause"] == "stopped"
    assert data["requests"]["errors"] == {"connect AUTH_TOKEN_MISMATCH": 1}
    assert data["connection"] is None


async def test_a_change_of_the_gateway_is_told(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    download: Download,
) -> None:
    def change(hello: dict[str, Any]) -> None:
        hello["server"]["version"] = "v" * 1000
        hello["policy"] |= {"maxPayload": 1_000_000, "tickIntervalMs": True}
        hello["auth"]["scopes"].append("operator.more")

    gateway.edit("hello-ok", change)
    await _lose_connection(hass, gateway)

    data = _data(await download())

    assert entry.state is ConfigEntryState.LOADED
    [hello] = data["hellos"]
    assert hello["changes"]["version"][1] == "v" * 64
    assert hello["changes"]["max_payload"] == [26_214_400, 1_000_000]
    assert "operator.more" in hello["changes"]["scopes"][1]
    assert data["connection"]["hello"]["tick_replaced"] == "bool"


async def test_an_exception_is_told_by_its_place(
    entry: MockConfigEntry, download: Download
) -> None:
    history: ClientHistory = entry.runtime_data.client.introspection.history
    with pytest.raises(ValueError, match="canary") as caught:
        raise ValueError("canary-message")
    history.failure = Failure.from_exception(caught.value)
    body = await download()
    lines = _data(body)["faults"]["exception"]
    assert lines[-1] == "ValueError"
    assert any("test_evidence.py" in line for line in lines)
    assert '"canary-message' not in lines[-1]


@RUNS_LONG
async def test_a_drill_hides_nothing(
    hass: HomeAssistant,
    harness: Any,  # noqa: ANN401 - the healthy live system
    gateway: GatewaySimulator,
    download: Download,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await _lose_connection(hass, gateway)
    before = _data(await download())["transitions"]
    caplog.clear()

    report = await run_self_test(hass, mode="drill")

    assert problems(report) == {}
    after = _data(await download())["transitions"]
    assert after[: len(before)] == before
    drilled = after[len(before) :]
    assert [change for change in drilled if not change["drill"]] == []
    warnings = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.clawd")
        and record.levelno >= logging.WARNING
    ]
    assert not [text for text in warnings if "lost" in text]
    assert caplog.text.count("The self-test interrupts the connection") > 1
    assert harness.runtime.client.statistics.drill_drops > 1
    # A second self-test still finds the connection's history in order.
    assert problems(await run_self_test(hass)) == {}


async def test_a_drill_is_no_disconnect_of_the_sensor(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    coordinator = entry.runtime_data.coordinator
    await entry.runtime_data.client.interrupt()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await wait_for_state(hass, CONNECTIVITY, "on")
    assert coordinator.last_disconnect is None
    assert hass.states.get(LAST_DISCONNECT) is None  # not enabled


@pytest.mark.parametrize(
    "options",
    [
        {CONF_KEEP_RUN: "120", CONF_TRACE_LENGTH: "x", CONF_ALLOW_INSECURE: "no"},
        {CONF_KEEP_RUN: None, CONF_TRACE_LENGTH: -1, CONF_ALLOW_INSECURE: []},
        {CONF_KEEP_RUN: True, CONF_TRACE_LENGTH: 1e308},
        {CONF_KEEP_RUN: float("nan"), CONF_TRACE_LENGTH: {}},
    ],
)
async def test_an_option_that_was_edited_by_hand_costs_nothing(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    options: dict[str, object],
) -> None:
    hass.config_entries.async_update_entry(new_entry, options=options)
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()
    client = new_entry.runtime_data.client
    run = await client.start_run(RunRequest("Go", "agent:main:x"))
    await _lose_connection(hass, gateway)
    assert (await run.result()).text
    assert client.statistics.main_loop_errors == 0
    assert client.endpoint.allow_insecure is False
    assert len(client.statistics.trace) > 5


async def test_an_option_is_used(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(new_entry, options={CONF_TRACE_LENGTH: 2.0})
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()
    assert len(new_entry.runtime_data.client.statistics.trace) == 2
