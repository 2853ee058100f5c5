"""Entries that earlier versions wrote."""

from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import DOMAIN
from tests.simulator import GatewaySimulator

from .devices import agent_device, gateway_device

PRIVATE_KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture
def old_data() -> dict[str, Any]:
    """Return additional entry data."""
    return {}


@pytest.fixture
async def old_entry(
    hass: HomeAssistant, gateway: GatewaySimulator, old_data: dict[str, Any]
) -> MockConfigEntry:
    """Add an entry as version 1.1 wrote it, with its device and its agent."""
    assert await async_setup_component(hass, "homeassistant", {})
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="OpenClaw Gateway",
        version=1,
        minor_version=1,
        data={
            "host": gateway.host,
            "port": gateway.port,
            "ssl": False,
            "token": gateway.token,
            **old_data,
        },
        options={"self_test_schedule": "daily"},
    )
    entry.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, entry.entry_id)},
        name="OpenClaw Gateway",
    )
    er.async_get(hass).async_get_or_create(
        "conversation",
        DOMAIN,
        f"{entry.entry_id}_conversation",
        config_entry=entry,
        device_id=device.id,
        suggested_object_id="jeeves",
    )
    return entry


async def _set_up(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigEntryState:
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry.state


@pytest.mark.parametrize(
    ("old_data", "consent"), [({}, False), ({"allow_insecure": True}, True)]
)
async def test_the_consent_moves_to_the_options(
    hass: HomeAssistant, old_entry: MockConfigEntry, *, consent: bool
) -> None:
    assert await _set_up(hass, old_entry) is ConfigEntryState.LOADED

    assert (old_entry.version, old_entry.minor_version) == (1, 7)
    assert "allow_insecure" not in old_entry.data
    assert old_entry.options == {
        "self_test_schedule": "daily",
        "allow_insecure": consent,
    }


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        (f"O=Müller\n{PRIVATE_KEY}{CERTIFICATE}", {"ca_certificate": CERTIFICATE}),
        (PRIVATE_KEY, {}),
    ],
)
async def test_a_private_key_that_was_pasted_with_a_ca_is_forgotten(
    hass: HomeAssistant, new_entry: MockConfigEntry, pasted: str, kept: dict[str, str]
) -> None:
    before = dict(new_entry.data)
    data = {**before, "ca_certificate": pasted}
    hass.config_entries.async_update_entry(new_entry, data=data, minor_version=2)

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    assert dict(new_entry.data) == {**before, **kept, "offer_home": True}
    assert new_entry.minor_version == 7


