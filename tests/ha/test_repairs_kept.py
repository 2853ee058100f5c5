"""Ignored and hidden repair issues."""

from collections.abc import Awaitable, Callable
from functools import partial

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.gateway import (
    AddressClass,
    InvalidTokenError,
    endpoint as endpoints,
)
from tests.simulator import GatewaySimulator, Refusal

from .issue_causes import allow_insecure, client_of, reconnect, restore, wrong_clock
from .repair import open_issues
from .states import CONNECTIVITY, wait_for_state

type Reload = Callable[[], Awaitable[bool]]


@pytest.fixture
async def reload(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> Reload:
    """Return a function to reload with an ignored issue."""
    reload = partial(hass.config_entries.async_reload, entry.entry_id)
    wrong_clock(gateway)
    await reload()
    assert not _ignored(hass, "clock_skew")
    _ignore(hass, "clock_skew")
    return reload


async def test_what_is_ignored_stays_so_over_reloads_until_it_is_looked_at_again(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    reload: Reload,
) -> None:
    for _ in range(2):
        await reload()
        assert _ignored(hass, "clock_skew")

    _ignore(hass, "clock_skew", ignore=False)
    await reconnect(hass, entry, gateway)
    assert not _ignored(hass, "clock_skew")
    await reload()
    assert not _ignored(hass, "clock_skew")


async def test_what_was_ignored_is_shown_when_it_comes_again(
    hass: HomeAssistant, gateway: GatewaySimulator, reload: Reload
) -> None:
    restore(gateway)
    await reload()
    assert open_issues(hass) == {}

    wrong_clock(gateway)
    await reload()

    assert not _ignored(hass, "clock_skew")


async def test_what_is_ignored_stays_so_over_a_set_up_that_is_refused(
    hass: HomeAssistant, gateway: GatewaySimulator, reload: Reload
) -> None:
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
    await allow_insecure(hass, entry)
    wrong_clock(gateway)
    with monkeypatch.context() as patch:
        patch.setattr(endpoints, "address_class", lambda _: AddressClass.PUBLIC)
        await reconnect(hass, entry, gateway)
    assert set(open_issues(hass)) == {"clock_skew", "insecure_transport"}
    _ignore(hass, "clock_skew")
    _ignore(hass, "insecure_transport")

    gateway.refuse(Refusal.TOKEN_MISMATCH)
    with pytest.raises(InvalidTokenError):
        await reconnect(hass, entry, gateway)
    assert _ignored(hass, "clock_skew")
    assert _ignored(hass, "insecure_transport")

    gateway.refuse(None)
    restore(gateway)
    client_of(entry).resume()
    await wait_for_state(hass, CONNECTIVITY, "on")
    assert open_issues(hass) == {}


def _ignore(hass: HomeAssistant, key: str, *, ignore: bool = True) -> None:
    """Choose in the list of repairs to ignore an issue, or to see it again."""
    issue_id = open_issues(hass)[key].issue_id
    ir.async_ignore_issue(hass, DOMAIN, issue_id, ignore)


def _ignored(hass: HomeAssistant, key: str) -> bool:
    return open_issues(hass)[key].dismissed_version is not None
