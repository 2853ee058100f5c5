"""Repair issues of an entry: created and deleted with their causes."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..util.domain_data import get_domain_data

if TYPE_CHECKING:
    from collections.abc import Mapping


class Issue(StrEnum):
    """Repair issue and its translation key."""

    PAIRING_REQUIRED = "pairing_required"
    PROTOCOL_TOO_OLD = "protocol_too_old"
    PROTOCOL_TOO_NEW = "protocol_too_new"
    CLOCK_SKEW = "clock_skew"
    INSECURE_TRANSPORT = "insecure_transport"
    AGENT_DELETED = "agent_deleted"
    SELF_TEST_FAILED = "self_test_failed"
    PROXY_NOT_TRUSTED = "proxy_not_trusted"
    SIGN_IN_REQUIRED = "sign_in_required"
    CERTIFICATE_CHANGED = "certificate_changed"
    STORE_NOT_WRITTEN = "store_not_written"
    HOME_REFUSED = "home_refused"
    HOME_OFFERED = "home_offered"
    HOME_TOOLS_HIDDEN = "home_tools_hidden"
    NODE_NOT_APPROVED = "node_not_approved"
    NODE_LINK_REQUIRED = "node_link_required"
    NODE_TAKEN_OVER = "node_taken_over"
    NODE_KEY_UNREADABLE = "node_key_unreadable"
    QUESTIONS_NOT_APPROVED = "questions_not_approved"
    QUESTIONS_DENIED = "questions_denied"


# Can be judged only while connected.
WARNINGS: Final = (Issue.CLOCK_SKEW, Issue.INSECURE_TRANSPORT)
# Only the home is out of the agents' reach, or its user.
MILD: Final = (
    *WARNINGS,
    Issue.HOME_REFUSED,
    Issue.HOME_OFFERED,
    Issue.HOME_TOOLS_HIDDEN,
    Issue.NODE_NOT_APPROVED,
    Issue.NODE_LINK_REQUIRED,
    Issue.NODE_TAKEN_OVER,
    Issue.NODE_KEY_UNREADABLE,
    Issue.QUESTIONS_NOT_APPROVED,
    Issue.QUESTIONS_DENIED,
)
# Ids of issues that the user ignored. Home Assistant forgets it when an issue is
# deleted, as at each reload of the entry.
_IGNORED: Final[HassKey[set[str]]] = HassKey("ignored_issues")


@callback
def async_delete_issues_of_unloaded_entries(hass: HomeAssistant) -> None:
    """Delete the issues of unloaded entries."""

    @callback
    def delete(_: ConfigEntryChange, entry: ConfigEntry[Any]) -> None:
        if entry.domain == DOMAIN and entry.state is ConfigEntryState.NOT_LOADED:
            _async_remember_ignored(hass, entry)
            for issue_id in _issue_ids(hass, entry):
                ir.async_delete_issue(hass, DOMAIN, issue_id)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, delete)


@callback
def async_create_issue(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    issue: Issue,
    placeholders: Mapping[str, str],
    **data: str,
) -> None:
    """Create or update an issue.

    The placeholders must not hold secrets; `data` is for the fix flow.
    """
    _async_create(hass, entry, issue, _issue_id(entry, issue), placeholders, data)


@callback
def async_create_home_issue(
    hass: HomeAssistant, entry: ConfigEntry[Any], agent: str, name: str, kind: str
) -> None:
    """Create the issue of a refused agent.

    `kind` is the kind of its session, without personal parts.
    """
    issue_id = f"{_issue_id(entry, Issue.HOME_REFUSED)}_{agent}"
    placeholders = {"agent": name, "kind": kind}
    data = {"agent": agent}
    _async_create(hass, entry, Issue.HOME_REFUSED, issue_id, placeholders, data)


@callback
def async_delete_issue(
    hass: HomeAssistant, entry: ConfigEntry[Any], issue: Issue
) -> None:
    """Delete an issue of an entry."""
    issue_id = _issue_id(entry, issue)
    get_domain_data(entry).get(_IGNORED, set()).discard(issue_id)
    ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def _async_create(  # noqa: PLR0913, PLR0917 - as Home Assistant's own function
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    issue: Issue,
    issue_id: str,
    placeholders: Mapping[str, str],
    data: Mapping[str, str],
) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data={"entry_id": entry.entry_id, "issue": issue, **data},
        is_fixable=issue is not Issue.INSECURE_TRANSPORT,
        severity=(
            ir.IssueSeverity.WARNING if issue in MILD else ir.IssueSeverity.ERROR
        ),
        translation_key=issue,
        translation_placeholders={"title": entry.title, **placeholders},
    )
    ignored = get_domain_data(entry).get(_IGNORED, set())
    if issue_id in ignored:
        ignored.discard(issue_id)
        ir.async_ignore_issue(hass, DOMAIN, issue_id, ignore=True)


@callback
def _async_remember_ignored(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    for issue_id in _issue_ids(hass, entry):
        known = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
        if known and known.dismissed_version:
            get_domain_data(entry).setdefault(_IGNORED, set()).add(issue_id)


def _issue_ids(hass: HomeAssistant, entry: ConfigEntry[Any]) -> list[str]:
    """Return the issue ids of an entry.

    Also those from before a restart.
    """
    known = ir.async_get(hass).issues
    ids = tuple(_issue_id(entry, issue) for issue in Issue)
    return [one for domain, one in known if domain == DOMAIN and one.startswith(ids)]


def _issue_id(entry: ConfigEntry[Any], issue: Issue) -> str:
    return f"{issue}_{entry.entry_id}"
