"""Runs, one at a time per session."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
import uuid

from .delivery import delivered
from .recordings import V3, Frame
from .request_log import Request
from .run_events import RunEvents
from .run_events_v3 import RunEventsV3
from .run_events_v4 import RunEventsV4
from .script import (
    Ack,
    AskUser,
    CallTool,
    Drop,
    Emit,
    End,
    Fail,
    Media,
    Pause,
    Replace,
    Reply,
    ReplyResult,
    Retry,
    Script,
    Spawn,
    Step,
    TimeOut,
    Tool,
)

NOT_FOUND = {"code": "not_found", "message": "Unknown tool id"}

if TYPE_CHECKING:
    from .connection import ClientConnection
    from .server import GatewaySimulator


@dataclass
class Session:
    """Session and its started runs, in order."""

    key: str
    session_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    turns: list[RunEvents] = field(default_factory=list)
    updated_at: int = 0
    archived_at: int = 0
    model: str | None = None
    spawned_by: str | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(eq=False)
class Run:
    """Agent run, and the client's request, if any."""

    gateway: GatewaySimulator
    session: Session
    events: RunEvents
    script: Script
    connection: ClientConnection | None = None
    request: Request | None = None
    spawns: list[tuple[Spawn, Frame]] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def run_id(self) -> str:
        """Return the run id, the idempotency key of its request."""
        return self.events.run_id

    def acknowledge(self) -> None:
        """Send the first response."""
        if self.connection and self.request:
            accepted = self.events.accepted_payload()
            self.connection.respond(
                self.request, self.gateway.apply_edit("agent accepted", accepted)
            )

    async def run_script(self) -> None:
        """Run the script and send the final response."""
        self.events.queue(busy=self.session.lock.locked())
        async with self.session.lock:
            self.session.turns.append(self.events)
            self.events.start()
            for step in self.script:
                await self._run_step(step)
            if not self.events.outcome:
                self.events.complete()
            self._finish()

    def stop(self, reason: str) -> None:
        """Stop the run."""
        if self.task:
            self.task.cancel()
        self.events.stop(reason)

    def crash(self) -> None:
        """End the run without events."""
        if self.task:
            self.task.cancel()

    async def finish_stopped(self) -> None:
        """Emit the end of a stopped run and respond."""
        self.events.finish_stopped()
        self._finish()

    async def _run_step(self, step: Step) -> None:
        """Run one step of the script."""
        events = self.events
        match step:
            case Reply():
                await self._stream_reply(step)
            case Tool():
                events.emit_tool_call(step)
            case Spawn():
                self._accept_spawn(step)
            case Replace(text):
                events.replace_text(text)
            case Retry(error):
                events.retry(error)
            case Fail(error):
                events.fail(error)
            case TimeOut():
                events.stop("timeout")
                events.finish_stopped()
            case End():
                events.complete()
            case _:
                await self._run_gateway_step(step)
        if events.wait_result:
            self.done.set()

    def _accept_spawn(self, step: Spawn) -> None:
        """Accept a sub-agent, which starts once the run has ended."""
        child = {
            "runId": str(uuid.uuid4()),
            "childSessionKey": f"agent:{self.events.agent_id}:subagent:{uuid.uuid4()}",
            "expectsCompletionMessage": True,
        }
        self.spawns.append((step, child))
        self.events.emit_tool_call(Tool("sessions_spawn", {"task": "look it up"}))

    async def _run_gateway_step(self, step: Step) -> None:
        """Run a step of the Gateway, a connection or a node."""
        match step:
            case Media(references):
                self.events.emit_media(list(references))
            case CallTool():
                await self._call_tool(step)
            case AskUser():
                await self._ask_user(step)
            case ReplyResult(prefix):
                await self._stream_reply(Reply(prefix + self.events.tool_text))
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

    async def _call_tool(self, step: CallTool) -> None:
        """Call a tool of a node."""
        call_id = self.events.start_node_call(step)
        key, nodes = self.session.key, self.gateway.nodes
        result: Frame = {"ok": False, "error": NOT_FOUND}
        if step.name in nodes.visible():
            args = dict(step.args)
            result = await nodes.call(step.name, args, session_key=key, call_id=call_id)
        self.events.end_node_call(step, result)

    async def _ask_user(self, step: AskUser) -> None:
        """Ask the user by the agent's own tool."""
        call = CallTool(
            "ask_user", {"questions": step.questions, "timeoutSeconds": step.timeout}
        )
        self.events.start_node_call(call)
        text = await self.gateway.questions.ask(self, step)
        payload = {"content": [{"type": "text", "text": text}]}
        self.events.end_node_call(call, {"ok": True, "payload": payload})

    async def _stream_reply(self, step: Reply) -> None:
        """Stream the text of a reply."""
        delay = self.gateway.delay if step.delay is None else step.delay
        for token in step.tokens:
            await self.gateway.wait_or_stop(delay)
            self.events.emit_text(token, delay, whole=bool(step.chunks))

    def _finish(self) -> None:
        """Update the session and send the final response."""
        self.done.set()
        events = self.events
        if not events.outcome:
            return
        self.session.updated_at = self.gateway.now_ms()
        for step, child in self.spawns:
            self.gateway.spawn(run_subagent(self, step, child))
        if self.spawns and self.gateway.protocol != V3:
            accepted = [child for _, child in self.spawns]
            events.outcome.payload["result"]["acceptedSessionSpawns"] = accepted
        if self.request and self.gateway.protocol != V3:
            events.outcome = delivered(events.outcome, self.request.params)
        if self.connection and self.request:
            payload = self.gateway.apply_edit("agent", dict(events.outcome.payload))
            self.connection.respond(self.request, payload, events.outcome.error)


