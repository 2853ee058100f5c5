"""Capture of logs and errors, to search for secrets."""

import logging
import traceback
from typing import Final

# Logs each frame of the simulator, which is not under test.
SERVER_LOGGER: Final = logging.getLogger("websockets.server")


class LogCapture(logging.Handler):
    """Handler that captures all logs, and errors."""

    def __init__(self) -> None:
        """Capture every logger at the lowest level."""
        super().__init__(logging.DEBUG)
        self._root = logging.getLogger()
        self._level = self._root.level
        self._texts: list[str] = []
        self._formatter = logging.Formatter("%(name)s %(message)s")
        SERVER_LOGGER.setLevel(logging.WARNING)
        self._root.setLevel(logging.DEBUG)
        self._root.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Capture a record as formatted, with its traceback."""
        self._texts.append(self._formatter.format(record))

    def add_error(self, error: BaseException) -> None:
        """Capture an error and its traceback."""
        self._texts += [str(error), repr(error), *traceback.format_exception(error)]

    def remove(self) -> None:
        """Stop capturing."""
        self._root.removeHandler(self)
        self._root.setLevel(self._level)

    def find(self, *secrets: str) -> list[str]:
        """Return the captured texts that contain a secret."""
        return [text for text in self._texts if any(s in text for s in secrets)]
