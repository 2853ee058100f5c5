"""Prerequisites of checks.

Each returns a reason to skip the check, or None.
"""

from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState

from ..assist.agent_questions import get_agent_questions
from ..assist.ongoing import get_ongoing
from ..const import DOMAIN
from ..gateway import (
    CannotConnectError,
    CertificateError,
    ConnectionState,
    GatewayAuthenticationError,
    GatewayProtocolError,
    RequestFailedError,
)
from ..home.service import get_home
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


def session_settings(context: CheckContext) -> str | None:
    """Require sessions whose rights can be restricted."""
    hello = context.runtime.client.hello
    if hello and not hello.has_session_settings:
        return "sessions_unrestrictable"
    return None


def answered(error: GatewayError | None) -> bool:
    """Return whether the peer answered."""
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
    """Require a responsive Gateway."""
    # A connection that is cut comes back only if the Gateway answers.
    round_trip = context.result_of("round_trip")
    failed = round_trip and round_trip.status is Status.FAIL
    return "gateway_slow" if failed else None


def handshake_complete(context: CheckContext) -> str | None:
    """Require no handshake of this entry."""
    # The request of a handshake is counted, but its connection is not shown yet.
    states = [client.state for client in context.runtime.clients]
    return "in_handshake" if ConnectionState.HANDSHAKING in states else None


def all_handshakes_complete(context: CheckContext) -> str | None:
    """Require no handshake of any entry."""
    config_entries = context.hass.config_entries
    entries = config_entries.async_loaded_entries(DOMAIN)
    states = [
        client.state for entry in entries for client in entry.runtime_data.clients
    ]
    if ConnectionState.HANDSHAKING in states:
        return "in_handshake"
    # A dialog may have a connection of its own, with its timers.
    flows = config_entries.flow.async_progress_by_handler(DOMAIN)
    return "dialog_open" if flows else None


def setup_complete(context: CheckContext) -> str | None:
    """Require a loaded entry, and none in transit."""
    states = [e.state for e in context.hass.config_entries.async_entries(DOMAIN)]
    loaded = context.entry.state is ConfigEntryState.LOADED
    in_transit = not loaded or any(state in _IN_TRANSIT for state in states)
    return "entry_in_transit" if in_transit else None


def home_offered(context: CheckContext) -> str | None:
    """Require an agent with access to the home."""
    return None if get_home(context.entry) else "home_not_offered"


def home_node(context: CheckContext) -> str | None:
    """Require a node."""
    if context.runtime.node is None:
        return home_offered(context) or "home_not_supported"
    return None


def home_node_connected(context: CheckContext) -> str | None:
    """Require a connected node."""
    node = context.runtime.node
    return None if node and node.client.hello else "home_not_connected"


def home_published(context: CheckContext) -> str | None:
    """Require that all tools are published."""
    node = context.runtime.node
    wanted = {tool.name for tool in node.host.wanted} if node else set()
    taken = {*node.host.published} if node else set()
    return None if wanted and wanted <= taken else "home_not_published"


def questions_asked(context: CheckContext) -> str | None:
    """Require the option to answer questions."""
    return None if get_agent_questions(context.entry) else "questions_off"


def no_open_calls(context: CheckContext) -> str | None:
    """Require no open tool calls."""
    node = context.runtime.node
    return "home_calls_under_way" if node and node.host.open_calls else None


def no_open_runs(context: CheckContext) -> str | None:
    """Require no open runs."""
    runs = context.runtime.client.introspection.runs or get_ongoing(context.entry).all
    return "runs_under_way" if runs else None
