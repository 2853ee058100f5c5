"""What the integration logs when it is asked for everything."""

from contextlib import contextmanager
import logging
from typing import TYPE_CHECKING, override

from ..const import LOGGER

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Recorder(logging.Handler):
    """Keeps every record, and passes on those that would be logged anyway."""

    def __init__(self, level: int) -> None:
        """Pass on what is at least of a level."""
        super().__init__()
        self.records: list[tuple[str, str]] = []
        self._level = level

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        self.records.append((record.name, self.format(record)))
        if record.levelno >= self._level and LOGGER.parent:
            LOGGER.parent.handle(record)


@contextmanager
def recorded_log() -> Iterator[list[tuple[str, str]]]:
    """Record the logger and the text of what is logged at DEBUG and above.

    It is kept from the log itself, which no secret must get into.
    """
    recorder = _Recorder(LOGGER.getEffectiveLevel())
    level, propagate = LOGGER.level, LOGGER.propagate
    LOGGER.addHandler(recorder)
    LOGGER.setLevel(logging.DEBUG)
    LOGGER.propagate = False
    try:
        yield recorder.records
    finally:
        LOGGER.propagate = propagate
        LOGGER.setLevel(level)
        LOGGER.removeHandler(recorder)
