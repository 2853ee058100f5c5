"""Mapping of client errors to Home Assistant's."""

from typing import TYPE_CHECKING, Final

from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    ConfigEntryError,
    ConfigEntryNotReady,
    HomeAssistantError,
)

from .const import DOMAIN
from .gateway import (
    AgentRunAborted,
    AgentRunError,
    CannotConnectError,
    CertificateError,
    ConnectionLostError,
    GatewayAuthenticationError,
    GatewayError,
    GatewayProtocolError,
    InsecureTransportError,
    InvalidTokenError,
    MissingScopeError,
    NotAGatewayError,
    NotConnectedError,
    PairingRequiredError,
    ProxyRefusedError,
    RateLimitedError,
    RequestFailedError,
    RequestTimeoutError,
    RequestTooLargeError,
    RunTimeoutError,
    SignInRequiredError,
    UnsupportedProtocolError,
    minimum_delay,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

# Translation key of each class; a class without one uses its parent's.
_KEYS: Final[Mapping[type[Exception], str]] = {
    GatewayError: "gateway_error",
    CannotConnectError: "cannot_connect",
    ProxyRefusedError: "proxy_not_trusted",
    SignInRequiredError: "sign_in_required",
    CertificateError: "certificate_refused",
    ConnectionLostError: "connection_lost",
    NotConnectedError: "not_connected",
    RequestTimeoutError: "request_timeout",
    GatewayProtocolError: "protocol_error",
    NotAGatewayError: "not_a_gateway",
    UnsupportedProtocolError: "unsupported_protocol",
    InsecureTransportError: "insecure_transport",
    RequestTooLargeError: "request_too_large",
    GatewayAuthenticationError: "device_refused",
    InvalidTokenError: "invalid_token",
    PairingRequiredError: "pairing_required",
    MissingScopeError: "missing_scope",
    RateLimitedError: "rate_limited",
    RequestFailedError: "request_failed",
    AgentRunError: "agent_failed",
    AgentRunAborted: "agent_aborted",
}


# Characters of 16 of the 32 bytes, each with its colon. A dialog of the frontend
# is too narrow for a whole fingerprint, 95 characters: its end would be hidden.
FINGERPRINT_LINE: Final = 48


def error_key(err: GatewayError) -> str:
    """Return the translation key of an error."""
    return next(_KEYS[base] for base in type(err).__mro__ if base in _KEYS)


def setup_error(err: GatewayError) -> HomeAssistantError:
    """Return the error for a failed setup."""
    # The client would retry, so Home Assistant does: a device gets approved, a clock
    # is set after the start of the machine, a Gateway is updated.
    if minimum_delay(err) is not None:
        return _translated(ConfigEntryNotReady, err)
    if isinstance(err, GatewayAuthenticationError):
        return _translated(ConfigEntryAuthFailed, err)
    return _translated(ConfigEntryError, err)


def action_error(err: GatewayError) -> HomeAssistantError:
    """Return the error for a failed action."""
    match err:
        case AgentRunError(reason=reason) if reason:
            return HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="agent_failed_because",
                translation_placeholders={"reason": reason},
            )
        case RunTimeoutError(stopped=True):
            return HomeAssistantError(
                translation_domain=DOMAIN, translation_key="run_stopped"
            )
        case RunTimeoutError():
            return HomeAssistantError(
                translation_domain=DOMAIN, translation_key="run_timeout"
            )
    return _translated(HomeAssistantError, err)


def pairing_request(err: GatewayError | None) -> str | None:
    """Return the pairing request's id, if any."""
    return err.request_id if isinstance(err, PairingRequiredError) else None


def approval_placeholders(err: GatewayError | None) -> dict[str, str]:
    """Return the placeholders for a device approval."""
    # Clawdbot (v3) sends the code NOT_PAIRED and no code in the details.
    program = "clawdbot" if err and err.code == "NOT_PAIRED" else "openclaw"
    request = pairing_request(err)
    action = f"approve {request}" if request else "list"
    return {
        "request_id": request or "?",
        "command": f"{program} devices {action}",
    }


def node_approval_placeholders(err: PairingRequiredError | None) -> dict[str, str]:
    """Return the placeholders for a node approval.

    Its device comes first; without an error, it is approved.
    """
    lines = [approval_placeholders(err)["command"]] if err else []
    # The id of the second request is shown to who may approve it, not to us.
    lines += ["openclaw nodes pending", "openclaw nodes approve <requestId>"]
    return {"commands": "\n".join(lines)}


def format_fingerprint(fingerprint: str) -> str:
    """Format a fingerprint on two lines."""
    pairs = zip(fingerprint[::2], fingerprint[1::2], strict=True)
    text = ":".join(map("".join, pairs)).upper()
    return f"{text[:FINGERPRINT_LINE]}\n{text[FINGERPRINT_LINE:]}" if text else ""


def _translated[T: HomeAssistantError](kind: type[T], err: GatewayError) -> T:
    return kind(
        translation_domain=DOMAIN,
        translation_key=error_key(err),
        translation_placeholders={"code": err.code or type(err).__name__},
    )
