"""Resources of entries."""

from collections import Counter
from typing import TYPE_CHECKING, Final

from homeassistant.core import callback
from homeassistant.util.hass_dict import HassKey

from ..util.domain_data import get_domain_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from homeassistant.config_entries import ConfigEntry


class ResourceTracker:
    """Resources of an entry, across reloads.

    Attributes:
        held: resources held at present, by name.

    """

    def __init__(self) -> None:
        """Initialize without resources."""
        self.held: Counter[str] = Counter()

    @callback
    def async_track(
        self, entry: ConfigEntry, name: str, release: Callable[[], None]
    ) -> None:
        """Track a resource until the entry unloads."""
        self.held[name] += 1

        @callback
        def release_and_count() -> None:
            release()
            self.held[name] -= 1

        entry.async_on_unload(release_and_count)


# It has to outlive the runtime of the entry to see what stays.
_TRACKER: Final[HassKey[ResourceTracker]] = HassKey("resources")


@callback
def async_get_tracker(entry: ConfigEntry) -> ResourceTracker:
    """Return the tracker of an entry."""
    return get_domain_data(entry).setdefault(_TRACKER, ResourceTracker())
