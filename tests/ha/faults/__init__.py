"""Faults, by module of their checks."""

from ..fault_harness import Fault
from . import (
    announcements,
    automation,
    drills,
    entities,
    handoffs,
    home,
    listeners,
    media,
    questions,
    reload,
    requests,
    runs,
    security,
    sessions,
    tasks,
    transport,
    voice,
)

FAULTS: list[Fault] = [
    *requests.FAULTS,
    *runs.FAULTS,
    *transport.FAULTS,
    *tasks.FAULTS,
    *listeners.FAULTS,
    *announcements.FAULTS,
    *handoffs.FAULTS,
    *automation.FAULTS,
    *questions.FAULTS,
    *entities.FAULTS,
    *home.FAULTS,
    *voice.FAULTS,
    *media.FAULTS,
    *security.FAULTS,
    *sessions.FAULTS,
    *drills.FAULTS,
    *reload.FAULTS,
]
