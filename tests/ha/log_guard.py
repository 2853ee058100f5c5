"""Guard against private texts in logs."""

from collections.abc import Iterator
from contextlib import contextmanager
import logging
from typing import Final

from custom_components.clawd.const import LOGGER
from tests.simulator import GatewaySimulator, Reply

# Parameters of requests with content, keys or secrets.
PRIVATE: Final = frozenset(
    {
        *("message", "extraSystemPrompt", "text", "answers", "sessionKey", "key"),
        *("token", "deviceToken", "password", "signature"),
    }
)
# Characters; shorter texts may be ordinary words.
MIN_LENGTH: Final = 8


class _Recorder(logging.Handler):
    """Handler that records formatted messages."""

    def __init__(self) -> None:
        """Initialize without messages."""
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Record a message, unless a test injected it."""
        if not hasattr(record, "injected"):
            self.texts.append(record.getMessage())


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)


def _private(value: object) -> Iterator[str]:
    match value:
        case dict():
            for name, item in value.items():
                yield from _texts(item) if name in PRIVATE else _private(item)
        case list():
            for item in value:
                yield from _private(item)


def _content(gateway: GatewaySimulator) -> Iterator[str]:
    for request in gateway.requests:
        yield from _private(request.params)
    for run in gateway.runs.by_id.values():
        yield run.session.key
        for step in run.script:
            if isinstance(step, Reply):
                yield "".join(step.tokens)


@contextmanager
def guarded_log(gateway: GatewaySimulator) -> Iterator[list[str]]:
    """Record the debug log, and fail on private texts of requests."""
    recorder, level = _Recorder(), LOGGER.level
    LOGGER.setLevel(logging.DEBUG)
    LOGGER.addHandler(recorder)
    try:
        yield recorder.texts
    finally:
        LOGGER.removeHandler(recorder)
        LOGGER.setLevel(level)
    private = {text for text in _content(gateway) if len(text) >= MIN_LENGTH}
    leaked = [text for text in recorder.texts if any(own in text for own in private)]
    assert leaked == [], f"private texts in the debug log: {leaked}"
