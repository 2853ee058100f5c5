"""Mark of everything that a call of the home's tools sets off."""

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_IN_AGENT_CALL: Final = ContextVar("clawd_in_agent_call", default=False)


@contextmanager
def agent_call() -> Iterator[None]:
    """Mark what is done within as done by an agent.

    Tasks and timers that are created within inherit the mark: a script that goes on
    after the call, or an automation that it triggers.
    """
    token = _IN_AGENT_CALL.set(True)
    try:
        yield
    finally:
        _IN_AGENT_CALL.reset(token)


def in_agent_call() -> bool:
    """Return whether an agent of ours has set this off."""
    return _IN_AGENT_CALL.get()
