"""Additional headers in the options."""

import json
import logging
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import CONF_HEADERS
from custom_components.clawd.flows.headers import HIDDEN
from custom_components.clawd.gateway import GatewayError
from tests.simulator import GatewaySimulator, Refusal

from .downloads import Download, forms
from .flows import placeholder, suggested_values
from .issue_causes import client_of, reconnect
from .repair import open_issues, texts_of
from .self_test import problems, run_self_test
from .states import CONNECTIVITY, wait_for_state

ID, SECRET = "CF-Access-Client-Id", "CF-Access-Client-Secret"
HEADERS = {ID: "4f2c81.access", SECRET: "s3cr3t-of-the-service"}
LINES = [f"{name}: {value}" for name, value in HEADERS.items()]
CHOSEN = {
    "self_test_schedule": "weekly",
    "keep_run": 60,
    "trace_length": 3,
    "ask_questions": False,
    "warm_up": True,
    "allow_insecure": False,
}


async def _choose(
    hass: HomeAssistant, entry: MockConfigEntry, **options: object
) -> Any:  # noqa: ANN401 - a flow result
    form = await hass.config_entries.options.async_init(entry.entry_id)
    return await hass.config_entries.options.async_configure(form["flow_id"], options)


async def test_headers_of_the_options_are_sent_with_the_upgrade(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.service_token = HEADERS

    result = await _choose(hass, entry, **CHOSEN, headers=LINES)
    await hass.async_block_till_done()

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {**CHOSEN, CONF_HEADERS: HEADERS}
    assert entry.state is ConfigEntryState.LOADED
    assert gateway.upgrades[-1].items() >= HEADERS.items()


async def test_the_form_hides_the_values_and_keeps_them(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await _choose(hass, entry, headers=LINES)
    form: Any = await hass.config_entries.options.async_init(entry.entry_id)

    hidden = [f"{ID}: {HIDDEN}", f"{SECRET}: {HIDDEN}"]
    assert suggested_values(form)[CONF_HEADERS] == hidden
    assert HEADERS[SECRET] not in str(suggested_values(form))
    await _choose(hass, entry, headers=hidden)
    assert entry.options[CONF_HEADERS] == HEADERS

    await _choose(hass, entry, headers=[f"{ID}: {HIDDEN}", "X-New: a-new-value"])
    assert entry.options[CONF_HEADERS] == {ID: HEADERS[ID], "X-New": "a-new-value"}
    await _choose(hass, entry, headers=[])
    assert CONF_HEADERS not in entry.options


async def test_a_header_that_may_not_be_sent_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    form = await _choose(hass, entry, **CHOSEN, headers=[LINES[0], "X-A: a\r\nX-B: c"])

    assert form["errors"] == {CONF_HEADERS: "invalid_header"}
    assert placeholder(form, "line") == "2"
    assert suggested_values(form)["keep_run"] == 60
    assert dict(entry.options) == {}


@pytest.fixture
async def with_headers(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> MockConfigEntry:
    """Set up an entry with headers."""
    gateway.service_token = HEADERS
    options = {CONF_HEADERS: HEADERS}
    hass.config_entries.async_update_entry(new_entry, options=options)
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()
    return new_entry


def _is_shown(text: str) -> list[str]:
    return [form for value in HEADERS.values() for form in forms(value) if form in text]


async def test_diagnostics_tell_how_many_there_are_and_nothing_else(
    with_headers: MockConfigEntry, download: Download
) -> None:
    body = await download()

    settings = json.loads(body)["data"]["settings"]
    assert settings["headers"] == 2
    assert settings["other_options"] == 0
    assert _is_shown(body) == []
    assert ID not in body
    assert REDACTED not in str(settings)
    assert with_headers.state is ConfigEntryState.LOADED


async def test_a_value_that_the_gateway_repeats_is_not_shown(
    hass: HomeAssistant,
    with_headers: MockConfigEntry,
    gateway: GatewaySimulator,
    download: Download,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = HEADERS[SECRET]
    gateway.edit("hello-ok", lambda hello: hello["server"].update(version=secret))
    await reconnect(hass, with_headers, gateway)
    [connection] = gateway.connections
    await connection.websocket.close(1008, f"wrong header: {secret}")
    await wait_for_state(hass, CONNECTIVITY, "off")
    await client_of(with_headers).wait_connected()

    body = await download()
    report = await run_self_test(hass)

    assert _is_shown(body) == []
    assert _is_shown(json.dumps(report)) == []
    # The check looks at what would be shown without the redaction.
    assert problems(report)["redaction"] == "fail"
    ours = [r for r in caplog.records if not r.name.startswith("websockets.server")]
    assert _is_shown("\n".join(record.getMessage() for record in ours)) == []


async def test_a_leaked_value_is_found_by_the_self_test(
    hass: HomeAssistant,
    with_headers: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "custom_components.clawd.diagnostics_data.system.VERSION", HEADERS[SECRET]
    )

    report = await run_self_test(hass)

    assert problems(report) == {"redaction": "fail"}
    assert with_headers.state is ConfigEntryState.LOADED


async def test_a_value_is_in_no_repair_and_no_exception(
    hass: HomeAssistant, with_headers: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.refuse(Refusal.PAIRING)
    gateway.devices.approved.clear()
    gateway.edit(
        "refusal",
        lambda error: error["details"].update(requestId=HEADERS[SECRET]),
    )
    with pytest.raises(GatewayError) as caught:
        await reconnect(hass, with_headers, gateway)

    [issue] = open_issues(hass).values()
    assert _is_shown(await texts_of(hass, issue)) == []
    assert _is_shown(f"{caught.value} {client_of(with_headers).endpoint!r}") == []
    assert isinstance(issue, ir.IssueEntry)


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        (HEADERS, HEADERS),
        ({**HEADERS, "Host": "elsewhere", "X-A": "a\r\nb", "X-B": 7}, HEADERS),
        ({"Host": "elsewhere"}, None),
        (LINES, None),
        ("X-A: b", None),
        (7, None),
        (None, None),
    ],
)
async def test_headers_that_were_edited_by_hand_are_repaired(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    download: Download,
    stored: object,
    kept: object,
) -> None:
    options = {CONF_HEADERS: stored}
    hass.config_entries.async_update_entry(new_entry, options=options)

    assert await hass.config_entries.async_setup(new_entry.entry_id)

    assert new_entry.options.get(CONF_HEADERS) == kept
    assert _is_shown(await download()) == []
