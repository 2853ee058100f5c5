"""What a test can make the Gateway do."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .recordings import Frame
from .refusals import HTTP_STATUS, Refusal
from .request_log import Seen
from .script import Script, Step, obey
from .wire_faults import Line

if TYPE_CHECKING:
    from .connection import Item


@dataclass
class Faults(Seen):
    """Scripts of runs, and faults around handshakes and requests."""

    line: Line = field(default_factory=Line, init=False)
    muted: bool = field(default=False, init=False)
    paused: int = field(default=0, init=False)
    duplicated: set[str] = field(default_factory=set, init=False)
    befores: dict[str, tuple[Item, ...]] = field(default_factory=dict, init=False)
    afters: dict[str, tuple[Item, ...]] = field(default_factory=dict, init=False)
    _refusal: Refusal | None = field(default=None, init=False)
    _refusals_left: int | None = field(default=None, init=False)
    _holds: dict[str, asyncio.Event] = field(default_factory=dict, init=False)
    _edits: dict[str, Callable[[Frame], None]] = field(default_factory=dict, init=False)
    _every: Script | None = field(default=None, init=False)
    _once: deque[Script] = field(default_factory=deque, init=False)
    _go: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(0), init=False
    )

    def script(self, *steps: Step) -> None:
        """Set what every run does from now on."""
        self._every = steps

    def script_once(self, *steps: Step) -> None:
        """Set what the next run does, after those set before."""
        self._once.append(steps)

    def next_script(self, message: str) -> Script:
        """Return what a run that starts now does."""
        if self._once:
            return self._once.popleft()
        return obey(message) if self._every is None else self._every

    def refuse(self, refusal: Refusal | None, times: int | None = None) -> None:
        """Turn the next connections away, or all of them until ``refuse(None)``."""
        self._refusal, self._refusals_left = refusal, times

    def next_refusal(self, *, upgrade: bool) -> Refusal | None:
        """Return how a connection is turned away, at its upgrade or after it."""
        if self._refusals_left == 0 or (self._refusal in HTTP_STATUS) is not upgrade:
            return None
        if self._refusals_left is not None:
            self._refusals_left -= 1
        return self._refusal

    def mute(self) -> None:
        """Read from now on, but say nothing: no challenge, answer, event, tick."""
        self.muted = True

    def unmute(self) -> None:
        """Speak again; what was asked meanwhile stays unanswered."""
        self.muted = False

    def hold(self, method: str) -> None:
        """Leave requests of a method (or ``connect``) waiting until its release."""
        self._holds[method] = asyncio.Event()

    def release(self, method: str) -> None:
        """Go on with the requests that wait, in order."""
        self._holds.pop(method).set()

    async def passage(self, method: str) -> None:
        """Wait while the method is held."""
        if hold := self._holds.get(method):
            await hold.wait()

    def duplicate(self, method: str) -> None:
        """Send every response to a method twice."""
        self.duplicated.add(method)

    def before(self, method: str, *items: Item) -> None:
        """Send items ahead of each response to a method, in one go."""
        self.befores[method] = items

    def after(self, method: str, *items: Item) -> None:
        """Send items behind each response to a method, in one go."""
        self.afters[method] = items

    def edit(self, kind: str, change: Callable[[Frame], None]) -> None:
        """Change the payload of ``connect.challenge``, ``hello-ok`` or a method.

        ``refusal`` is the error of a ``connect`` that is refused.
        """
        self._edits[kind] = change

    def edited[P](self, kind: str, payload: P) -> P:
        """Return a payload after the change that a test asked for."""
        change = self._edits.get(kind)
        if change and isinstance(payload, dict):
            change(payload)
        return payload

    def proceed(self) -> None:
        """Let one paused run, or the next to pause, go on."""
        self._go.release()

    async def wait_paused(self) -> None:
        """Wait until a run has come to a ``Pause``."""
        await self.wait_until(lambda: self.paused > 0)

    async def pause(self) -> None:
        """Wait for a call of ``proceed``."""
        self.paused += 1
        self.note_change()
        try:
            await self._go.acquire()
        finally:
            self.paused -= 1
