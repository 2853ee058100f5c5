"""The diagnostics, as they are downloaded."""

import json
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_SSL, CONF_TOKEN, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.clawd import diagnostics, diagnostics_data
from custom_components.clawd.const import (
    CONF_ALLOW_INSECURE,
    CONF_CA_CERTIFICATE,
    CONF_FINGERPRINT,
    CONF_INSTRUCTIONS,
    CONF_SESSION_NAME,
    CONF_SESSION_SCOPE,
    DOMAIN,
)
from custom_components.clawd.gateway import GatewayError, RunRequest
from custom_components.clawd.reports import Status
from custom_components.clawd.runtime.report_history import MAX_REPORTS
from tests.simulator import Fail, GatewaySimulator, Refusal, Reply, Tool

from .check_stubs import check_stub, run_stubs
from .devices import gateway_device
from .downloads import Download, forms
from .self_test import run_self_test
from .states import AGENT, CONNECTIVITY, wait_for_state

LIMIT = 256 * 1024
PROMPT = "canary-prompt Wer wohnt hier?"
REPLY = "canary-reply Niemand."
TOOL_ARGUMENT = "canary-argument"
SESSION = "agent:main:ha-canary-session"
FAILURE = "canary-failure"
HOST_NAME = "Canary's host"


def _data(body: str) -> dict[str, Any]:
    return dict(json.loads(body)["data"])


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_loaded_entry_shows_what_a_maintainer_needs(
    hass: HomeAssistant, entry: MockConfigEntry, download: Download, protocol: int
) -> None:
    report = await run_self_test(hass, config_entry=entry.entry_id)

    data = _data(await download())

    assert data["versions"]["protocol"] == protocol
    assert data["endpoint"] == {
        "address": "loopback",
        "transport": "ws",
        "trust": None,
        "insecure_allowed": False,
    }
    assert data["entry"]["state"] == "loaded"
    assert data["connection"]["state"] == "connected"
    assert data["connection"]["hello"]["missing_methods"] == []
    assert [change["to"] for change in data["transitions"]][-1] == "connected"
    assert data["counters"]["requests_issued"] == data["counters"]["requests_completed"]
    assert data["requests"]["ended"]["health ok"] == 5
    assert {frame["name"] for frame in data["trace"]} >= {"connect", "health"}
    assert data["tasks"] == ["run", "watchdog"]
    assert {entity["domain"] for entity in data["entities"]} == {
        "binary_sensor",
        "button",
        "conversation",
        "event",
        "sensor",
    }
    assert data["self_test"] == {"last": report, "earlier": []}


async def test_settings_are_shown_without_what_the_user_wrote(
    hass: HomeAssistant, entry: MockConfigEntry, download: Download
) -> None:
    [subentry] = entry.subentries.values()
    written = {
        CONF_INSTRUCTIONS: PROMPT,
        CONF_SESSION_SCOPE: "named",
        CONF_SESSION_NAME: SESSION,
    }
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, **written}
    )
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, CONF_ALLOW_INSECURE: True}
    )
    await hass.async_block_till_done()

    body = await download()

    data = _data(body)
    assert data["endpoint"]["insecure_allowed"] is True
    assert data["settings"]["options"][CONF_ALLOW_INSECURE] is True
    [agent] = data["settings"]["agents"]
    assert agent["session_scope"] == "named"
    assert agent["idle_timeout"] == 300
    assert agent["own"] == ["instructions", "session_name"]
    assert agent["known"] is True
    assert PROMPT not in body
    assert SESSION not in body


