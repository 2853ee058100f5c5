"""Secrets never reach the diagnostics."""

from collections.abc import Callable
from functools import partial
import json
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.simulator import GatewaySimulator, Refusal

from .downloads import Download, forms
from .fault_harness import FaultHarness
from .self_test import run_self_test
from .states import CONNECTIVITY, wait_for_state

type Hello = dict[str, Any]


def _secrets(harness: FaultHarness) -> dict[str, str]:
    credentials = harness.runtime.credentials
    assert credentials.token
    assert credentials.device_token
    return {
        "token": credentials.token,
        "device token": credentials.device_token.token,
        "key": credentials.identity.secret,
    }


def _version(hello: Hello, text: str) -> None:
    hello["server"]["version"] = f"https://user:{text}@gateway"


def _role(hello: Hello, text: str) -> None:
    hello["auth"]["role"] = text


def _scopes(hello: Hello, text: str) -> None:
    hello["auth"]["scopes"] += [text]


def _methods(hello: Hello, text: str) -> None:
    hello["features"]["methods"] += [text]


def _agent(hello: Hello, text: str) -> None:
    hello["snapshot"]["sessionDefaults"]["defaultAgentId"] = text


PLACES: dict[str, Callable[..., None]] = {
    "version": _version,
    "role": _role,
    "scopes": _scopes,
    "methods": _methods,
    "agent": _agent,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", ["token", "device token", "key"])
async def test_a_secret_in_what_was_agreed_does_not_show(
    harness: FaultHarness, download: Download, place: str, secret: str
) -> None:
    text = _secrets(harness)[secret]
    for form in forms(text):
        harness.gateway.edit("hello-ok", partial(PLACES[place], text=form))
        await harness.reconnect()
        body = await download()
        assert [f for f in forms(text) if f in body] == []


@pytest.mark.parametrize("secret", ["token", "device token", "key"])
async def test_a_secret_in_the_name_of_an_event_does_not_show(
    harness: FaultHarness, download: Download, secret: str
) -> None:
    text = _secrets(harness)[secret]
    for form in forms(text):
        harness.gateway.send_raw(
            json.dumps({"type": "event", "event": form, "payload": {}})
        )
        await harness.runtime.client.request("health")
        body = await download()
        assert [f for f in forms(text) if f in body] == []


async def test_a_secret_in_an_error_code_or_a_pairing_request_does_not_show(
    hass: HomeAssistant, harness: FaultHarness, download: Download
) -> None:
    token = harness.gateway.token
    harness.gateway.refuse(Refusal.PAIRING)
    harness.gateway.devices.approved.clear()
    harness.gateway.edit(
        "refusal",
        lambda error: error.update(
            code=token.upper(), details={"code": "NOT_PAIRED", "requestId": token}
        ),
    )
    await harness.drop_connection()
    await wait_for_state(hass, CONNECTIVITY, "off")

    body = await download()

    assert [form for form in forms(token) if form in body] == []


async def test_a_session_and_an_agent_of_somebody_else_do_not_show(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    download: Download,
) -> None:
    foreign = {
        "runId": "stranger-run",
        "sessionKey": "agent:stranger-agent:stranger-session",
        "stream": "tool",
        "data": {"name": "write", "args": {"file": "stranger-file.txt"}},
        "seq": 1,
    }
    gateway.send_raw(
        json.dumps({"type": "event", "event": "agent", "payload": foreign, "seq": 1})
    )
    await entry.runtime_data.client.request("health")
    await run_self_test(hass)

    assert "stranger" not in await download()
