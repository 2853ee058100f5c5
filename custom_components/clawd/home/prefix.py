"""Prefix of tool names."""

import re
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import slugify

from ..const import CONF_TOOL_PREFIX, LOGGER
from .tools import HOME_CONTROL, HOME_STATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..coordinator import ClawdConfigEntry
    from ..gateway import Node

# Characters; the Gateway takes names of 64.
MAX_PLACE: Final = 32
_PREFIX: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,50}_", re.ASCII)


def tool_prefix(entry: ClawdConfigEntry) -> str:
    """Return the prefix, empty by default."""
    match entry.data.get(CONF_TOOL_PREFIX):
        case str(prefix) if _PREFIX.fullmatch(prefix):
            return prefix
    return ""


@callback
def async_avoid_name_conflicts(
    hass: HomeAssistant, entry: ClawdConfigEntry, node_id: str, nodes: Iterable[Node]
) -> None:
    """Set a prefix if another node has our names.

    The Gateway would give both nodes names that no model can read. The entry reloads,
    unless it is being set up.
    """
    taken = {
        name.lower() for node in nodes if node.id != node_id for name in node.tools
    }
    if not _names(tool_prefix(entry)) & taken:
        return
    free = (p for p in _prefixes(hass, node_id) if not _names(p) & taken)
    if prefix := next(free, None):
        LOGGER.debug("Another node has the same tools: ours get a prefix")
        data = {**entry.data, CONF_TOOL_PREFIX: prefix}
        hass.config_entries.async_update_entry(entry, data=data)


def _names(prefix: str) -> set[str]:
    return {f"{prefix}{name}".lower() for name in (HOME_STATE, HOME_CONTROL)}


def _prefixes(hass: HomeAssistant, node_id: str) -> Iterator[str]:
    """Yield prefixes, the most readable first."""
    place = slugify(hass.config.location_name)[:MAX_PLACE].strip("_")
    place = place if place[:1].isalpha() else f"ha_{place}".strip("_")
    yield f"{place}_"
    yield f"{place}_{node_id[:4]}_"
