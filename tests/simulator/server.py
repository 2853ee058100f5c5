"""Scripted Gateway on a real loopback socket."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
import json
import secrets
from ssl import SSLContext
import time
from typing import Any, Self
import uuid

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as HttpRequest, Response

from .agent_list import AGENTS, Agent
from .connection import ClientConnection
from .devices import Devices
from .faults import Faults
from .images import ImageTool
from .media import HttpFiles, serve_http
from .nodes import NODE_EVENTS, Nodes
from .questions import Questions
from .recordings import V3, Frame
from .refusals import HTTP_STATUS, PROXY_ERROR, SIGN_IN_PAGE, Refusal
from .runs import Run, Runs
from .script import Step, default_script
from .snapshots import health, presence
from .speech import Speech

MAX_PAYLOAD = {3: 524_288, 4: 26_214_400}
INITIAL_UPTIME = 3600.0


@dataclass
class GatewaySimulator(Faults):
    """Gateway that behaves as recorded, unless scripted otherwise.

    ``delay``: seconds between the words of a reply; ``policy`` overrides
    entries of hello-ok's policy; ``mode``: kind of ``token``, a ``token`` or a
    ``password``; ``pairing``: devices need approval; ``clock_shift_ms``: how far
    the Gateway's clock is ahead; ``agents``: the first one is the default;
    ``device_id``: identity of the Gateway (protocol 4); ``described``: rows of
    further sessions by key, None for one that it fails to read;
    ``permission_modes``: of sessions by key; ``has_permission_modes``: older versions
    of OpenClaw have none; ``service_token``: headers without which a sign-in page
    answers, to which it redirects; ``speech``: a provider of speech, if one is
    configured (protocol 4).
    """

    protocol: int = 4
    token: str = "gateway-token"
    mode: str = "token"
    port: int = 0
    delay: float = 0.0
    pairing: bool = False
    policy: dict[str, Any] = field(default_factory=dict)
    clock_shift_ms: int = 0
    agents: tuple[Agent, ...] = AGENTS
    device_id: str = field(default_factory=lambda: secrets.token_hex(32))
    described: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    permission_modes: dict[str, str | None] = field(default_factory=dict)
    has_permission_modes: bool = True
    ssl: SSLContext | None = None
    service_token: dict[str, str] = field(default_factory=dict)
    speech: Speech | None = None
    sign_in_page: str = SIGN_IN_PAGE
    host: str = field(default="127.0.0.1", init=False)
    open_connections: list[ClientConnection] = field(default_factory=list, init=False)
    upgrades: list[dict[str, str]] = field(default_factory=list, init=False)
    seq: int = field(default=0, init=False)
    presence_version: int = field(default=1, init=False)
    health_version: int = field(default=1, init=False)
    started_at: float = field(
        default_factory=lambda: time.monotonic() - INITIAL_UPTIME, init=False
    )

    _connection_count: int = field(default=0, init=False)
    _server: Server | None = field(default=None, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        """Start without devices and runs."""
        self.devices = Devices(self.protocol)
        self.http = HttpFiles()
        self.images = ImageTool()
        self.runs = Runs(self)
        self.nodes = Nodes(self)
        self.questions = Questions(self)

    async def __aenter__(self) -> Self:
        """Start listening."""
        await self.resume()
        self.spawn(self._send_ticks())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop at once and raise errors of background tasks."""
        self._stopping.set()
        self.drop()
        await self.suspend()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    @property
    def url(self) -> str:
        """Return the WebSocket URL."""
        return f"{'wss' if self.ssl else 'ws'}://{self.host}:{self.port}"

    @property
    def connections(self) -> list[ClientConnection]:
        """Return the clients with a completed handshake."""
        return [
            connection
            for connection in self.open_connections
            if connection.connected and not connection.dropped
        ]

    @property
    def max_payload(self) -> int:
        """Return the maximum frame size in bytes."""
        return int(self.policy.get("maxPayload", MAX_PAYLOAD[self.protocol]))

    @property
    def state_version(self) -> dict[str, int]:
        """Return the versions of presence and health."""
        return {"presence": self.presence_version, "health": self.health_version}

    def now_ms(self) -> int:
        """Return the Gateway's clock in milliseconds."""
        return time.time_ns() // 1_000_000 + self.clock_shift_ms

    def uptime_ms(self) -> int:
        """Return the uptime in milliseconds."""
        return round((time.monotonic() - self.started_at) * 1000)

    async def resume(self) -> None:
        """Listen, on the previous port if there was one."""
        self._server = await serve(
            self._serve_connection,
            self.host,
            self.port,
            ssl=self.ssl,
            process_request=self._process_request,
            compression=None,
            max_size=self.max_payload,
            ping_interval=None,
            close_timeout=1,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def suspend(self) -> None:
        """Stop listening and close all connections."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def restart(self, *, resume: bool = True) -> None:
        """Announce a restart, close with 1012 and optionally resume.

        Protocol 3 restarts in its process, so its runs continue if it resumes.
        Protocol 4 waits for the runs, announces no duration, and keeps only the
        sessions' history.
        """
        notice: Frame = {"reason": "gateway restarting", "restartExpectedMs": 1500}
        if self.protocol != V3:
            notice = {"reason": "gateway stopping"}
            await self.wait_until(lambda: not self.runs.active())
            self.runs.by_id.clear()
        self.broadcast("shutdown", notice)
        if self._server:
            self._server.close(code=1012, reason="service restart")
        await self.suspend()
        if not resume:
            await self.crash()
            return
        if self.protocol != V3:
            self.started_at = time.monotonic()
        await self.resume()

    async def crash(self) -> None:
        """Drop connections and runs; keep only the sessions' history."""
        self.drop()
        for run in self.runs.active():
            run.crash()
        self.runs.by_id.clear()
        await self.suspend()
        self.started_at = time.monotonic()

    def drop(self) -> None:
        """Drop every connection without a close frame (1006)."""
        for connection in list(self.open_connections):
            connection.drop()

    def stall(self) -> None:
        """Stop reading from every socket, as a hung machine does."""
        for connection in self.open_connections:
            connection.websocket.transport.pause_reading()

    def approve(self, request_id: str) -> Frame:
        """Approve a pending device and return it."""
        device = self.devices.approve(request_id)
        self.notify()
        resolved = {
            "requestId": request_id,
            "deviceId": device["deviceId"],
            "decision": "approved",
            "ts": self.now_ms(),
        }
        self.broadcast("device.pair.resolved", resolved, scope="operator.pairing")
        return device

    def reject(self, request_id: str) -> None:
        """Reject a pending device or scope upgrade."""
        resolved = {
            "requestId": request_id,
            "deviceId": self.devices.reject(request_id),
            "decision": "rejected",
            "ts": self.now_ms(),
        }
        self.broadcast("device.pair.resolved", resolved, scope="operator.pairing")
        self.notify()

    def run(
        self,
        message: str,
        *steps: Step,
        session_key: str = "agent:main:main",
        run_id: str = "",
    ) -> Run:
        """Start a run without a client's request."""
        params = {
            "message": message,
            "sessionKey": session_key,
            "idempotencyKey": run_id or uuid.uuid4().hex,
        }
        return self.runs.start(params, steps or default_script(message))

    def broadcast(
        self,
        event: str,
        payload: Frame,
        *,
        cap: str | None = None,
        scope: str | None = None,
        versioned: bool = False,
    ) -> None:
        """Broadcast an event to clients with its capability and scope."""
        self.seq += 1
        for connection in self.connections:
            accepts = cap is None or cap in connection.params.get("caps", [])
            accepts = accepts and (event in NODE_EVENTS or not connection.is_node)
            if accepts and (scope is None or scope in connection.scopes):
                connection.send_event(event, payload, versioned=versioned)

    def send_raw(self, message: str | bytes) -> None:
        """Send raw data to every client."""
        for connection in self.connections:
            connection.send(message)

    def announce_connection(self) -> None:
        """Broadcast the state after a client has connected."""
        self.presence_version += 1
        if self.protocol == V3:
            self._broadcast_health()
        else:
            self._broadcast_presence()
            if self.health_version == 1:
                self._broadcast_health()
        self.notify()

    async def refresh_health(self) -> None:
        """Broadcast a new state of health."""
        self._broadcast_health()

    def spawn(self, coroutine: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run a background task until the Gateway stops."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)
        return task

    async def wait_or_stop(self, seconds: float) -> None:
        """Wait for a delay, or until the Gateway stops."""
        if seconds:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopping.wait()

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        """Remove a finished task; keep a failed one."""
        if task.cancelled() or not task.exception():
            self._tasks.discard(task)
        self.notify()

    async def _send_ticks(self) -> None:
        """Send ticks at the policy's interval."""
        seconds = self.policy.get("tickIntervalMs", 30_000) / 1000
        while not self._stopping.is_set():
            await self.wait_or_stop(seconds)
            self.broadcast("tick", {"ts": self.now_ms()})

    def _broadcast_presence(self) -> None:
        """Broadcast the connected clients."""
        payload = {"presence": presence(self)}
        self.broadcast("presence", payload, versioned=True)

    def _broadcast_health(self) -> None:
        """Broadcast the state of health."""
        self.health_version += 1
        self.broadcast("health", health(self), versioned=True)

    def _process_request(
        self, websocket: ServerConnection, request: HttpRequest
    ) -> Response | None:
        """Refuse the WebSocket upgrade if scripted; serve files."""
        if response := serve_http(self, request):
            return response
        self.attempts += 1
        self.notify()
        self.upgrades.append(dict(request.headers.raw_items()))
        refusal = self.next_refusal(upgrade=True)
        if self.service_token.items() - request.headers.raw_items():
            refusal = Refusal.SIGN_IN
        if not refusal:
            return None
        status = HTTPStatus(HTTP_STATUS[refusal])
        body = json.dumps(PROXY_ERROR) if refusal is Refusal.PROXY else status.phrase
        response = websocket.respond(status, f"{body}\n")
        if refusal is Refusal.SIGN_IN:
            response.headers["Location"] = self.sign_in_page
        return response

    async def _serve_connection(self, websocket: ServerConnection) -> None:
        """Serve a connection until it closes."""
        self._connection_count += 1
        refusal = self.next_refusal(upgrade=False)
        connection = ClientConnection(self, websocket, self._connection_count, refusal)
        self.open_connections.append(connection)
        try:
            with suppress(ConnectionClosed):
                await connection.serve()
        finally:
            self.open_connections.remove(connection)
            self.nodes.disconnect(connection)
            if connection.connected:
                self.presence_version += 1
                self._broadcast_presence()
            self.notify()
