"""Store of handed-off runs."""

from collections import Counter
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
import time
from typing import TYPE_CHECKING, Any, Final, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.util.hass_dict import HassKey

from ..client_factory import get_history
from ..storage import EntryStore, async_load_store, async_save_store
from ..util.domain_data import get_domain_data
from ..util.moment import Moment
from .question import Question
from .sessions import find_sessions
from .side_session import first_words

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from .ongoing_run import OngoingRun

MAX_DELIVERED: Final = 64


class HandoffState(StrEnum):
    """State of a hand-off.

    Attributes:
        RUNNING: the agent is at work.
        DELIVERING: the end is being told; after a restart, it is only shown.
        LATE: reported as unfinished; it may still finish.

    """

    RUNNING = "running"
    DELIVERING = "delivering"
    LATE = "late"


@dataclass(slots=True, kw_only=True)
class Handoff:
    """Handed-off run, as stored.

    Attributes:
        id: of the run.
        question: its first words, session and origin.
        asked: time of the question.
        accepted: the Gateway has accepted the run.
        agent: name of the agent, which may be deleted meanwhile.

    """

    id: str
    subentry_id: str
    question: Question
    asked: Moment
    accepted: bool = False
    state: HandoffState = HandoffState.RUNNING
    agent: str = ""

    @classmethod
    def from_run(cls, run: OngoingRun) -> Self:
        """Create the hand-off of a run."""
        question = replace(
            run.question,
            text=first_words(run.question.text),
            session_key=run.session_key,
            history="",
            extra_system_prompt=None,
        )
        return cls(
            id=run.id,
            subentry_id=run.subentry.subentry_id,
            question=question,
            asked=run.asked,
            accepted=run.run is not None,
            agent=run.subentry.title,
        )

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> Self:
        """Read a stored hand-off.

        Raises:
            KeyError, TypeError, ValueError: it was edited by hand.

        """
        return cls(
            id=str(content["id"]),
            subentry_id=str(content["subentry_id"]),
            question=_read_question(content["question"]),
            asked=Moment.stored(float(content["asked_at"])),
            accepted=content["accepted"] is True,
            state=HandoffState(content["state"]),
            # Earlier versions did not store it.
            agent=str(content.get("agent") or ""),
        )

    def as_content(self) -> dict[str, Any]:
        """Return the hand-off as stored.

        Without times of the monotonic clock, which a restart sets back.
        """
        content = asdict(self)
        del content["asked"], content["question"]["asked_at"]
        return {**content, "asked_at": self.asked.timestamp}

    @property
    def age(self) -> float:
        """Return the seconds since the question."""
        return self.asked.age


def _read_question(content: dict[str, Any]) -> Question:
    """Read a stored question.

    Raises:
        TypeError: it was edited by hand.

    """
    match content:
        case {
            "text": str(),
            "conversation_id": str(),
            "language": str(),
            "session_key": str(),
            **others,
        } if all(isinstance(value, str | bool | None) for value in others.values()):
            return Question(**content)
    raise TypeError


class Handoffs:
    """Hand-offs of an entry until delivery.

    Attributes:
        open: those that are not delivered yet, by id.
        outcomes: counts since the start of Home Assistant.
        deliveries: how often each of the last ends was told; but not what is only shown
            after a restart.
        seen_since: since when a task sees to each, of the monotonic clock.

    """

    def __init__(self) -> None:
        """Initialize without hand-offs."""
        self.open: dict[str, Handoff] = {}
        self.outcomes: Counter[str] = Counter()
        self.deliveries: Counter[str] = Counter()
        self.seen_since: dict[str, float] = {}

    async def async_load(
        self, hass: HomeAssistant, entry: ClawdConfigEntry
    ) -> tuple[Handoff, ...]:
        """Load and return the stored hand-offs."""
        on_error = get_history(hass, entry.entry_id).store_failed
        self.open.clear()
        self.seen_since.clear()
        match await async_load_store(
            hass, EntryStore.HANDOFFS, entry.entry_id, on_error
        ):
            case {"handoffs": list(rows)}:
                for row in rows:
                    try:
                        handoff = Handoff.from_content(row)
                    except KeyError, TypeError, ValueError:
                        continue
                    self.open[handoff.id] = handoff
        self._hold_sessions(entry)
        return tuple(self.open.values())

    async def async_put(
        self, hass: HomeAssistant, entry: ClawdConfigEntry, handoff: Handoff
    ) -> None:
        """Add or update a hand-off."""
        self.open[handoff.id] = handoff
        self.seen_since.setdefault(handoff.id, time.monotonic())
        await self._async_save(hass, entry)

    async def async_remove(
        self, hass: HomeAssistant, entry: ClawdConfigEntry, run_id: str
    ) -> None:
        """Delete a hand-off from the store."""
        self.open.pop(run_id, None)
        self.seen_since.pop(run_id, None)
        await self._async_save(hass, entry)

    def count_delivery(self, handoff: Handoff) -> None:
        """Count the delivery of an end."""
        self.deliveries[f"{handoff.id} {handoff.state}"] += 1
        if len(self.deliveries) > MAX_DELIVERED:
            del self.deliveries[next(iter(self.deliveries))]

    def _hold_sessions(self, entry: ClawdConfigEntry) -> None:
        """Protect the sessions of hand-offs from deletion."""
        keys = {handoff.question.chosen_session for handoff in self.open.values()}
        # The next setup loads both.
        if sessions := find_sessions(entry):
            sessions.handed_off = keys

    async def _async_save(self, hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
        self._hold_sessions(entry)
        rows = [handoff.as_content() for handoff in self.open.values()]
        content = {"handoffs": rows} if rows else None
        on_error = get_history(hass, entry.entry_id).store_failed
        await async_save_store(
            hass, EntryStore.HANDOFFS, entry.entry_id, content, on_error
        )


_HANDOFFS: Final[HassKey[Handoffs]] = HassKey("handoffs")


def get_handoffs(entry: ConfigEntry[Any]) -> Handoffs:
    """Return the hand-offs of an entry; their counts outlive a reload."""
    return get_domain_data(entry).setdefault(_HANDOFFS, Handoffs())
