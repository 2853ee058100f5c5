"""Agent runs: each plays its script, one at a time in a session."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
import uuid

from .recordings import V3, Frame
from .request_log import Request
from .run_events import Narration
from .run_events_v3 import NarrationV3
from .run_events_v4 import NarrationV4
from .script import (
    Ack,
    Drop,
    Emit,
    End,
    Fail,
    Pause,
    Replace,
    Reply,
    Retry,
    Script,
    Step,
    TimeOut,
    Tool,
)

if TYPE_CHECKING:
    from .connection import Peer
    from .server import GatewaySimulator


@dataclass
class Session:
    """A conversation: the runs that began, in order, one at a time."""

    key: str
    session_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    turns: list[Narration] = field(default_factory=list)
    updated_at: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(eq=False)
class Run:
    """One agent run, and the request that it answers, if a client asked."""

    gateway: GatewaySimulator
    session: Session
    narration: Narration
    script: Script
    peer: Peer | None = None
    request: Request | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def run_id(self) -> str:
        """Return the run's id, which is the idempotency key of its request."""
        return self.narration.run_id

    def acknowledge(self) -> None:
        """Send the first response."""
        if self.peer and self.request:
            self.peer.respond(self.request, self.narration.accepted())

    async def play(self) -> None:
        """Play the script, then send the final response."""
        self.narration.queue(busy=self.session.lock.locked())
        async with self.session.lock:
            self.session.turns.append(self.narration)
            self.narration.begin()
            for step in self.script:
                await self._step(step)
            if not self.narration.outcome:
                self.narration.end()
            self._finish()

    def stop(self, reason: str) -> None:
        """Stop the run in the middle."""
        if self.task:
            self.task.cancel()
        self.narration.stop(reason)

    def crash(self) -> None:
        """End the run without a word."""
        if self.task:
            self.task.cancel()

    async def conclude(self) -> None:
        """Tell the end of a stopped run and send its final response."""
        self.narration.stopped()
        self._finish()

    async def _step(self, step: Step) -> None:
        """Do one step of the script."""
        narration = self.narration
        match step:
            case Reply():
                await self._reply(step)
            case Tool():
                narration.tool(step)
            case Replace(text):
                narration.replace(text)
            case Retry(error):
                narration.retry(error)
            case Fail(error):
                narration.fail(error)
            case TimeOut():
                narration.stop("timeout")
                narration.stopped()
            case End():
                narration.end()
            case _:
                await self._stage(step)
        if narration.waited:
            self.done.set()

    async def _stage(self, step: Step) -> None:
        """Do a step that is not the agent's."""
        match step:
            case Ack():
                self.acknowledge()
            case Pause():
                await self.gateway.pause()
            case Drop():
                self.gateway.drop()
            case Emit(event, None):
                self.gateway.send_raw(event)
            case Emit(event, payload) if isinstance(event, str):
                self.gateway.broadcast(event, dict(payload or {}))

    async def _reply(self, step: Reply) -> None:
        """Stream a text."""
        delay = self.gateway.delay if step.delay is None else step.delay
        for token in step.tokens:
            await self.gateway.rest(delay)
            self.narration.say(token, delay, whole=bool(step.chunks))

    def _finish(self) -> None:
        """Keep the result, and answer the request."""
        self.done.set()
        narration = self.narration
        if not narration.outcome:
            return
        self.session.updated_at = self.gateway.now_ms()
        if self.peer and self.request:
            self.peer.respond(
                self.request, narration.outcome.payload, narration.outcome.error
            )


@dataclass
class Runs:
    """Every run the Gateway remembers, by id, and every session, by key."""

    gateway: GatewaySimulator
    by_id: dict[str, Run] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)

    def start(
        self,
        params: Frame,
        script: Script,
        peer: Peer | None = None,
        request: Request | None = None,
    ) -> Run:
        """Start a run, acknowledge it, and let it go on by itself."""
        key = params.get("sessionKey", "agent:main:main").lower()
        session = self.sessions.setdefault(key, Session(key))
        narrate = NarrationV3 if self.gateway.protocol == V3 else NarrationV4
        narration = narrate(
            gateway=self.gateway,
            run_id=params["idempotencyKey"],
            session_key=key,
            message=params["message"],
            session_id=session.session_id,
        )
        run = Run(self.gateway, session, narration, script, peer, request)
        self.by_id[run.run_id] = run
        if not any(isinstance(step, Ack) for step in script):
            run.acknowledge()
        run.task = self.gateway.spawn(run.play())
        return run

    def active(self) -> list[Run]:
        """Return the runs that are not over."""
        return [run for run in self.by_id.values() if not run.narration.outcome]

    async def wait(self, run_id: str, timeout_ms: int) -> Frame:
        """Return what ``agent.wait`` answers, at the latest after the timeout."""
        run = self.by_id.get(run_id)
        done = run.done if run else asyncio.Event()
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await done.wait()
        except TimeoutError:
            return {"runId": run_id, "status": "timeout"}
        return (run.narration.waited if run else None) or {}
