"""What an entry has acquired and given back."""

from collections import Counter
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from homeassistant.core import callback

if TYPE_CHECKING:
    from collections.abc import Callable

    from homeassistant.config_entries import ConfigEntry


class Ledger:
    """The books of an entry; they outlive its reloads.

    Attributes:
        held: what is held at present, by name.

    """

    def __init__(self) -> None:
        """Start with nothing held."""
        self.held: Counter[str] = Counter()

    @callback
    def async_hold(
        self, entry: ConfigEntry, name: str, release: Callable[[], None]
    ) -> None:
        """Enter what `release` gives back, and give it back when the entry unloads."""
        self.held[name] += 1

        @callback
        def give_back() -> None:
            release()
            self.held[name] -= 1

        entry.async_on_unload(give_back)


_LEDGERS: WeakKeyDictionary[ConfigEntry, Ledger] = WeakKeyDictionary()


@callback
def async_get_ledger(entry: ConfigEntry) -> Ledger:
    """Return the books of an entry."""
    return _LEDGERS.setdefault(entry, Ledger())
