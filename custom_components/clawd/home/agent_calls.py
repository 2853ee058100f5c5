"""Detection of actions caused by agents."""

from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import TYPE_CHECKING, Final

from ..const import MAX_HANDOFF_AGE

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds of validity. A task started within may go on for days, such as a loop of
# another integration; an agent waits no longer than this.
MAX_AGE: Final = MAX_HANDOFF_AGE

_CALLED_AT: Final[ContextVar[float | None]] = ContextVar(
    "clawd_agent_called_at", default=None
)


@contextmanager
def agent_call() -> Iterator[None]:
    """Mark the block as caused by an agent.

    Tasks and timers created within inherit the mark: a script that outlives the call,
    or an automation it triggers.
    """
    token = _CALLED_AT.set(monotonic())
    try:
        yield
    finally:
        _CALLED_AT.reset(token)


def in_agent_call() -> bool:
    """Return whether an agent caused this."""
    called_at = _CALLED_AT.get()
    return called_at is not None and monotonic() - called_at < MAX_AGE
