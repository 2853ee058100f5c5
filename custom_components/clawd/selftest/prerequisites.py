"""Prerequisites of checks.

Each returns a reason to skip the check, or None.
"""

from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState

from ..const import DOMAIN
from ..gateway import (
    CannotConnectError,
    CertificateError,
    ConnectionState,
    GatewayAuthenticationError,
    GatewayProtocolError,
    RequestFailedError,
)
from ..reports import Status

if TYPE_CHECKING:
    from ..gateway import GatewayError
    from .model import CheckContext

# Codes of attempts that nothing answered.
NO_ANSWER: Final = ("TIMEOUT", "REFUSED", "UNREACHABLE", "UNKNOWN_HOST", "INVALID_HOST")

_IN_TRANSIT: Final = (
    ConfigEntryState.SETUP_IN_PROGRESS,
    ConfigEntryState.UNLOAD_IN_PROGRESS,
)


def connected(context: CheckContext) -> str | None:
    """Require a connection."""
    if context.connected:
        return None
    error = context.runtime.client.last_error
    return "not_admitted" if answered(error) else "not_connected"


def answered(error: GatewayError | None) -> bool:
    """Return whether something answered where a Gateway should."""
    if isinstance(error, CannotConnectError):
        return error.http_status is not None or error.code not in NO_ANSWER
    return isinstance(
        error,
        GatewayAuthenticationError
        | GatewayProtocolError
        | CertificateError
        | RequestFailedError,
    )


def gateway_answers(context: CheckContext) -> str | None:
    """Require that the Gateway has not left a request of this self-test waiting."""
    # A connection that is cut comes back only if the Gateway answers.
    round_trip = context.result_of("round_trip")
    failed = round_trip and round_trip.status is Status.FAIL
    return "gateway_slow" if failed else None


def handshake_complete(context: CheckContext) -> str | None:
    """Require that no handshake of this entry is in progress."""
    # The request of a handshake is counted, but its connection is not shown yet.
    handshaking = context.runtime.client.state is ConnectionState.HANDSHAKING
    return "in_handshake" if handshaking else None


def all_handshakes_complete(context: CheckContext) -> str | None:
    """Require that no handshake is in progress anywhere."""
    config_entries = context.hass.config_entries
    entries = config_entries.async_loaded_entries(DOMAIN)
    states = [entry.runtime_data.client.state for entry in entries]
    if ConnectionState.HANDSHAKING in states:
        return "in_handshake"
    # A dialog may have a connection of its own, with its timers.
    flows = config_entries.flow.async_progress_by_handler(DOMAIN)
    return "dialog_open" if flows else None


def setup_complete(context: CheckContext) -> str | None:
    """Require a loaded entry, and no other in transit."""
    states = [e.state for e in context.hass.config_entries.async_entries(DOMAIN)]
    loaded = context.entry.state is ConfigEntryState.LOADED
    in_transit = not loaded or any(state in _IN_TRANSIT for state in states)
    return "entry_in_transit" if in_transit else None


def no_open_runs(context: CheckContext) -> str | None:
    """Require that no run would be interrupted."""
    return "runs_under_way" if context.runtime.client.introspection.runs else None
