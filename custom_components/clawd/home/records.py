"""Records of tool calls."""

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
import time
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import Context, Event

from ..const import EVENT_TOOL_CALL, LOGGER
from ..gateway import NodeCallError
from .targets import Targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from .caller import Caller
    from .statistics import HomeStatistics

DONE: Final = "done"
CANCELLED: Final = "cancelled"
ERROR: Final = "error"
MAX_ENTITIES: Final = 50


@dataclass(slots=True)
class Record:
    """Record of a call.

    Attributes:
        tool: name of Home Assistant's tool, or of the node's own.
        context: of the call's effects.

    """

    context: Context = field(default_factory=Context)
    started_at: float = field(default_factory=time.time)
    started: float = field(default_factory=time.monotonic)
    caller: Caller | None = None
    tool: str | None = None
    read_only: bool = False
    targets: Targets = field(default_factory=Targets)
    outcome: str = ERROR
    dry_run: bool = False

    def data(self, entry: ClawdConfigEntry) -> dict[str, Any]:
        """Return the data of the event.

        Ids and fixed words only.
        """
        home = self.caller.home if self.caller else None
        return {
            "entry_id": entry.entry_id,
            "subentry_id": home.subentry_id if home else None,
            "tool": self.tool,
            "outcome": self.outcome,
            "duration": round(time.monotonic() - self.started, 3),
            "entity_id": sorted(self.targets.entity_ids)[:MAX_ENTITIES],
            "user_id": self.context.user_id,
        }

    def announce(self, entry: ClawdConfigEntry) -> None:
        """Set the call as the cause of its effects.

        The logbook takes the first event of a context.
        """
        Event(
            EVENT_TOOL_CALL,
            {**self.data(entry), "outcome": DONE},
            time_fired_timestamp=self.started_at,
            context=self.context,
        )


@contextmanager
def recorded(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    statistics: HomeStatistics,
    record: Record,
) -> Iterator[None]:
    """Count a call and fire its event."""
    try:
        yield
    except NodeCallError as err:
        record.outcome = err.code.lower()
        raise
    except asyncio.CancelledError:
        record.outcome = CANCELLED
        raise
    finally:
        if not record.dry_run:
            statistics.outcomes[record.outcome] += 1
        LOGGER.debug("Tool call: %s %s", _loggable(record.tool), record.outcome)
        # Reading calls would flood the logbook.
        silent = record.read_only and record.outcome == DONE
        if not (silent or record.dry_run):
            # As of the start: the cause comes before its effects.
            hass.bus.async_fire(
                EVENT_TOOL_CALL,
                record.data(entry),
                context=record.context,
                time_fired=record.started_at,
            )


def _loggable(tool: str | None) -> str:
    """Return the name of an intent or of another tool of Home Assistant.

    Not that of a script, which is the user's.
    """
    # intent__HassTurnOn, script__movie_time; before 2026.10 without a prefix.
    name = (tool or "").rpartition("__")[2]
    return name if name[:1].isupper() else "another tool"