async def run_subagent(parent: Run, step: Spawn, child: Frame) -> None:
    """Run a sub-agent, and tell of its end in the session that started it."""
    runs, key = parent.gateway.runs, child["childSessionKey"]
    params = {"message": "look it up", "sessionKey": key}
    run = runs.start(params | {"idempotencyKey": child["runId"]}, step.child)
    run.session.spawned_by = parent.session.key
    await run.done.wait()
    run_id = str(uuid.uuid4())
    if parent.gateway.protocol != V3:
        run_id = f"announce:v1:{key}:{child['runId']}"
    params = {"message": "A sub-agent has ended.", "sessionKey": parent.session.key}
    runs.start(params | {"idempotencyKey": run_id}, step.completion)


@dataclass
class Runs:
    """Known runs by id, and sessions by key."""

    gateway: GatewaySimulator
    by_id: dict[str, Run] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)

    def start(
        self,
        params: Frame,
        script: Script,
        connection: ClientConnection | None = None,
        request: Request | None = None,
    ) -> Run:
        """Start a run in the background and acknowledge it."""
        key = params.get("sessionKey", "agent:main:main").lower()
        quiet = bool(params.get("modelRun"))
        session = Session(key) if quiet else self.sessions.setdefault(key, Session(key))
        events_type = RunEventsV3 if self.gateway.protocol == V3 else RunEventsV4
        events = events_type(
            gateway=self.gateway,
            run_id=params["idempotencyKey"],
            session_key=key,
            message=params["message"],
            session_id=session.session_id,
            quiet=quiet,
        )
        run = Run(self.gateway, session, events, script, connection, request)
        self.by_id[run.run_id] = run
        if not any(isinstance(step, Ack) for step in script):
            run.acknowledge()
        run.task = self.gateway.spawn(run.run_script())
        return run

    def active(self) -> list[Run]:
        """Return the runs without an outcome."""
        return [run for run in self.by_id.values() if not run.events.outcome]

    async def wait(self, run_id: str, timeout_ms: int) -> Frame:
        """Return the response of ``agent.wait``, at latest on timeout."""
        run = self.by_id.get(run_id)
        done = run.done if run else asyncio.Event()
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await done.wait()
        except TimeoutError:
            return {"runId": run_id, "status": "timeout"}
        return (run.events.wait_result if run else None) or {}
