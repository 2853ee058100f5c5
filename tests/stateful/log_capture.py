"""What is logged and what errors say, searched for secrets."""

import logging
import traceback
from typing import Final

# The simulator's own socket, which logs each frame.
NOT_THE_CLIENT: Final = logging.getLogger("websockets.server")


class Witness(logging.Handler):
    """Whoever reads all logs at the lowest level, and every error."""

    def __init__(self) -> None:
        """Listen to every logger."""
        super().__init__(logging.DEBUG)
        self._root = logging.getLogger()
        self._level = self._root.level
        self._texts: list[str] = []
        self._formatter = logging.Formatter("%(name)s %(message)s")
        NOT_THE_CLIENT.setLevel(logging.WARNING)
        self._root.setLevel(logging.DEBUG)
        self._root.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as it would be written, with its traceback."""
        self._texts.append(self._formatter.format(record))

    def hear(self, error: BaseException) -> None:
        """Keep all that an error shows of itself."""
        self._texts += [str(error), repr(error), *traceback.format_exception(error)]

    def leave(self) -> None:
        """Listen no more."""
        self._root.removeHandler(self)
        self._root.setLevel(self._level)

    def told(self, *secrets: str) -> list[str]:
        """Return the texts that hold a secret."""
        return [text for text in self._texts if any(s in text for s in secrets)]
