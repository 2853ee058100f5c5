"""A scripted Gateway on a real loopback socket."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
import secrets
from ssl import SSLContext
import time
from typing import Any, Self
import uuid

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as HttpRequest, Response

from .agent_list import AGENTS, Agent
from .connection import Peer
from .devices import Devices
from .faults import Faults
from .recordings import V3, Frame
from .refusals import HTTP_STATUS
from .runs import Run, Runs
from .script import Step, obey
from .snapshots import health, presence

POLICY = {3: 524_288, 4: 26_214_400}
AN_HOUR = 3600.0


@dataclass
class GatewaySimulator(Faults):
    """A Gateway that behaves as recorded, until a script says otherwise.

    ``delay``: seconds between the words of a reply; ``policy`` overrides
    entries of hello-ok's policy; ``mode``: what ``token`` is, a ``token`` or a
    ``password``; ``pairing``: devices need approval; ``clock_shift_ms``: how far
    the Gateway's clock is ahead; ``agents``: the first one is the default;
    ``device_id``: what the Gateway is known by (protocol 4).
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
    ssl: SSLContext | None = None
    host: str = field(default="127.0.0.1", init=False)
    peers: list[Peer] = field(default_factory=list, init=False)
    seq: int = field(default=0, init=False)
    presence_version: int = field(default=1, init=False)
    health_version: int = field(default=1, init=False)
    started_at: float = field(
        default_factory=lambda: time.monotonic() - AN_HOUR, init=False
    )

    _accepted: int = field(default=0, init=False)
    _server: Server | None = field(default=None, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        """Remember no device and no run yet."""
        self.devices = Devices(self.protocol)
        self.runs = Runs(self)

    async def __aenter__(self) -> Self:
        """Start to listen."""
        await self.resume()
        self.spawn(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop at once; an error inside the simulator comes out here."""
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
        """Return the address to connect to."""
        return f"{'wss' if self.ssl else 'ws'}://{self.host}:{self.port}"

    @property
    def connections(self) -> list[Peer]:
        """Return the clients that are past the handshake."""
        return [peer for peer in self.peers if peer.connected and not peer.dropped]

    @property
    def max_payload(self) -> int:
        """Return the size in bytes of the largest frame that is accepted."""
        return int(self.policy.get("maxPayload", POLICY[self.protocol]))

    @property
    def state_version(self) -> dict[str, int]:
        """Return the versions of what the Gateway tells by itself."""
        return {"presence": self.presence_version, "health": self.health_version}

    def now_ms(self) -> int:
        """Return the Gateway's time in milliseconds."""
        return time.time_ns() // 1_000_000 + self.clock_shift_ms

    def uptime_ms(self) -> int:
        """Return the milliseconds since the process started: an hour, then anew."""
        return round((time.monotonic() - self.started_at) * 1000)

    async def resume(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await serve(
            self._accept,
            self.host,
            self.port,
            ssl=self.ssl,
            process_request=self._upgrade,
            compression=None,
            max_size=self.max_payload,
            ping_interval=None,
            close_timeout=1,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def suspend(self) -> None:
        """Refuse connections as if no Gateway ran, and close those there are."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def restart(self, *, resume: bool = True) -> None:
        """Announce a restart, close with 1012 and, if wanted, come back.

        Protocol 3 restarts in the process, so its runs go on if it comes back.
        Protocol 4 waits for the runs, says no time, and remembers only the
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
        """End at once with every run; only the sessions' history is kept."""
        self.drop()
        for run in self.runs.active():
            run.crash()
        self.runs.by_id.clear()
        await self.suspend()
        self.started_at = time.monotonic()

    def drop(self) -> None:
        """Cut every connection without a close frame (1006 for the client)."""
        for peer in list(self.peers):
            peer.drop()

    def stall(self) -> None:
        """Take in nothing any more, not even a ping, as a machine that has gone."""
        for peer in self.peers:
            peer.connection.transport.pause_reading()

    def approve(self, request_id: str) -> Frame:
        """Approve a device that waits, and return it."""
        device = self.devices.approve(request_id)
        resolved = {
            "requestId": request_id,
            "deviceId": device["deviceId"],
            "decision": "approved",
            "ts": self.now_ms(),
        }
        self.broadcast("device.pair.resolved", resolved, scope="operator.pairing")
        return device

    def run(
        self, message: str, *steps: Step, session_key: str = "agent:main:main"
    ) -> Run:
        """Start a run that no client asked for."""
        params = {
            "message": message,
            "sessionKey": session_key,
            "idempotencyKey": uuid.uuid4().hex,
        }
        return self.runs.start(params, steps or obey(message))

    def broadcast(
        self,
        event: str,
        payload: Frame,
        *,
        cap: str | None = None,
        scope: str | None = None,
        versioned: bool = False,
    ) -> None:
        """Send an event to every client that may see it and can take it."""
        self.seq += 1
        for peer in self.connections:
            wants = cap is None or cap in peer.params.get("caps", [])
            if wants and (scope is None or scope in peer.scopes):
                peer.send_event(event, payload, versioned=versioned)

    def send_raw(self, message: str | bytes) -> None:
        """Send text or bytes as they are to every client."""
        for peer in self.connections:
            peer.send(message)

    def greet(self) -> None:
        """Tell everybody that a client came."""
        self.presence_version += 1
        if self.protocol == V3:
            self._tell_health()
        else:
            self._tell_presence()
            if self.health_version == 1:
                self._tell_health()
        self.note_change()

    async def refresh_health(self) -> None:
        """Look at the Gateway's health and tell everybody."""
        self._tell_health()

    def spawn(self, coroutine: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run something beside the connections, until the Gateway stops."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def rest(self, seconds: float) -> None:
        """Let time pass, unless it is none."""
        if seconds:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopping.wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Forget a task that did its work; keep one that failed."""
        if task.cancelled() or not task.exception():
            self._tasks.discard(task)
        self.note_change()

    async def _tick(self) -> None:
        """Send a tick in every interval."""
        seconds = self.policy.get("tickIntervalMs", 30_000) / 1000
        while not self._stopping.is_set():
            await self.rest(seconds)
            self.broadcast("tick", {"ts": self.now_ms()})

    def _tell_presence(self) -> None:
        """Tell everybody who is connected."""
        shown = {"presence": presence(self)}
        self.broadcast("presence", shown, versioned=True)

    def _tell_health(self) -> None:
        """Tell everybody how the Gateway is."""
        self.health_version += 1
        self.broadcast("health", health(self), versioned=True)

    def _upgrade(self, connection: ServerConnection, _: HttpRequest) -> Response | None:
        """Refuse the upgrade if a script orders it."""
        self.attempts += 1
        self.note_change()
        if refusal := self.next_refusal(upgrade=True):
            status = HTTPStatus(HTTP_STATUS[refusal])
            return connection.respond(status, f"{status.phrase}\n")
        return None

    async def _accept(self, connection: ServerConnection) -> None:
        """Serve a connection to its end."""
        self._accepted += 1
        refusal = self.next_refusal(upgrade=False)
        peer = Peer(self, connection, self._accepted, refusal)
        self.peers.append(peer)
        try:
            with suppress(ConnectionClosed):
                await peer.serve()
        finally:
            self.peers.remove(peer)
            if peer.connected:
                self.presence_version += 1
                self._tell_presence()
            self.note_change()
