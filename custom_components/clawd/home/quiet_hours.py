"""Quiet hours."""

from datetime import time
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import CONF_QUIET_END, CONF_QUIET_START

if TYPE_CHECKING:
    from ..coordinator import ClawdConfigEntry


@callback
def is_quiet(hass: HomeAssistant, entry: ClawdConfigEntry) -> bool:  # noqa: ARG001
    """Return whether it is quiet time."""
    start, end = (_read(entry, key) for key in (CONF_QUIET_START, CONF_QUIET_END))
    if start is None or end is None:
        return False
    # Local time: with daylight saving, the wall clock decides.
    now = dt_util.now().time()
    if start < end:
        return start <= now < end
    return now >= start or now < end


def _read(entry: ClawdConfigEntry, key: str) -> time | None:
    value = entry.options.get(key)
    return dt_util.parse_time(value) if isinstance(value, str) else None
