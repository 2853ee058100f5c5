"""Times to the first words of replies."""

from collections import deque
from statistics import median
from typing import TYPE_CHECKING, Final

from homeassistant.core import callback

if TYPE_CHECKING:
    from ..coordinator import ClawdConfigEntry, ClawdRuntime

# Questions: the sensor shows how it is now, and a single slow reply does not matter.
MAX_QUESTIONS: Final = 20


@callback
def async_add_first_word(
    entry: ClawdConfigEntry, subentry_id: str, seconds: float
) -> None:
    """Add a time and update the listeners."""
    runtime = entry.runtime_data
    times = runtime.first_words.setdefault(subentry_id, deque(maxlen=MAX_QUESTIONS))
    times.append(seconds)
    runtime.coordinator.async_update_listeners()


def first_word_time(runtime: ClawdRuntime, subentry_id: str) -> float | None:
    """Return the median time of an agent."""
    times = runtime.first_words.get(subentry_id)
    return median(times) if times else None