@pytest.mark.parametrize("protocol", [3, 4])
async def test_nothing_secret_or_private_is_in_them(
    entry: MockConfigEntry, gateway: GatewaySimulator, download: Download
) -> None:
    runtime = entry.runtime_data
    identity = runtime.credentials.identity
    gateway.script_once(
        Reply(REPLY), Tool("look", {"where": TOOL_ARGUMENT}), Reply(REPLY)
    )
    gateway.script_once(Fail(FAILURE))
    for _ in range(2):
        run = await runtime.client.start_run(RunRequest(PROMPT, SESSION))
        try:
            await run.result()
        except GatewayError:
            continue

    body = await download()

    private = (PROMPT, REPLY, TOOL_ARGUMENT, SESSION, FAILURE)
    secrets = (
        gateway.token,
        identity.secret,
        *gateway.devices.tokens.values(),
    )
    found = [form for s in (*private, *secrets) for form in forms(s) if form in body]
    assert found == []
    assert identity.device_id not in body
    assert f":{gateway.port}" not in body
    assert "127.0.0.1" not in body


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        (Refusal.STARTING_HTTP, ConfigEntryState.SETUP_RETRY),
        (Refusal.TOKEN_MISMATCH, ConfigEntryState.SETUP_ERROR),
        (Refusal.PROTOCOL, ConfigEntryState.SETUP_RETRY),
    ],
)
async def test_an_entry_that_failed_says_where(  # noqa: PLR0913, PLR0917 - the row
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    download: Download,
    refusal: Refusal,
    state: ConfigEntryState,
) -> None:
    gateway.refuse(refusal)
    await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()

    body = await download()

    data = _data(body)
    assert data["entry"]["state"] == state.value
    assert data["entry"]["reason"] == new_entry.error_reason_translation_key
    assert data["connection"] is None
    assert gateway.token not in body


async def test_earlier_self_tests_are_told_in_short(
    hass: HomeAssistant, entry: MockConfigEntry, download: Download
) -> None:
    await run_stubs(
        hass, entry, check_stub(Status.FAIL), check_stub(Status.PASS, "fine")
    )
    last = await run_self_test(hass)

    reports = _data(await download())["self_test"]

    assert reports["last"] == last
    [earlier] = reports["earlier"]
    assert earlier["status"] == "fail"
    assert earlier["failed_checks"] == {"stub": None}


async def test_names_that_a_self_test_tells_its_user_are_not_in_them(
    hass: HomeAssistant, entry: MockConfigEntry, download: Download
) -> None:
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={(DOMAIN, "gone")}, name=HOST_NAME
    )
    hass.states.async_set(AGENT, STATE_UNAVAILABLE)
    messages = [check["message"] for check in (await run_self_test(hass))["checks"]]
    names = (HOST_NAME, AGENT)
    assert [name for name in names if name in str(messages)] == [*names]

    body = await download()

    assert [name for name in names if name in body] == []
    last = _data(body)["self_test"]["last"]["checks"]
    failed = {c["id"]: c["observed_value"] for c in last if c["status"] == "fail"}
    assert failed == {"entity_availability": 1, "registry": 1}


async def test_an_unloaded_entry_tells_of_its_self_tests(
    hass: HomeAssistant, entry: MockConfigEntry, download: Download
) -> None:
    report = await run_self_test(hass)
    await hass.config_entries.async_unload(entry.entry_id)

    assert _data(await download())["self_test"]["last"] == report


async def test_ten_long_reports_do_not_crowd_out_the_rest(
    hass: HomeAssistant, entry: MockConfigEntry, download: Download
) -> None:
    checks = [check_stub(Status.FAIL, f"check_{n:02}_{'x' * 250}") for n in range(45)]
    for _ in range(MAX_REPORTS):
        await run_stubs(hass, entry, *checks)

    data = _data(await download())

    assert len(json.dumps(data, indent=2)) <= LIMIT
    assert len(data["self_test"]["last"]["checks"]) == 45
    assert len(data["self_test"]["earlier"]) == MAX_REPORTS - 1


async def test_an_unloaded_entry_has_diagnostics(
    hass: HomeAssistant, entry: MockConfigEntry, download: Download
) -> None:
    await hass.config_entries.async_unload(entry.entry_id)

    assert _data(await download())["entry"]["state"] == "not_loaded"


async def test_a_disconnected_entry_tells_of_the_drop(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    download: Download,
) -> None:
    assert entry.state is ConfigEntryState.LOADED
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")

    data = _data(await download())

    lost = next(c for c in data["transitions"] if c["from"] == "connected")
    assert lost["error"] == {
        "type": "ConnectionLostError",
        "code": "1001",
        "meaning": "The Gateway went away: it was stopped.",
    }
    assert (lost["closed_by"], lost["drill"]) == ("peer", False)
    assert data["counters"]["drops"] == 1


