"""Validation of edited entries."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.flows.agent_schema import DEFAULTS
from tests.simulator import GatewaySimulator, Reply

from .assist_client import Conversation, speech
from .repair import open_issues

FINGERPRINT = "ab" * 32
MISSING: Any = object()


def _with(stored: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    changed = {**stored, key: value}
    if value is MISSING:
        del changed[key]
    return changed


async def _set_up(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigEntryState:
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry.state


@pytest.mark.parametrize("value", [None, MISSING, 5.5, True, [], {}, ""])
@pytest.mark.parametrize("key", ["host", "port", "ssl"])
async def test_an_address_that_is_not_whole_is_named(
    hass: HomeAssistant, new_entry: MockConfigEntry, key: str, value: object
) -> None:
    if key == "ssl" and value is True:
        value = "yes"
    hass.config_entries.async_update_entry(
        new_entry, data=_with(dict(new_entry.data), key, value)
    )

    assert await _set_up(hass, new_entry) is ConfigEntryState.SETUP_ERROR

    assert new_entry.error_reason_translation_key == "invalid_entry"
    assert new_entry.error_reason_translation_placeholders == {"field": key}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("token", 5.5),
        ("token", ["a"]),
        ("token", True),
        ("password", {"a": "b"}),
        ("path", 5.5),
        ("port", 0),
        ("port", 65_536),
        ("port", "many"),
        ("port", float("inf")),
        ("fingerprint", "ab"),
        ("fingerprint", 7),
        ("fingerprint", ""),
        ("ca_certificate", "no certificate"),
        ("ca_certificate", 7),
    ],
)
async def test_what_is_needed_to_connect_safely_is_named(
    hass: HomeAssistant, new_entry: MockConfigEntry, key: str, value: object
) -> None:
    hass.config_entries.async_update_entry(
        new_entry, data={**new_entry.data, key: value}
    )

    assert await _set_up(hass, new_entry) is ConfigEntryState.SETUP_ERROR

    assert new_entry.error_reason_translation_placeholders == {"field": key}


async def test_a_certificate_that_openssl_cannot_read_is_named(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    data = {**new_entry.data, "ssl": True, "ca_certificate": pem}
    hass.config_entries.async_update_entry(new_entry, data=data)

    assert await _set_up(hass, new_entry) is ConfigEntryState.SETUP_ERROR

    field = {"field": "ca_certificate"}
    assert new_entry.error_reason_translation_placeholders == field


@pytest.mark.parametrize(
    ("key", "value", "repaired"),
    [
        ("port", str, int),
        ("port", float, int),
        ("token", int, str),
        ("fingerprint", None, MISSING),
        ("ca_certificate", None, MISSING),
        ("password", None, MISSING),
        ("path", "proxy/", "/proxy/"),
        ("path", "", ""),
        ("fingerprint", FINGERPRINT.upper(), FINGERPRINT),
    ],
)
async def test_data_are_repaired_where_nothing_is_lost(  # noqa: PLR0913, PLR0917 - the row
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    key: str,
    value: Any,  # noqa: ANN401 - JSON, or what makes another type of it
    repaired: Any,  # noqa: ANN401 - the same
) -> None:
    gateway.token = "1234567890123"
    data = {**new_entry.data, "token": gateway.token}
    before = data.get(key)
    data[key] = value(before) if isinstance(value, type) else value
    hass.config_entries.async_update_entry(new_entry, data=data)

    # The simulator takes any path, and a fingerprint means nothing without TLS.
    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    expected = before if isinstance(repaired, type) else repaired
    assert new_entry.data.get(key, MISSING) == expected
    assert type(new_entry.data.get(key, MISSING)) is type(expected)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("self_test_schedule", "hourly"),
        ("self_test_schedule", ["daily"]),
        ("keep_run", "long"),
        ("keep_run", -1),
        ("keep_run", None),
        ("trace_length", 1e300),
        ("trace_length", {}),
        ("allow_insecure", "true"),
        ("allow_insecure", 1),
        ("quiet_start", "25:00"),
        ("quiet_end", 7),
        ("quiet_end", None),
    ],
)
async def test_options_that_are_wrong_fall_back_to_their_defaults(
    hass: HomeAssistant, new_entry: MockConfigEntry, key: str, value: object
) -> None:
    hass.config_entries.async_update_entry(
        new_entry, options={"keep_run": 60, key: value, "of_another_version": 1}
    )

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    assert key not in new_entry.options
    assert new_entry.options["of_another_version"] == 1


async def test_numbers_that_are_texts_are_read(
    hass: HomeAssistant, new_entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    hass.config_entries.async_update_entry(
        new_entry,
        options={"keep_run": "60", "trace_length": 50.0, "quiet_start": "22:00"},
    )
    [subentry] = new_entry.subentries.values()
    hass.config_entries.async_update_subentry(
        new_entry, subentry, data={**subentry.data, "deadline": "900"}
    )

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    hours = {"quiet_start": "22:00:00"}
    assert new_entry.options == {"keep_run": 60, "trace_length": 50, **hours}
    [subentry] = new_entry.subentries.values()
    assert subentry.data["deadline"] == 900
    names = "keep_run, trace_length, quiet_start, deadline"
    assert f"Stored settings were not valid and are repaired: {names}" in caplog.text


@pytest.mark.parametrize("value", [None, MISSING, 1e300, "x" * 9, [], {"a": 1}])
@pytest.mark.parametrize("key", DEFAULTS)
async def test_agents_are_repaired_and_answer(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    key: str,
    value: object,
) -> None:
    if key == "instructions" and isinstance(value, str):
        value = 1e300
    [subentry] = new_entry.subentries.values()
    hass.config_entries.async_update_subentry(
        new_entry, subentry, data=_with(dict(subentry.data), key, value)
    )
    gateway.script(Reply("It is on."))

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    [subentry] = new_entry.subentries.values()
    assert subentry.data[key] == DEFAULTS[key]
    assert speech(await Conversation(hass).say("Is it on?")) == "It is on."


@pytest.mark.parametrize("key", ["model", "thinking", "session_name"])
async def test_optional_settings_of_an_agent_are_dropped(
    hass: HomeAssistant, new_entry: MockConfigEntry, key: str
) -> None:
    [subentry] = new_entry.subentries.values()
    hass.config_entries.async_update_subentry(
        new_entry, subentry, data={**subentry.data, key: {"a": 1}}
    )

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    [subentry] = new_entry.subentries.values()
    assert key not in subentry.data


@pytest.mark.parametrize("value", [None, MISSING, {}])
async def test_an_agent_without_an_id_is_named_in_a_repair(
    hass: HomeAssistant, new_entry: MockConfigEntry, value: object
) -> None:
    [subentry] = new_entry.subentries.values()
    hass.config_entries.async_update_subentry(
        new_entry, subentry, data=_with(dict(subentry.data), "agent", value)
    )

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    assert set(open_issues(hass)) == {"agent_deleted"}


async def test_what_is_right_is_left_as_it_is(
    hass: HomeAssistant, new_entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    [subentry] = new_entry.subentries.values()
    seconds = {"idle_timeout": 301.0, "deadline": 601.0}
    hass.config_entries.async_update_subentry(
        new_entry, subentry, data={**subentry.data, **seconds}
    )
    before = dict(new_entry.data), dict(new_entry.options)
    settings = {**subentry.data, **seconds}

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    assert (dict(new_entry.data), dict(new_entry.options)) == before
    [subentry] = new_entry.subentries.values()
    assert dict(subentry.data) == settings
    assert type(subentry.data["deadline"]) is float
    assert "Stored settings" not in caplog.text


async def test_an_entry_that_is_broken_can_be_reconfigured(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    hass.config_entries.async_update_entry(new_entry, data={"token": 7})
    assert await _set_up(hass, new_entry) is ConfigEntryState.SETUP_ERROR

    form = await new_entry.start_reconfigure_flow(hass)
    assert form["step_id"] == "reconfigure"
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"address": gateway.url, "token": gateway.token}
    )
    await hass.async_block_till_done()

    assert result["reason"] == "reconfigure_successful"
    assert new_entry.state is ConfigEntryState.LOADED


async def test_a_subentry_of_another_kind_is_left_as_it_is(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    [subentry] = new_entry.subentries.values()
    object.__setattr__(subentry, "subentry_type", "of_another_version")
    object.__setattr__(subentry, "data", {"agent": "main", "mode": 7})

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    [subentry] = new_entry.subentries.values()
    assert dict(subentry.data) == {"agent": "main", "mode": 7}
