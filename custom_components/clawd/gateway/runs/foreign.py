"""Runs of other clients in followed sessions.

A run's events go to every connection of the operator: also those of a sub-agent's
completion, a scheduled job or another client in a session of ours.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
import logging
from typing import TYPE_CHECKING, Final, Protocol

from .stream import RunStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..models import Payload

# Open runs that are followed; a run whose end was missed stays open.
MAX_FOREIGN_RUNS: Final = 64

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ForeignRun:
    """Reply of a foreign run.

    Attributes:
        media: references of its pictures and files.

    """

    run_id: str
    session_key: str = field(repr=False)
    text: str = field(repr=False)
    media: tuple[str, ...] = field(default=(), repr=False)


class Follower(Protocol):
    """Follower of sessions."""

    def is_followed(self, session_key: str) -> bool:
        """Return whether a session is followed."""

    def run_ended(self, run: ForeignRun) -> object:
        """Handle an ended run with a reply."""


class ForeignRuns:
    """Open runs of others, by run id."""

    def __init__(self) -> None:
        """Initialize without a follower."""
        self._follower: Follower | None = None
        self._open: OrderedDict[str, tuple[str, RunStream]] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of open runs."""
        return len(self._open)

    def follow(self, follower: Follower) -> Callable[[], None]:
        """Follow foreign runs; return the unsubscribe."""
        self._follower = follower

        def unsubscribe() -> None:
            if self._follower is follower:
                self._follower = None
                self._open.clear()

        return unsubscribe

    def feed(self, payload: Payload) -> None:
        """Process an `agent` event of a foreign run."""
        if (follower := self._follower) is None:
            return
        run_id, key = payload.get("runId"), payload.get("sessionKey")
        if not isinstance(run_id, str):
            return
        if run_id not in self._open:
            # v3's events after the first end have no session.
            if not isinstance(key, str) or not follower.is_followed(key):
                return
            self._open[run_id] = key, RunStream(run_id, include_tools=False)
            if len(self._open) > MAX_FOREIGN_RUNS:
                self._open.popitem(last=False)
        session_key, stream = self._open[run_id]
        stream.feed(payload)
        match payload:
            case {"stream": "lifecycle", "data": {"phase": "end" | "error"} as data}:
                self._end(follower, run_id, session_key, stream, data)

    def mark_incomplete(self) -> None:
        """Mark the open runs as incomplete."""
        for _, stream in self._open.values():
            stream.missed = True

    def _end(
        self,
        follower: Follower,
        run_id: str,
        session_key: str,
        stream: RunStream,
        data: Payload,
    ) -> None:
        text, complete = stream.text, not stream.incomplete
        media = tuple(stream.media)
        match data:
            # v4 repeats the reply of the Gateway's own runs.
            case {"terminalReply": {"text": str(reply)}}:
                text, complete = reply, True
        has_reply = bool(text or media)
        if not has_reply and data.get("executionSettled") is not True:
            # v3 ends each attempt of a failing model.
            return
        del self._open[run_id]
        ok = data.get("phase") == "end" and not data.get("aborted")
        _LOGGER.debug(
            "Foreign run ended: ok: %s, complete: %s, %s characters, %s media",
            ok,
            complete,
            len(text),
            len(media),
        )
        if ok and complete and has_reply:
            follower.run_ended(ForeignRun(run_id, session_key, text, media))
