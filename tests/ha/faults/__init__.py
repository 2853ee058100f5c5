"""Faults, in modules named like those of the checks."""

from ..fault_harness import Fault
from . import (
    drills,
    entities,
    home,
    listeners,
    reload,
    requests,
    runs,
    security,
    tasks,
    transport,
)

FAULTS: list[Fault] = [
    *requests.FAULTS,
    *runs.FAULTS,
    *transport.FAULTS,
    *tasks.FAULTS,
    *listeners.FAULTS,
    *entities.FAULTS,
    *home.FAULTS,
    *security.FAULTS,
    *drills.FAULTS,
    *reload.FAULTS,
]
