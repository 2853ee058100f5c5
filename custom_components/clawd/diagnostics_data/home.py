"""Home's tools, their calls and the node."""

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from homeassistant.components.homeassistant import async_should_expose

from ..const import CONF_TOOL_PREFIX
from ..home.apis import ASSISTANT
from ..home.cameras import find_cameras
from ..home.service import get_home
from ..home.settings import agent_homes
from ..home.voice_devices import ANNOUNCE, START_CONVERSATION, find_voice_devices
from .source import DiagnosticsSource
from .values import describe_address, describe_error, shorten

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant


def home_section(source: DiagnosticsSource) -> object:
    """Return the home's counters."""
    home = get_home(source.entry)
    if home is None:
        return None
    properties = [tool.parameters["properties"] for tool in home.tools]
    actions = [len(one["action"]["enum"]) for one in properties if "action" in one]
    return {
        "agents": Counter(agent.access.value for agent in agent_homes(source.entry)),
        "actions": actions,
        "omitted": home.omitted,
        "exposed": _exposed(source.hass),
        "rebuilds": home.rebuilds,
        "rebuild_ms": round(home.rebuild_seconds * 1000, 3),
        "control_calls_of_last_minute": home.limits.recent,
        "messages_of_last_hour": home.messages.recent,
        "looks_of_last_hour": home.looks.recent,
        "cameras": len(find_cameras(source.hass)),
        "voice_devices": {
            "announce": len(find_voice_devices(source.hass, ANNOUNCE)),
            "ask": len(find_voice_devices(source.hass, START_CONVERSATION)),
        },
        "published": len(home.published),
        "outcomes": dict(home.statistics.outcomes),
        "exceptions": dict(home.statistics.exceptions),
        "questions": len(home.confirmations),
        "confirmed": home.statistics.confirmed,
    }


def _exposed(hass: HomeAssistant) -> object:
    """Count exposed entities by domain."""
    return Counter(
        state.domain
        for state in hass.states.async_all()
        if async_should_expose(hass, ASSISTANT, state.entity_id)
    )


def node_section(source: DiagnosticsSource) -> object:
    """Return the state of the node."""
    node = source.runtime.node if source.runtime else None
    if node is None:
        return None
    host, client = node.host, node.client
    return {
        "state": client.state,
        "error": describe_error(client.last_error),
        "peer": describe_address(client.peer.address_info) if client.peer else None,
        "approval": node.approval,
        "wanted": len(host.wanted),
        "published": len(host.published),
        "publish_error": shorten(host.publish_error),
        "method_missing": host.method_missing,
        "displaced": host.displaced,
        "prefix": CONF_TOOL_PREFIX in source.entry.data,
        "ready": host.ready,
        "open_calls": len(host.open_calls),
        "calls": asdict(host.statistics),
        "connects": client.statistics.connects,
        "drops": client.statistics.drops,
    }
