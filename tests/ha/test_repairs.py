"""Repair issues of the connection."""

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import DOMAIN as HOMEASSISTANT, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.gateway import (
    AddressClass,
    InvalidTokenError,
    PairingRequiredError,
    UnsupportedProtocolError,
    endpoint as endpoints,
)
from tests.simulator import GatewaySimulator, Refusal

from .issue_causes import (
    Cause,
    allow_insecure,
    client_of,
    newer_protocol,
    older_protocol,
    reconnect,
    restore,
    unapproved,
    wrong_clock,
)
from .repair import Repair, open_issues, texts_of
from .states import CONNECTIVITY, wait_for_state


async def _set_up(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigEntryState:
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry.state


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.usefixtures("entry")
async def test_a_healthy_system_has_none(hass: HomeAssistant) -> None:
    assert open_issues(hass) == {}


@pytest.mark.parametrize(
    ("cause", "key", "text"),
    [
        (unapproved, "pairing_required", "devices approve "),
        (newer_protocol, "protocol_too_new", "version 5"),
        (older_protocol, "protocol_too_old", "version 2"),
        (wrong_clock, "clock_skew", "130 seconds"),
    ],
)
async def test_an_issue_says_what_is_wrong_from_the_set_up_on(  # noqa: PLR0913, PLR0917 - the row of the table
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    cause: Cause,
    key: str,
    text: str,
) -> None:
    cause(gateway)

    await _set_up(hass, new_entry)

    [(found, issue)] = open_issues(hass).items()
    assert found == key
    assert issue.is_fixable
    assert text in await texts_of(hass, issue)
    assert new_entry.title in await texts_of(hass, issue)


@pytest.mark.parametrize(
    ("cause", "key", "error"),
    [
        (unapproved, "pairing_required", PairingRequiredError),
        (newer_protocol, "protocol_too_new", UnsupportedProtocolError),
        (older_protocol, "protocol_too_old", UnsupportedProtocolError),
        (wrong_clock, "clock_skew", None),
    ],
)
async def test_an_issue_of_a_loaded_entry_comes_and_goes_with_its_cause(  # noqa: PLR0913, PLR0917 - the row of the table
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    cause: Cause,
    key: str,
    error: type[Exception] | None,
) -> None:
    cause(gateway)
    if error:
        with pytest.raises(error):
            await reconnect(hass, entry, gateway)
    else:
        await reconnect(hass, entry, gateway)
    assert set(open_issues(hass)) == {key}

    restore(gateway)
    if error:
        client_of(entry).resume()
        await wait_for_state(hass, CONNECTIVITY, "on")
    else:
        await reconnect(hass, entry, gateway)

    assert open_issues(hass) == {}


async def test_another_refusal_takes_the_place_of_the_first(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    unapproved(gateway)
    with pytest.raises(PairingRequiredError):
        await reconnect(hass, entry, gateway)
    assert set(open_issues(hass)) == {"pairing_required"}

    restore(gateway)
    newer_protocol(gateway)
    attempts = gateway.attempts
    client_of(entry).resume()
    await gateway.wait_until(lambda: gateway.attempts > attempts)
    with pytest.raises(UnsupportedProtocolError):
        await client_of(entry).wait_connected()

    assert set(open_issues(hass)) == {"protocol_too_new"}


@pytest.mark.parametrize("cause", [unapproved, newer_protocol, wrong_clock])
@pytest.mark.parametrize("end", ["unload", "disable", "remove"])
async def test_an_entry_that_is_not_loaded_any_more_has_no_issue(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    cause: Cause,
    end: str,
) -> None:
    cause(gateway)
    await _set_up(hass, new_entry)
    assert open_issues(hass)

    entries, entry_id = hass.config_entries, new_entry.entry_id
    if end == "unload":
        await entries.async_unload(entry_id)
    elif end == "disable":
        await entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    else:
        await entries.async_remove(entry_id)

    assert open_issues(hass) == {}


@pytest.mark.parametrize(
    ("cause", "key"),
    [
        (unapproved, "pairing_required"),
        (newer_protocol, "protocol_too_new"),
        (older_protocol, "protocol_too_old"),
        (wrong_clock, "clock_skew"),
    ],
)
async def test_its_dialogue_tries_again_until_it_is_fixed(  # noqa: PLR0913, PLR0917 - the row of the table
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    repair: Repair,
    cause: Cause,
    key: str,
) -> None:
    cause(gateway)
    await _set_up(hass, new_entry)

    step = await repair.open(new_entry, key)
    assert step["step_id"] == "confirm"
    assert step["description_placeholders"]["title"] == new_entry.title

    step = await repair.submit()
    assert step["errors"] == {"base": "not_fixed"}
    assert step["description_placeholders"]["title"] == new_entry.title

    restore(gateway)
    step = await repair.submit()
    assert step["type"] == FlowResultType.CREATE_ENTRY
    assert new_entry.state is ConfigEntryState.LOADED
    assert open_issues(hass) == {}


@pytest.mark.parametrize(("protocol", "program"), [(3, "clawdbot"), (4, "openclaw")])
async def test_the_command_approves_what_waits(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    repair: Repair,
    program: str,
) -> None:
    unapproved(gateway)
    assert await _set_up(hass, new_entry) is ConfigEntryState.SETUP_RETRY
    step = await repair.open(new_entry, "pairing_required")

    command = step["description_placeholders"]["command"]
    assert command.startswith(f"{program} devices approve ")
    gateway.approve(command.rpartition(" ")[2])

    assert (await repair.submit())["type"] == FlowResultType.CREATE_ENTRY
    assert new_entry.state is ConfigEntryState.LOADED


async def test_a_dialogue_does_not_end_while_nobody_answers(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    repair: Repair,
) -> None:
    wrong_clock(gateway)
    await reconnect(hass, entry, gateway)
    before = await repair.open(entry, "clock_skew")
    await gateway.suspend()

    step = await repair.submit()

    assert step["errors"] == {"base": "not_connected"}
    assert step["description_placeholders"] == before["description_placeholders"]


async def test_a_public_address_without_tls_is_a_warning(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await allow_insecure(hass, entry)
    with monkeypatch.context() as patch:
        patch.setattr(endpoints, "address_class", lambda _: AddressClass.PUBLIC)
        await reconnect(hass, entry, gateway)

        issue = open_issues(hass)["insecure_transport"]
        assert issue.severity is ir.IssueSeverity.WARNING
        assert not issue.is_fixable
        assert entry.title in await texts_of(hass, issue)

    await reconnect(hass, entry, gateway)
    assert open_issues(hass) == {}


async def test_a_wrong_token_is_left_to_home_assistants_own_issue(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.refuse(Refusal.TOKEN_MISMATCH)

    with pytest.raises(InvalidTokenError):
        await reconnect(hass, entry, gateway)
    await hass.async_block_till_done()

    assert open_issues(hass) == {}
    own = f"config_entry_reauth_clawd_{entry.entry_id}"
    assert ir.async_get(hass).async_get_issue(HOMEASSISTANT, own)


async def test_a_missing_approval_starts_no_reauthentication(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    unapproved(gateway)

    with pytest.raises(PairingRequiredError):
        await reconnect(hass, entry, gateway)
    await hass.async_block_till_done()

    assert hass.config_entries.flow.async_progress() == []


async def test_no_secret_gets_into_an_issue(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    token = gateway.token
    unapproved(gateway)
    gateway.edit("refusal", lambda error: error["details"].update(requestId=token))

    with pytest.raises(PairingRequiredError):
        await reconnect(hass, entry, gateway)

    issue = open_issues(hass)["pairing_required"]
    assert token not in str(issue)
    assert "REDACTED" in str(issue.translation_placeholders)