async def test_the_idle_timeout_is_kept_under_its_new_name(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    [subentry] = new_entry.subentries.values()
    data = {k: v for k, v in subentry.data.items() if k != "idle_timeout"}
    hass.config_entries.async_update_subentry(
        new_entry, subentry, data={**data, "silence": 42}
    )
    hass.config_entries.async_update_entry(new_entry, minor_version=3)

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    [subentry] = new_entry.subentries.values()
    assert dict(subentry.data) == {**data, "idle_timeout": 42}
    assert new_entry.minor_version == 7


@pytest.mark.parametrize("protocol", [3, 4])
async def test_the_agent_keeps_its_entity_and_gets_a_device(
    hass: HomeAssistant, old_entry: MockConfigEntry
) -> None:
    assert await _set_up(hass, old_entry) is ConfigEntryState.LOADED

    [subentry] = old_entry.subentries.values()
    assert (subentry.title, subentry.data["agent"]) == ("OpenClaw Gateway", "main")
    entity = er.async_get(hass).async_get("conversation.jeeves")
    assert entity is not None
    assert entity.unique_id == entity.config_subentry_id == subentry.subentry_id
    assert entity.device_id == agent_device(hass, old_entry).id
    assert entity.device_id != gateway_device(hass, old_entry).id
    state = hass.states.get("conversation.jeeves")
    assert state is not None
    assert state.state == "unknown"


async def test_the_agent_is_called_as_its_device_was(
    hass: HomeAssistant, old_entry: MockConfigEntry
) -> None:
    device = gateway_device(hass, old_entry)
    dr.async_get(hass).async_update_device(device.id, name_by_user="Jeeves")

    await _set_up(hass, old_entry)

    [subentry] = old_entry.subentries.values()
    assert subentry.title == "Jeeves"


async def test_an_entry_that_was_never_set_up_gets_its_agent(
    hass: HomeAssistant, old_entry: MockConfigEntry
) -> None:
    er.async_get(hass).async_remove("conversation.jeeves")
    registry = dr.async_get(hass)
    registry.async_remove_device(gateway_device(hass, old_entry).id)

    assert await _set_up(hass, old_entry) is ConfigEntryState.LOADED

    [subentry] = old_entry.subentries.values()
    assert subentry.title == "OpenClaw Gateway"


@pytest.mark.parametrize("protocol", [3, 4])
async def test_an_entry_without_an_identity_gets_its_gateways(
    hass: HomeAssistant, old_entry: MockConfigEntry
) -> None:
    await _set_up(hass, old_entry)

    assert old_entry.unique_id == await old_entry.runtime_data.client.fetch_id()


async def test_a_gateway_that_does_not_say_who_it_is_is_not_set_up(
    hass: HomeAssistant, old_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.edit("gateway.identity.get", lambda payload: payload.clear())

    assert await _set_up(hass, old_entry) is not ConfigEntryState.LOADED

    assert old_entry.error_reason_translation_key == "protocol_error"


async def test_two_entries_of_a_gateway_do_not_share_its_identity(
    old_entry: MockConfigEntry, entry: MockConfigEntry
) -> None:
    assert old_entry.state is entry.state is ConfigEntryState.LOADED

    assert None in {old_entry.unique_id, entry.unique_id}
    assert old_entry.unique_id != entry.unique_id


async def test_an_entry_of_a_later_minor_version_is_used_as_it_is(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(new_entry, minor_version=8)

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED
    assert new_entry.minor_version == 8


async def test_an_entry_of_a_later_version_is_refused(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(new_entry, version=2)

    assert await _set_up(hass, new_entry) is ConfigEntryState.MIGRATION_ERROR


async def test_subentries_of_earlier_versions_get_what_they_lack(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    [agent] = new_entry.subentries.values()
    data = {k: v for k, v in agent.data.items() if k != "tool_progress"}
    hass.config_entries.async_update_subentry(new_entry, agent, data=data)
    for subentry_type in ("ai_task_data", "later"):
        subentry = ConfigSubentry(
            data=MappingProxyType({"agent": "main"}),
            subentry_type=subentry_type,
            title="Another",
            unique_id=None,
        )
        hass.config_entries.async_add_subentry(new_entry, subentry)
    hass.config_entries.async_update_entry(new_entry, minor_version=5)

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    assert new_entry.minor_version == 7
    assert [dict(subentry.data) for subentry in new_entry.subentries.values()] == [
        agent.data,
        {"agent": "main", "agent_tools": False, "deadline": agent.data["deadline"]},
        {"agent": "main"},
    ]


async def test_rights_come_to_agents_that_existed_and_memory_stays(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    [subentry] = new_entry.subentries.values()
    before = {k: v for k, v in subentry.data.items() if k != "permissions"}
    before["session_scope"] = "conversation"
    hass.config_entries.async_update_subentry(new_entry, subentry, data=before)
    hass.config_entries.async_update_entry(new_entry, minor_version=5)
    other = ConfigSubentry(
        data=MappingProxyType({"agent": "main"}),
        subentry_type="other",
        title="Other",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(new_entry, other)

    assert await _set_up(hass, new_entry) is ConfigEntryState.LOADED

    [subentry, kept] = new_entry.subentries.values()
    assert dict(subentry.data) == {**before, "permissions": "administrators"}
    assert dict(kept.data) == {"agent": "main"}
    assert new_entry.minor_version == 7


async def test_the_first_agent_keeps_its_memory(
    hass: HomeAssistant, old_entry: MockConfigEntry
) -> None:
    await _set_up(hass, old_entry)

    [subentry] = old_entry.subentries.values()
    assert subentry.data["session_scope"] == "conversation"
