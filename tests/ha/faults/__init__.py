"""Faults, in modules named like those of the checks."""

from ..fault_harness import Fault
from . import drills, entities, reload, requests, runs, security, tasks, transport

FAULTS: list[Fault] = [
    *requests.FAULTS,
    *runs.FAULTS,
    *transport.FAULTS,
    *tasks.FAULTS,
    *entities.FAULTS,
    *security.FAULTS,
    *drills.FAULTS,
    *reload.FAULTS,
]
