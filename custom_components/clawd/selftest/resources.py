"""Resources that an entry acquires and releases."""

from collections import Counter
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from homeassistant.core import callback

if TYPE_CHECKING:
    from collections.abc import Callable

    from homeassistant.config_entries import ConfigEntry


class ResourceTracker:
    """Resources of an entry, across its reloads.

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
        """Count a resource, and release it when the entry unloads."""
        self.held[name] += 1

        @callback
        def release_and_count() -> None:
            release()
            self.held[name] -= 1

        entry.async_on_unload(release_and_count)


# Not in the runtime of the entry: it has to outlive it to see what stays.
_TRACKERS: Final[WeakKeyDictionary[ConfigEntry, ResourceTracker]] = WeakKeyDictionary()


@callback
def async_get_tracker(entry: ConfigEntry) -> ResourceTracker:
    """Return the tracker of an entry."""
    return _TRACKERS.setdefault(entry, ResourceTracker())
