"""Issues of the connection, the agents and the scopes."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..const import CONF_AGENT, MAX_CLOCK_SKEW
from ..error_mapping import approval_placeholders, format_fingerprint
from ..gateway import (
    MIN_PROTOCOL,
    CertificateError,
    ConnectionState,
    GatewayClient,
    GatewayError,
    Hello,
    PairingRequiredError,
    ProxyRefusedError,
    ScopeRequest,
    ScopeStatus,
    SignInRequiredError,
    UnsupportedProtocolError,
)
from ..redaction import known_secrets, redact_texts
from .registry import WARNINGS, Issue, async_create_issue, async_delete_issue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..coordinator import ClawdConfigEntry, ClawdCoordinator

CONNECTION_ISSUES: Final = (
    Issue.PAIRING_REQUIRED,
    Issue.PROTOCOL_TOO_OLD,
    Issue.PROTOCOL_TOO_NEW,
    Issue.CLOCK_SKEW,
    Issue.INSECURE_TRANSPORT,
    Issue.PROXY_NOT_TRUSTED,
    Issue.SIGN_IN_REQUIRED,
    Issue.CERTIFICATE_CHANGED,
)
_SCOPE_ISSUES: Final = {
    ScopeStatus.PENDING: Issue.QUESTIONS_NOT_APPROVED,
    ScopeStatus.DENIED: Issue.QUESTIONS_DENIED,
}
# States in which the connection's issues can be judged.
SETTLED_STATES: Final = (ConnectionState.CONNECTED, ConnectionState.PAUSED)
type Causes = Mapping[Issue, Mapping[str, str]]


@callback
def async_track_connection_issues(
    hass: HomeAssistant, entry: ClawdConfigEntry, coordinator: ClawdCoordinator
) -> Callable[[], None]:
    """Track the connection's issues; return the unsubscribe."""

    @callback
    def update() -> None:
        if coordinator.data in SETTLED_STATES:
            _async_update_connection_issues(hass, entry, coordinator)
        if coordinator.agents_current:
            _async_update_agent_issue(hass, entry, coordinator)

    return coordinator.async_add_listener(update)


@callback
def async_track_scope_issue(
    hass: HomeAssistant, entry: ConfigEntry[Any], client: GatewayClient
) -> Callable[[], None]:
    """Track the scope issue; return the unsubscribe."""

    @callback
    def update(scopes: ScopeRequest) -> None:
        command = f"openclaw devices approve {scopes.request_id}"
        for status, issue in _SCOPE_ISSUES.items():
            if status is scopes.status:
                async_create_issue(hass, entry, issue, {"command": command})
            else:
                async_delete_issue(hass, entry, issue)

    return client.subscribe_scopes(update)


@callback
def _async_update_connection_issues(
    hass: HomeAssistant, entry: ClawdConfigEntry, coordinator: ClawdCoordinator
) -> None:
    client = coordinator.client
    causes = {
        **_refused(client.last_error),
        **_certificate_changed(client),
        **_clock_skew(client.hello),
        **_insecure(client),
    }
    secrets = known_secrets(entry.data, entry.options, coordinator.credentials)
    for issue in CONNECTION_ISSUES:
        if issue in causes:
            placeholders = {
                name: str(redact_texts(text, secrets))
                for name, text in causes[issue].items()
            }
            async_create_issue(hass, entry, issue, placeholders)
        elif client.hello or issue not in WARNINGS:
            async_delete_issue(hass, entry, issue)


@callback
def _async_update_agent_issue(
    hass: HomeAssistant, entry: ClawdConfigEntry, coordinator: ClawdCoordinator
) -> None:
    deleted = [
        subentry.title
        for subentry in entry.subentries.values()
        if coordinator.agents.get(subentry.data[CONF_AGENT]) is None
    ]
    if deleted:
        names = ", ".join(deleted)
        async_create_issue(hass, entry, Issue.AGENT_DELETED, {"agents": names})
    else:
        async_delete_issue(hass, entry, Issue.AGENT_DELETED)


def _refused(error: GatewayError | None) -> Causes:
    match error:
        case PairingRequiredError():
            return {Issue.PAIRING_REQUIRED: approval_placeholders(error)}
        case UnsupportedProtocolError(expected=int(version)) if version < MIN_PROTOCOL:
            return {Issue.PROTOCOL_TOO_OLD: {"version": str(version)}}
        case UnsupportedProtocolError():
            return {Issue.PROTOCOL_TOO_NEW: {"version": str(error.expected or "?")}}
        case ProxyRefusedError():
            return {Issue.PROXY_NOT_TRUSTED: {"code": error.code}}
        case SignInRequiredError():
            return {Issue.SIGN_IN_REQUIRED: {"code": error.code}}
    return {}


def _certificate_changed(client: GatewayClient) -> Causes:
    pinned = client.endpoint.fingerprint
    match client.last_error:
        case CertificateError(fingerprint=str(shown)) if pinned:
            texts = {"confirmed": pinned, "fingerprint": shown}
            texts = {name: format_fingerprint(text) for name, text in texts.items()}
            return {Issue.CERTIFICATE_CHANGED: texts}
    return {}


def _clock_skew(hello: Hello | None) -> Causes:
    if hello is None or abs(hello.clock_skew) <= MAX_CLOCK_SKEW:
        return {}
    return {Issue.CLOCK_SKEW: {"seconds": f"{abs(hello.clock_skew):.0f}"}}


def _insecure(client: GatewayClient) -> Causes:
    exposed = client.peer and client.endpoint.exposed_at(client.peer.address)
    return {Issue.INSECURE_TRANSPORT: {}} if exposed else {}
