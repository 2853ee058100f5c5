"""Recorder of the integration's debug log."""

from contextlib import contextmanager
import logging
from typing import TYPE_CHECKING, override

from ..const import LOGGER

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Recorder(logging.Handler):
    """Handler keeping every record."""

    def __init__(self, level: int) -> None:
        """Forward records of at least `level`."""
        super().__init__()
        self.records: list[tuple[str, str]] = []
        self._level = level

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.records.append((record.name, self.format(record)))
        if record.levelno >= self._level and LOGGER.parent:
            LOGGER.parent.handle(record)


@contextmanager
def recorded_log() -> Iterator[list[tuple[str, str]]]:
    """Record all log messages from DEBUG on."""
    recorder = _Recorder(LOGGER.getEffectiveLevel())
    level, propagate = LOGGER.level, LOGGER.propagate
    LOGGER.addHandler(recorder)
    LOGGER.setLevel(logging.DEBUG)
    # Debug records must not reach the log file: they may hold the secret.
    LOGGER.propagate = False
    try:
        yield recorder.records
    finally:
        LOGGER.propagate = propagate
        LOGGER.setLevel(level)
        LOGGER.removeHandler(recorder)
