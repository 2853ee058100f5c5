"""Fault injection and scripts of the simulator."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .recordings import Frame
from .refusals import HTTP_STATUS, Refusal
from .request_log import RequestLog
from .script import Script, Step, default_script
from .wire_faults import WireFaults

if TYPE_CHECKING:
    from .connection import Item


@dataclass
class Faults(RequestLog):
    """Scripts of runs and faults of requests and handshakes."""

    wire_faults: WireFaults = field(default_factory=WireFaults, init=False)
    muted: bool = field(default=False, init=False)
    paused: int = field(default=0, init=False)
    duplicated_methods: set[str] = field(default_factory=set, init=False)
    refused_methods: list[tuple[str, str]] = field(default_factory=list, init=False)
    sent_before: dict[str, tuple[Item, ...]] = field(default_factory=dict, init=False)
    sent_after: dict[str, tuple[Item, ...]] = field(default_factory=dict, init=False)
    _refusal: Refusal | None = field(default=None, init=False)
    _refusals_left: int | None = field(default=None, init=False)
    _held: dict[str, asyncio.Event] = field(default_factory=dict, init=False)
    _edits: dict[str, Callable[[Frame], None]] = field(default_factory=dict, init=False)
    _script: Script | None = field(default=None, init=False)
    _queued_scripts: deque[Script] = field(default_factory=deque, init=False)
    _proceed: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(0), init=False
    )

    def script(self, *steps: Step) -> None:
        """Set the script of all following runs."""
        self._script = steps

    def script_once(self, *steps: Step) -> None:
        """Queue a script for the next run."""
        self._queued_scripts.append(steps)

    def next_script(self, message: str) -> Script:
        """Return the script of the next run."""
        if self._queued_scripts:
            return self._queued_scripts.popleft()
        return default_script(message) if self._script is None else self._script

    def refuse(self, refusal: Refusal | None, times: int | None = None) -> None:
        """Refuse the next connections, or all until ``refuse(None)``."""
        self._refusal, self._refusals_left = refusal, times

    def next_refusal(self, *, upgrade: bool) -> Refusal | None:
        """Return the refusal of a connection, at the given stage."""
        if self._refusals_left == 0 or (self._refusal in HTTP_STATUS) is not upgrade:
            return None
        if self._refusals_left is not None:
            self._refusals_left -= 1
        return self._refusal

    def mute(self) -> None:
        """Stop sending, but keep reading."""
        self.muted = True

    def unmute(self) -> None:
        """Send again; requests received while muted stay unanswered."""
        self.muted = False

    def hold(self, method: str) -> None:
        """Hold requests of a method (or ``connect``) until released."""
        self._held[method] = asyncio.Event()

    def release(self, method: str) -> None:
        """Release held requests, in order."""
        self._held.pop(method).set()

    async def wait_released(self, method: str) -> None:
        """Wait until the method is not held."""
        if hold := self._held.get(method):
            await hold.wait()

    def duplicate(self, method: str) -> None:
        """Send each response to a method twice."""
        self.duplicated_methods.add(method)

    def refuse_method(
        self, method: str, times: int = 1, code: str = "INVALID_REQUEST"
    ) -> None:
        """Refuse the next requests of a method."""
        self.refused_methods += [(method, code)] * times

    def before(self, method: str, *items: Item) -> None:
        """Send items right before each response to a method."""
        self.sent_before[method] = items

    def after(self, method: str, *items: Item) -> None:
        """Send items right after each response to a method."""
        self.sent_after[method] = items

    def edit(self, kind: str, change: Callable[[Frame], None]) -> None:
        """Edit payloads of ``connect.challenge``, ``hello-ok`` or a method.

        ``refusal`` is the error of a ``connect`` that is refused, ``event agent`` an
        event, ``agent accepted`` the first response to ``agent``, ``agent`` the last.
        """
        self._edits[kind] = change

    def apply_edit[P](self, kind: str, payload: P) -> P:
        """Apply a test's edit to a payload."""
        change = self._edits.get(kind)
        if change and isinstance(payload, dict):
            change(payload)
        return payload

    def proceed(self) -> None:
        """Resume one paused run, or the next to pause."""
        self._proceed.release()

    async def wait_paused(self) -> None:
        """Wait until a run has reached a ``Pause``."""
        await self.wait_until(lambda: self.paused > 0)

    async def pause(self) -> None:
        """Pause a run until ``proceed`` is called."""
        self.paused += 1
        self.notify()
        try:
            await self._proceed.acquire()
        finally:
            self.paused -= 1
