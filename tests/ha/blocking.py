"""Detection of blocking calls."""

from collections.abc import Iterator
from contextlib import contextmanager
import logging
from typing import override

from homeassistant import block_async_io
import pytest

from custom_components.clawd.const import DOMAIN


class BlockingCalls(logging.Handler):
    """The reports of calls by the integration; the tests' own are not meant."""

    def __init__(self) -> None:
        """Start with none."""
        super().__init__()
        self._reports: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep a report."""
        if f"integration '{DOMAIN}'" in (report := record.getMessage()):
            self._reports.append(report)

    def verify(self) -> None:
        """Fail if a call was reported since the last time."""
        reports, self._reports = self._reports, []
        assert reports == [], "\n".join(reports)


@contextmanager
def blocking_calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[BlockingCalls]:
    """Detect blocking calls of all kinds.

    The detection would leave out most of it where it finds itself in a test, and
    tells of a second call from the same line in the debug log only.
    """
    monkeypatch.setattr("homeassistant.block_async_io._IN_TESTS", False)
    log, found = logging.getLogger("homeassistant.util.loop"), BlockingCalls()
    level, propagate = log.level, log.propagate
    log.addHandler(found)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    block_async_io.enable()
    try:
        yield found
    finally:
        log.removeHandler(found)
        log.setLevel(level)
        log.propagate = propagate
