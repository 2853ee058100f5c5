"""Prerequisites of checks.

Each returns a reason to skip the check, or None.
"""

from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState

from ..const import DOMAIN
from ..gateway import ConnectionState

if TYPE_CHECKING:
    from .model import CheckContext

_IN_TRANSIT: Final = (
    ConfigEntryState.SETUP_IN_PROGRESS,
    ConfigEntryState.UNLOAD_IN_PROGRESS,
)


def connected(context: CheckContext) -> str | None:
    """Require a connection."""
    return None if context.connected else "not_connected"


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
    flows = config_entries.flow.async_progress_by_handler(DOMAIN)
    handshaking = ConnectionState.HANDSHAKING in states or flows
    return "in_handshake" if handshaking else None


def setup_complete(context: CheckContext) -> str | None:
    """Require a loaded entry, and no other in transit."""
    states = [e.state for e in context.hass.config_entries.async_entries(DOMAIN)]
    loaded = context.entry.state is ConfigEntryState.LOADED
    in_transit = not loaded or any(state in _IN_TRANSIT for state in states)
    return "entry_in_transit" if in_transit else None


def no_open_runs(context: CheckContext) -> str | None:
    """Require that no run would be interrupted."""
    return "runs_under_way" if context.runtime.client.introspection.runs else None