async def test_a_section_with_a_secret_is_withheld(
    entry: MockConfigEntry, gateway: GatewaySimulator, download: Download
) -> None:
    token = gateway.token
    gateway.edit("hello-ok", lambda hello: hello["server"].update(version=token))
    gateway.drop()
    await gateway.wait_for_request("connect", 2)
    await entry.runtime_data.client.wait_connected()

    body = await download()

    assert _data(body)["versions"] == {"withheld": "a secret was found"}
    assert _data(body)["counters"]["connects"] == 2
    assert token not in body


async def test_a_section_that_fails_takes_no_other_with_it(
    entry: MockConfigEntry, download: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> object:
        raise ValueError(entry.data[CONF_TOKEN])

    monkeypatch.setattr(
        diagnostics_data, "SECTIONS", {**diagnostics_data.SECTIONS, "counters": fail}
    )

    body = await download()

    assert _data(body)["counters"] == {"error": "ValueError"}
    assert _data(body)["versions"]["protocol"] == 4
    assert entry.data[CONF_TOKEN] not in body


async def test_they_stay_small(
    entry: MockConfigEntry, gateway: GatewaySimulator, download: Download
) -> None:
    name = "x" * 4_000
    for _ in range(1_000):
        gateway.broadcast(name, {})
    await entry.runtime_data.client.request("health")

    body = await download()

    assert len(json.dumps(_data(body), indent=2)) <= LIMIT
    assert _data(body)["counters"]["frames_in"] > 1_000
    assert {len(frame["name"]) for frame in _data(body)["trace"]} <= set(range(65))


async def test_the_largest_sections_go_first_if_all_are_too_much(
    entry: MockConfigEntry, download: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _data(await download())
    sizes = {name: len(json.dumps(part, indent=2)) for name, part in whole.items()}
    largest = max(sizes, key=sizes.__getitem__)
    # The next download may have some digits less.
    limit = sum(sizes.values()) - sizes[largest] // 2
    monkeypatch.setattr(diagnostics, "MAX_SIZE", limit)

    data = _data(await download())

    withheld = {
        name for name, part in data.items() if part == {"withheld": "too large"}
    }
    assert withheld == {largest}
    assert data["entry"]["state"] == entry.state.value


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("localhost", "loopback"),
        ("::1", "loopback"),
        ("192.168.1.4", "private"),
        ("8.8.8.8", "public"),
        ("gateway.example", "name"),
    ],
)
async def test_an_address_is_shown_by_its_kind(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    download: Download,
    host: str,
    address: str,
) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_HOST: host})

    body = await download()

    assert _data(body)["endpoint"]["address"] == address
    assert "8.8.8.8" not in body
    assert "gateway.example" not in body


@pytest.mark.parametrize(
    ("more", "trust"),
    [
        ({CONF_FINGERPRINT: "ab" * 32}, "fingerprint"),
        ({CONF_CA_CERTIFICATE: "canary-pem"}, "ca"),
        ({}, "system"),
    ],
)
async def test_a_certificate_is_shown_by_what_it_is_known_by(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    download: Download,
    more: dict[str, str],
    trust: str,
) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    data = {**entry.data, CONF_SSL: True, **more}
    hass.config_entries.async_update_entry(entry, data=data)

    body = await download()

    assert _data(body)["endpoint"]["trust"] == trust
    assert not [value for value in more.values() if value in body]


async def test_a_device_shows_its_slice(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "diagnostics", {})
    await hass.async_block_till_done()
    device = gateway_device(hass, entry)
    url = f"/api/diagnostics/config_entry/{entry.entry_id}/device/{device.id}"

    response = await (await hass_client()).get(url)

    data = _data(await response.text())
    assert set(data) == {"versions", "entry", "endpoint", "connection", "entities"}
    shown = {entity["domain"] for entity in data["entities"]}
    assert shown >= {"binary_sensor", "button", "event", "sensor"}
