"""Runs owned by an entry."""

import asyncio
from collections import OrderedDict, deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.util.hass_dict import HassKey

from ..gateway import NotConnectedError
from ..util.domain_data import get_domain_data
from ..util.drill_lock import drill_lock
from .ask import async_choose_session
from .ongoing_run import OngoingRun
from .prompt import join
from .side_session import Task, beside, describe_aside

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from .question import Question

# Notes for the next question: of a session, and sessions.
MAX_NOTES: Final = 8
MAX_NOTED_SESSIONS: Final = 32


class OngoingRuns:
    """Runs of an entry in progress.

    Attributes:
        handoffs: tasks of handed-off runs, by run id.
        cancelled: ids of handed-off runs without delivery.

    """

    def __init__(self) -> None:
        """Initialize without runs."""
        self._runs: dict[str, OngoingRun] = {}
        self._notes: OrderedDict[str, deque[str]] = OrderedDict()
        self.handoffs: dict[str, asyncio.Task[None]] = {}
        self.cancelled: set[str] = set()

    @property
    def all(self) -> tuple[OngoingRun, ...]:
        """Return the runs, oldest first."""
        return tuple(self._runs.values())

    def tasks(self, subentry: ConfigSubentry, question: Question) -> tuple[Task, ...]:
        """Return the handed-off tasks in progress."""
        device, agent = question.voice_device, subentry.subentry_id
        return tuple(
            Task(
                run.session_key,
                run.question.text,
                run.asked.timestamp,
                own=device is not None
                and device == run.question.voice_device
                and agent == run.subentry.subentry_id,
            )
            for run in self.all
            if run.detached
        )

    def get(self, run_id: str) -> OngoingRun | None:
        """Return a run by its id."""
        return self._runs.get(run_id)

    def of_agent(self, subentry_id: str) -> tuple[OngoingRun, ...]:
        """Return the runs of an agent, oldest first."""
        return tuple(r for r in self.all if r.subentry.subentry_id == subentry_id)

    def add(self, run: OngoingRun) -> None:
        """Add a run until its end."""
        self._runs[run.id] = run
        run.on_end(lambda: self._runs.pop(run.id, None))

    async def async_cancel(self, run_id: str) -> bool:
        """Stop a run and its delivery.

        Return whether there was one.
        """
        run, handoff = self._runs.get(run_id), self.handoffs.get(run_id)
        if run:
            await run.async_stop()
        elif handoff:
            self.cancelled.add(run_id)
            handoff.cancel()
            await asyncio.wait([handoff])
        return run is not None or handoff is not None

    def note(self, session_key: str, text: str) -> None:
        """Add a note for a session's next question."""
        notes = self._notes.setdefault(session_key, deque(maxlen=MAX_NOTES))
        notes.append(text)
        if len(self._notes) > MAX_NOTED_SESSIONS:
            self._notes.popitem(last=False)

    def take_notes(self, session_key: str) -> tuple[str, ...]:
        """Return the notes for a session, once."""
        return tuple(self._notes.pop(session_key, ()))


_RUNS: Final[HassKey[OngoingRuns]] = HassKey("ongoing_runs")


def get_ongoing(entry: ConfigEntry[Any]) -> OngoingRuns:
    """Return the runs of an entry; its notes outlive a reload."""
    return get_domain_data(entry).setdefault(_RUNS, OngoingRuns())


async def async_ask(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
) -> OngoingRun:
    """Ask a question in a background task.

    If its session is busy with a handed-off task, it gets a side session. A drill in
    progress ends first: it would cost the reply.

    Raises:
        GatewayError: the entry is not loaded.

    """
    async with drill_lock(entry).question():
        # The drill has reloaded the entry.
        if entry.state is not ConfigEntryState.LOADED:
            raise NotConnectedError("the entry is not loaded")
        runs = get_ongoing(entry)
        main = (await async_choose_session(hass, entry, subentry, question)).key
        busy = {run.session_key for run in runs.all if not run.answered}
        tasks = runs.tasks(subentry, question)
        question = beside(main, question, tasks, busy)
        if question.session_key == main and (notes := runs.take_notes(main)):
            prompt = join(question.extra_system_prompt, *notes)
            question = replace(question, extra_system_prompt=prompt)
        run = OngoingRun(subentry, question)
        runs.add(run)
        if run.session_key != main:
            run.on_end(partial(_note_reply, runs, main, run))
        run.start(hass, entry)
    return run


def _note_reply(runs: OngoingRuns, session_key: str, run: OngoingRun) -> None:
    """Note a side session's reply for its session."""
    if run.reply and (text := run.reply.text):
        runs.note(session_key, describe_aside(run.question.text, text))
