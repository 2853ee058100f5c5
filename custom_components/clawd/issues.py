"""What a person can mend, as repair issues; each is gone when its cause is."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .const import CONF_AGENT, DOMAIN
from .errors import approval_placeholders
from .gateway import (
    MIN_PROTOCOL,
    AgentCatalogue,
    GatewayClient,
    GatewayError,
    Hello,
    PairingRequiredError,
    UnsupportedProtocolError,
)
from .redaction import withhold_texts
from .selftest.checks_connection import SKEW_FAIL

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Issue(StrEnum):
    """What can be wrong; the key of its texts."""

    PAIRING_REQUIRED = "pairing_required"
    PROTOCOL_TOO_OLD = "protocol_too_old"
    PROTOCOL_TOO_NEW = "protocol_too_new"
    CLOCK_SKEW = "clock_skew"
    INSECURE_TRANSPORT = "insecure_transport"
    AGENT_DELETED = "agent_deleted"
    SELF_TEST_FAILED = "self_test_failed"


CONNECTION_ISSUES: Final = (
    Issue.PAIRING_REQUIRED,
    Issue.PROTOCOL_TOO_OLD,
    Issue.PROTOCOL_TOO_NEW,
    Issue.CLOCK_SKEW,
    Issue.INSECURE_TRANSPORT,
)
# Of these, nothing is known without a connection.
WARNINGS: Final = (Issue.CLOCK_SKEW, Issue.INSECURE_TRANSPORT)

type Found = Mapping[Issue, Mapping[str, str]]

# What a person chose to ignore, in spite of the reloads of an entry.
_IGNORED: Final[WeakKeyDictionary[ConfigEntry[Any], set[Issue]]] = WeakKeyDictionary()


@callback
def async_forget_issues_of_unloaded_entries(hass: HomeAssistant) -> None:
    """Delete the issues of each entry that is unloaded, disabled or removed."""

    @callback
    def forget(_: ConfigEntryChange, entry: ConfigEntry[Any]) -> None:
        if entry.domain == DOMAIN and entry.state is ConfigEntryState.NOT_LOADED:
            _async_remember_ignored(hass, entry)
            for issue in Issue:
                ir.async_delete_issue(hass, DOMAIN, _issue_id(entry, issue))

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, forget)


@callback
def async_update_connection_issues(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    client: GatewayClient,
    secrets: Collection[str],
) -> None:
    """Show what is wrong with a connection that is made or refused, and no more.

    One that is refused leaves what only a connection shows as it was.
    """
    found = {
        **_refused(client.last_error),
        **_skewed(client.hello),
        **_insecure(client),
    }
    for issue in CONNECTION_ISSUES:
        if issue in found:
            placeholders = {
                name: str(withhold_texts(text, secrets))
                for name, text in found[issue].items()
            }
            async_create_issue(hass, entry, issue, placeholders)
        elif client.hello or issue not in WARNINGS:
            async_delete_issue(hass, entry, issue)


@callback
def async_update_agent_issue(
    hass: HomeAssistant, entry: ConfigEntry[Any], agents: AgentCatalogue
) -> None:
    """Show which subentries want an agent that is not there any more."""
    lost = [
        subentry.title
        for subentry in entry.subentries.values()
        if agents.get(subentry.data[CONF_AGENT]) is None
    ]
    if lost:
        names = ", ".join(lost)
        async_create_issue(hass, entry, Issue.AGENT_DELETED, {"agents": names})
    else:
        async_delete_issue(hass, entry, Issue.AGENT_DELETED)


@callback
def async_create_issue(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    issue: Issue,
    placeholders: Mapping[str, str],
    **data: str,
) -> None:
    """Show an issue of an entry; the placeholders may hold no secret.

    `data` is what its flow has to know.
    """
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(entry, issue),
        data={"entry_id": entry.entry_id, "issue": issue, **data},
        is_fixable=issue is not Issue.INSECURE_TRANSPORT,
        severity=(
            ir.IssueSeverity.WARNING if issue in WARNINGS else ir.IssueSeverity.ERROR
        ),
        translation_key=issue,
        translation_placeholders={"title": entry.title, **placeholders},
    )
    if issue in (ignored := _IGNORED.get(entry, set())):
        ignored.discard(issue)
        ir.async_ignore_issue(hass, DOMAIN, _issue_id(entry, issue), ignore=True)


@callback
def async_delete_issue(
    hass: HomeAssistant, entry: ConfigEntry[Any], issue: Issue
) -> None:
    """Show an issue of an entry no more: its cause is gone."""
    _IGNORED.get(entry, set()).discard(issue)
    ir.async_delete_issue(hass, DOMAIN, _issue_id(entry, issue))


@callback
def _async_remember_ignored(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Keep what Home Assistant forgets when an issue is deleted."""
    for issue in Issue:
        known = ir.async_get(hass).async_get_issue(DOMAIN, _issue_id(entry, issue))
        if known and known.dismissed_version:
            _IGNORED.setdefault(entry, set()).add(issue)


def _issue_id(entry: ConfigEntry[Any], issue: Issue) -> str:
    return f"{issue}_{entry.entry_id}"


def _refused(error: GatewayError | None) -> Found:
    match error:
        case PairingRequiredError():
            return {Issue.PAIRING_REQUIRED: approval_placeholders(error)}
        case UnsupportedProtocolError(expected=int(version)) if version < MIN_PROTOCOL:
            return {Issue.PROTOCOL_TOO_OLD: {"version": str(version)}}
        case UnsupportedProtocolError():
            return {Issue.PROTOCOL_TOO_NEW: {"version": str(error.expected or "?")}}
    return {}


def _skewed(hello: Hello | None) -> Found:
    if hello is None or abs(hello.clock_skew) <= SKEW_FAIL:
        return {}
    return {Issue.CLOCK_SKEW: {"seconds": f"{abs(hello.clock_skew):.0f}"}}


def _insecure(client: GatewayClient) -> Found:
    exposed = client.peer and client.endpoint.exposed_at(client.peer.address)
    return {Issue.INSECURE_TRANSPORT: {}} if exposed else {}
