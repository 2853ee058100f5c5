"""Diagnostics of edited entries."""

from collections.abc import Iterator
from contextlib import contextmanager
import json
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd import diagnostics, selftest
from custom_components.clawd.diagnostics import (
    async_get_config_entry_diagnostics,
    async_get_device_diagnostics,
)
from custom_components.clawd.diagnostics_data import SECTIONS
from custom_components.clawd.diagnostics_data.values import MAX_DEPTH
from custom_components.clawd.runtime.report_history import async_stored_reports
from custom_components.clawd.validation import (
    AGENT_SETTINGS,
    OPTIONAL,
    OPTIONS,
    REQUIRED,
)

from .devices import gateway_device

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3)
    ),
    max_leaves=6,
)


def _settings(*keys: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return settings of which any may be missing, of any type, or another's."""
    names = st.sampled_from(keys) | ANY_TEXT
    return st.dictionaries(names, JSON, max_size=len(keys))


DATA = _settings(*REQUIRED, *OPTIONAL)
AGENT = _settings(*AGENT_SETTINGS)
EDITED = pytest.mark.usefixtures("entry")
examples = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@contextmanager
def _edited(
    entry: MockConfigEntry, data: object, options: object, agent: object
) -> Iterator[None]:
    """Edit an entry as in the file, past what Home Assistant allows at run time."""
    subentries: list[ConfigSubentry] = list(entry.subentries.values())
    before: list[tuple[Any, str, Any]] = [
        (entry, "data", entry.data),
        (entry, "options", entry.options),
    ]
    after: list[tuple[Any, str, Any]] = [
        (entry, "data", data),
        (entry, "options", options),
    ]
    before += [(subentry, "data", subentry.data) for subentry in subentries]
    after += [(subentry, "data", agent) for subentry in subentries]
    for target, name, value in after:
        object.__setattr__(target, name, MappingProxyType(value))
    try:
        yield
    finally:
        for target, name, value in before:
            object.__setattr__(target, name, value)


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    elif isinstance(value, str) or (value and not isinstance(value, bool)):
        yield str(value)


def _assert_whole(sections: dict[str, Any], data: dict[str, Any]) -> None:
    """Assert that a document is one, and without the secrets of the data."""
    text = json.dumps(sections, allow_nan=False)
    secrets = {*_leaves(data.get("token")), *_leaves(data.get("password"))}
    # A token that is a word of the document is in it.
    secrets -= {
        secret for secret in secrets if len(secret) < 8 or secret.isidentifier()
    }
    assert not [secret for secret in secrets if json.dumps(secret)[1:-1] in text]
    assert not [section for section in sections.values() if _failed(section)]


def _failed(section: object) -> bool:
    return isinstance(section, dict) and set(section) == {"error"}


@given(data=DATA, options=_settings(*OPTIONS), agent=AGENT)
@examples
async def test_no_edited_entry_keeps_diagnostics_from_a_loaded_one(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    data: dict[str, Any],
    options: dict[str, Any],
    agent: dict[str, Any],
) -> None:
    device = gateway_device(hass, entry)
    with _edited(entry, data, options, agent):
        whole = await async_get_config_entry_diagnostics(hass, entry)
        slice_ = await async_get_device_diagnostics(hass, entry, device)

    assert list(whole) == list(SECTIONS)
    _assert_whole(whole, data)
    _assert_whole(slice_, data)


@given(data=DATA, options=_settings(*OPTIONS), agent=AGENT)
@examples
async def test_no_edited_entry_keeps_diagnostics_from_one_that_is_not_loaded(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    data: dict[str, Any],
    options: dict[str, Any],
    agent: dict[str, Any],
) -> None:
    with _edited(new_entry, data, options, agent):
        whole = await async_get_config_entry_diagnostics(hass, new_entry)

    assert list(whole) == list(SECTIONS)
    _assert_whole(whole, data)


@given(data=DATA, options=_settings(*OPTIONS), agent=AGENT)
@settings(parent=examples, max_examples=50)
async def test_an_edited_entry_is_set_up_or_named(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    data: dict[str, Any],
    options: dict[str, Any],
    agent: dict[str, Any],
) -> None:
    """A field that is wrong is named, or the address does not answer."""
    edited = {**data, "host": "127.0.0.1", "port": 9, "ssl": False}
    with _edited(new_entry, edited, options, agent):
        await hass.config_entries.async_setup(new_entry.entry_id)
        key = new_entry.error_reason_translation_key
        field = new_entry.error_reason_translation_placeholders
        await hass.config_entries.async_unload(new_entry.entry_id)

    assert key in {"invalid_entry", "cannot_connect"}
    assert key != "invalid_entry" or set(field or {}) == {"field"}


@pytest.mark.parametrize("stored", [None, [], {"reports": [{"checks": 7}]}, "text"])
async def test_stored_reports_of_any_kind_are_shown_or_left_out(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    stored: object,
) -> None:
    key = f"clawd.self_tests.{new_entry.entry_id}"
    hass_storage[key] = {"version": 1, "key": key, "data": stored}

    whole = await async_get_config_entry_diagnostics(hass, new_entry)

    assert whole["self_test"] is None


async def test_reports_that_cannot_be_loaded_cost_their_section_only(
    hass: HomeAssistant, new_entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(diagnostics, "async_stored_reports", fail)

    whole: dict[str, Any] = await async_get_config_entry_diagnostics(hass, new_entry)

    assert whole["self_test"] is None
    assert whole["entry"]["state"] == "not_loaded"
    assert await async_stored_reports(hass, new_entry) == ()


async def test_suspects_that_cannot_be_found_cost_their_section_only(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(selftest, "async_find_suspects", fail)

    whole: dict[str, Any] = await async_get_config_entry_diagnostics(hass, entry)

    assert whole["suspects"] == ["(RuntimeError)"]
    assert whole["entry"]["state"] == "loaded"


async def test_a_value_of_another_kind_is_shown_by_its_type(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    agent = {"idle_timeout": {"a": "canary"}, "session_scope": "canary", "agent": []}
    options = {"keep_run": float("nan"), "trace_length": "canary", "canary": 1}
    with _edited(entry, {"host": 7}, options, agent):
        whole: dict[str, Any] = await async_get_config_entry_diagnostics(hass, entry)

    shown = whole["settings"]
    assert shown["options"] == {"keep_run": "nan", "trace_length": "(str)"}
    assert shown["other_options"] == 1
    [settings_of_agent] = shown["agents"]
    assert settings_of_agent["idle_timeout"] == "(dict)"
    assert settings_of_agent["session_scope"] == "(str)"
    assert settings_of_agent["known"] is False
    assert whole["endpoint"]["address"] == "(int)"
    assert "canary" not in json.dumps(whole)


async def test_a_document_is_not_deeper_than_readers_take(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    deep: Any = "bottom"
    for _ in range(MAX_DEPTH + 5):
        deep = [deep]
    report = {"checks": [], "deep": deep}
    entry.runtime_data.reports._reports.append(report)  # noqa: SLF001 - as stored

    whole = await async_get_config_entry_diagnostics(hass, entry)

    assert "bottom" not in json.dumps(whole)
    assert "(list)" in json.dumps(whole)


async def test_values_that_are_not_json_are_shown_by_their_type(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        SECTIONS, "entry", lambda _: {"bytes": b"x", "endless": float("inf")}
    )

    whole: dict[str, Any] = await async_get_config_entry_diagnostics(hass, entry)

    assert whole["entry"] == {"bytes": "(bytes)", "endless": "inf"}
