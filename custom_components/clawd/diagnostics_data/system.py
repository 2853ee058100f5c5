"""Versions, stores, entities and the event loop."""

import sys
from typing import TYPE_CHECKING, Final

from homeassistant.const import __version__ as ha_version
from homeassistant.helpers import entity_registry as er
from websockets.version import version as websockets_version

from ..const import VERSION
from ..storage import unwritten_stores
from .source import DiagnosticsSource, of_runtime
from .values import shorten

if TYPE_CHECKING:
    from ..coordinator import ClawdRuntime

MAX_LAGS: Final = 5


def versions_section(source: DiagnosticsSource) -> object:
    """Return the versions of all parts."""
    hello = source.client.hello if source.client else None
    return {
        "integration": VERSION,
        "home_assistant": ha_version,
        "python": sys.version.split(maxsplit=1)[0],
        "websockets": websockets_version,
        "gateway": shorten(hello.server_version) if hello else None,
        "protocol": hello.protocol if hello else None,
    }


def stores_section(source: DiagnosticsSource) -> object:
    """Return the unwritten stores."""
    return unwritten_stores(source.hass)


@of_runtime
def event_loop_section(_source: DiagnosticsSource, runtime: ClawdRuntime) -> object:
    """Return the recent event loop lag.

    In seconds.
    """
    monitor = runtime.loop_monitor
    lags = sorted(monitor.samples)
    return {
        "seconds": round(monitor.seconds, 1),
        "median": round(lags[len(lags) // 2], 3) if lags else None,
        "longest": [round(lag, 3) for lag in lags[-MAX_LAGS:]],
    }


def entities_section(source: DiagnosticsSource) -> object:
    """Return domains and states of the entities."""
    registry = er.async_get(source.hass)
    entry_id, device_id = source.entry.entry_id, source.device_id
    states = source.hass.states
    return [
        {
            "domain": entity.domain,
            "state": state.state if (state := states.get(entity.entity_id)) else None,
        }
        for entity in er.async_entries_for_config_entry(registry, entry_id)
        if device_id in {None, entity.device_id}
    ]
