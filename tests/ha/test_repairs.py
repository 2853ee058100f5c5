"""Repair issues of the connection: they come and go with their cause."""

from collections.abc import Callable
from functools import partial

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import DOMAIN as HOMEASSISTANT, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import CONF_ALLOW_INSECURE, DOMAIN
from custom_components.clawd.gateway import (
    AddressClass,
    GatewayClient,
    InvalidTokenError,
    PairingRequiredError,
    UnsupportedProtocolError,
    endpoint as endpoints,
)
from tests.simulator import GatewaySimulator, Refusal

from .repair import Repair, open_issues, texts_of
from .states import CONNECTIVITY, wait_for_state

type Cause = Callable[[GatewaySimulator], None]


def _client(entry: MockConfigEntry) -> GatewayClient:
    client: GatewayClient = entry.runtime_data.client
    return client


async def _reconnect(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    """Drop the connection and wait for what the next attempt comes to."""
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await _client(entry).wait_connected()


async def _allow_insecure(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    allowed = {CONF_ALLOW_INSECURE: True}
    hass.config_entries.async_update_entry(entry, options=allowed)
    await hass.config_entries.async_reload(entry.entry_id)


async def _set_up(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigEntryState:
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry.state


def unapproved(gateway: GatewaySimulator) -> None:
    """Demand approval."""
    gateway.pairing = True
    gateway.devices.approved.clear()


def from_the_future(gateway: GatewaySimulator) -> None:
    """Choose a protocol that is too new."""
    gateway.edit("hello-ok", lambda hello: hello.update(protocol=5))


def from_the_past(gateway: GatewaySimulator) -> None:
    """Choose a protocol that is too old."""
    gateway.edit("hello-ok", lambda hello: hello.update(protocol=2))


def wrong_clock(gateway: GatewaySimulator) -> None:
    """Be 130 seconds ahead."""
    gateway.clock_shift_ms = 130_000


def healed(gateway: GatewaySimulator) -> None:
    """Be as a Gateway should be."""
    gateway.pairing = False
    gateway.clock_shift_ms = 0
    gateway.edit("hello-ok", lambda _: None)


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.usefixtures("entry")
async def test_a_healthy_system_has_none(hass: HomeAssistant) -> None:
    assert open_issues(hass) == {}


@pytest.mark.parametrize(
    ("cause", "key", "text"),
    [
        (unapproved, "pairing_required", "devices approve "),
        (from_the_future, "protocol_too_new", "version 5"),
        (from_the_past, "protocol_too_old", "version 2"),
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
        (from_the_future, "protocol_too_new", UnsupportedProtocolError),
        (from_the_past, "protocol_too_old", UnsupportedProtocolError),
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
            await _reconnect(hass, entry, gateway)
    else:
        await _reconnect(hass, entry, gateway)
    assert set(open_issues(hass)) == {key}

    healed(gateway)
    if error:
        _client(entry).resume()
        await wait_for_state(hass, CONNECTIVITY, "on")
    else:
        await _reconnect(hass, entry, gateway)

    assert open_issues(hass) == {}


@pytest.mark.parametrize("cause", [unapproved, from_the_future, wrong_clock])
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


async def test_what_is_ignored_stays_so_over_reloads_until_it_is_looked_at_again(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    wrong_clock(gateway)
    reload = partial(hass.config_entries.async_reload, entry.entry_id)
    await reload()
    assert not _ignored(hass, "clock_skew")

    _ignore(hass, "clock_skew")
    for _ in range(2):
        await reload()
        assert _ignored(hass, "clock_skew")

    _ignore(hass, "clock_skew", ignore=False)
    await _reconnect(hass, entry, gateway)
    assert not _ignored(hass, "clock_skew")
    await reload()
    assert not _ignored(hass, "clock_skew")


async def test_what_was_ignored_is_shown_when_it_comes_again(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    reload = partial(hass.config_entries.async_reload, entry.entry_id)
    wrong_clock(gateway)
    await reload()
    _ignore(hass, "clock_skew")
    healed(gateway)
    await reload()
    assert open_issues(hass) == {}

    wrong_clock(gateway)
    await reload()

    assert not _ignored(hass, "clock_skew")


async def test_what_is_ignored_stays_so_over_a_set_up_that_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    reload = partial(hass.config_entries.async_reload, entry.entry_id)
    wrong_clock(gateway)
    await reload()
    _ignore(hass, "clock_skew")
    gateway.refuse(Refusal.TOKEN_MISMATCH)
    assert not await reload()

    gateway.refuse(None)
    assert await reload()

    assert _ignored(hass, "clock_skew")


async def test_a_pause_says_nothing_of_what_only_a_connection_shows(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await _allow_insecure(hass, entry)
    wrong_clock(gateway)
    with monkeypatch.context() as patch:
        patch.setattr(endpoints, "address_class", lambda _: AddressClass.PUBLIC)
        await _reconnect(hass, entry, gateway)
    assert set(open_issues(hass)) == {"clock_skew", "insecure_transport"}
    _ignore(hass, "clock_skew")
    _ignore(hass, "insecure_transport")

    gateway.refuse(Refusal.TOKEN_MISMATCH)
    with pytest.raises(InvalidTokenError):
        await _reconnect(hass, entry, gateway)
    assert _ignored(hass, "clock_skew")
    assert _ignored(hass, "insecure_transport")

    gateway.refuse(None)
    healed(gateway)
    _client(entry).resume()
    await wait_for_state(hass, CONNECTIVITY, "on")
    assert open_issues(hass) == {}


def _ignore(hass: HomeAssistant, key: str, *, ignore: bool = True) -> None:
    """Choose in the list of repairs to ignore an issue, or to see it again."""
    issue_id = open_issues(hass)[key].issue_id
    ir.async_ignore_issue(hass, DOMAIN, issue_id, ignore)


def _ignored(hass: HomeAssistant, key: str) -> bool:
    return open_issues(hass)[key].dismissed_version is not None


@pytest.mark.parametrize(
    ("cause", "key"),
    [
        (unapproved, "pairing_required"),
        (from_the_future, "protocol_too_new"),
        (from_the_past, "protocol_too_old"),
        (wrong_clock, "clock_skew"),
    ],
)
async def test_its_dialogue_tries_again_until_it_is_mended(  # noqa: PLR0913, PLR0917 - the row of the table
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
    assert step["errors"] == {"base": "not_mended"}
    assert step["description_placeholders"]["title"] == new_entry.title

    healed(gateway)
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
    await _reconnect(hass, entry, gateway)
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
    await _allow_insecure(hass, entry)
    with monkeypatch.context() as patch:
        patch.setattr(endpoints, "address_class", lambda _: AddressClass.PUBLIC)
        await _reconnect(hass, entry, gateway)

        issue = open_issues(hass)["insecure_transport"]
        assert issue.severity is ir.IssueSeverity.WARNING
        assert not issue.is_fixable
        assert entry.title in await texts_of(hass, issue)

    await _reconnect(hass, entry, gateway)
    assert open_issues(hass) == {}


async def test_a_wrong_token_is_left_to_home_assistants_own_issue(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.refuse(Refusal.TOKEN_MISMATCH)

    with pytest.raises(InvalidTokenError):
        await _reconnect(hass, entry, gateway)
    await hass.async_block_till_done()

    assert open_issues(hass) == {}
    own = f"config_entry_reauth_clawd_{entry.entry_id}"
    assert ir.async_get(hass).async_get_issue(HOMEASSISTANT, own)


async def test_a_missing_approval_starts_no_reauthentication(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    unapproved(gateway)

    with pytest.raises(PairingRequiredError):
        await _reconnect(hass, entry, gateway)
    await hass.async_block_till_done()

    assert hass.config_entries.flow.async_progress() == []


async def test_no_secret_gets_into_an_issue(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    token = gateway.token
    unapproved(gateway)
    gateway.edit("refusal", lambda error: error["details"].update(requestId=token))

    with pytest.raises(PairingRequiredError):
        await _reconnect(hass, entry, gateway)

    issue = open_issues(hass)["pairing_required"]
    assert token not in str(issue)
    assert "WITHHELD" in str(issue.translation_placeholders)
