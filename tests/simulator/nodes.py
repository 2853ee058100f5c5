"""Nodes, their pairing and calls."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
import re
from typing import TYPE_CHECKING
import uuid

import orjson

from .recordings import V3, V4, Frame, payload

if TYPE_CHECKING:
    from .connection import ClientConnection
    from .server import GatewaySimulator

CALL_TOOL = "mcp.tools.call.v1"
UPDATE = "node.pluginTools.update"
MAX_TOOLS = 128
MAX_DESCRIPTION = 1024
# Platforms other than these leave a node without its commands.
PLATFORMS = {"linux", "darwin", "windows"}
# What the Gateway asks again after NODE_NOT_READY.
MAX_ATTEMPTS = 5
PLAIN_TIMEOUT_MS, MCP_TIMEOUT_MS = 30_000, 120_000
PROFILES_WITHOUT_PLUGINS = {"coding", "messaging", "minimal"}
# Of the broadcasts, a node gets these.
NODE_EVENTS = {"tick", "health", "shutdown"}
DISCONNECTED = {
    "code": "MCP_SERVER_UNAVAILABLE",
    "message": "node host disconnected during MCP tool call",
}
NOT_CONNECTED = {"code": "NOT_CONNECTED", "message": "node not connected"}
TIMEOUT = {"code": "TIMEOUT", "message": "node invoke timed out"}
FRAGMENT = 32


@dataclass(eq=False)
class NodeSession:
    """Connection that holds a node's key, with the tools that it declared.

    ``settling``: the next request is refused once, as after a bootstrap.
    """

    connection: ClientConnection
    declared: list[Frame] = field(default_factory=list)
    settling: bool = False

    @property
    def node_id(self) -> str:
        """Return the node's id."""
        return str(self.connection.params["device"]["id"])

    @property
    def commands(self) -> list[str]:
        """Return the commands that the node declares."""
        if self.connection.params["client"]["platform"] not in PLATFORMS:
            return []
        return list(self.connection.params.get("commands", []))


@dataclass(eq=False)
class Invocation:
    """Call that a node has not answered yet."""

    id: str
    session: NodeSession
    result: asyncio.Future[Frame]


@dataclass
class Nodes:
    """Nodes of a Gateway.

    ``approved`` maps node ids to their approved commands; ``missing``: the Gateway
    has no plugin tools, like OpenClaw before 2026.8.1; ``enabled``: its setting
    ``gateway.nodes.pluginTools.enabled``; ``requires_mcp``: it takes no descriptor
    without ``mcp``; ``tool_search``: agents call tools by ``tool_call``;
    ``timeout_ms``: what nodes are told of the timeouts of calls; ``retry_delay``:
    seconds between the attempts after NODE_NOT_READY.
    """

    gateway: GatewaySimulator
    approved: dict[str, list[str]] = field(default_factory=dict)
    pending: dict[str, Frame] = field(default_factory=dict)
    sessions: dict[str, NodeSession] = field(default_factory=dict)
    invocations: dict[str, Invocation] = field(default_factory=dict)
    missing: bool = False
    enabled: bool = True
    requires_mcp: bool = False
    tool_search: bool = True
    timeout_ms: int | None = None
    retry_delay: float = 0.0
    profile: str = "full"
    also_allow: list[str] = field(default_factory=list)
    session_visibility: str | None = None
    _calls: count[int] = field(default_factory=count)

    def connect(self, connection: ClientConnection) -> None:
        """Let a connection hold its node; another one loses it."""
        for event, recorded in _greetings(self.gateway.protocol):
            connection.send({"type": "event", "event": event, "payload": recorded})
        session = NodeSession(connection)
        if held := self.sessions.get(session.node_id):
            self.disconnect(held.connection)
        self.sessions[session.node_id] = session
        if self.gateway.protocol == V3:
            return
        if "bootstrapToken" in connection.params.get("auth", {}):
            self.approved[session.node_id] = session.commands
            session.settling = True
        if not set(session.commands) <= set(self.approved.get(session.node_id, [])):
            self._request_approval(session)

    def disconnect(self, connection: ClientConnection) -> None:
        """Let a connection lose its node; its calls fail."""
        for node_id, session in list(self.sessions.items()):
            if session.connection is connection:
                del self.sessions[node_id]
        for invocation in list(self.invocations.values()):
            if invocation.session.connection is connection:
                _set(invocation, {"ok": False, "error": DISCONNECTED})
        self.gateway.notify()

    def holds(self, connection: ClientConnection) -> bool:
        """Return whether a connection still holds its node."""
        return any(held.connection is connection for held in self.sessions.values())

    def revoke(self, node_id: str) -> None:
        """Remove a node, and close its connection as the Gateway does."""
        self.approved.pop(node_id, None)
        self.gateway.devices.forget(node_id)
        if session := self.sessions.get(node_id):
            self.disconnect(session.connection)
            self.gateway.spawn(_close(session.connection))

    def approve(self, request_id: str) -> Frame:
        """Approve the commands of a node; tell it and the operators.

        Raises:
            KeyError: no such request is pending.
        """
        request = self.pending.pop(request_id)
        node_id = request["nodeId"]
        self.approved[node_id] = request["commands"]
        resolved = {
            "requestId": request_id,
            "nodeId": node_id,
            "decision": "approved",
            "ts": self.gateway.now_ms(),
        }
        event = "node.pair.resolved"
        self.gateway.broadcast(event, resolved, scope="operator.pairing")
        if session := self.sessions.get(node_id):
            session.connection.send(
                {"type": "event", "event": event, "payload": resolved}
            )
        self.gateway.notify()
        return request

    def surface(self, session: NodeSession) -> list[str]:
        """Return the declared commands that are approved."""
        approved = self.approved.get(session.node_id, [])
        return [command for command in session.commands if command in approved]

    def published(self, session: NodeSession) -> list[Frame]:
        """Return the declared tools that the Gateway takes, by name."""
        allowed = self.surface(session) if self.enabled else []
        tools: dict[str, Frame] = {}
        for tool in session.declared:
            reserved = tool["pluginId"] == "node-mcp" and "mcp" not in tool
            lacks_mcp = self.requires_mcp and "mcp" not in tool
            if tool.get("command") in allowed and not reserved and not lacks_mcp:
                tools.setdefault(tool["name"], _normalized(tool))
        ordered = sorted(tools.values(), key=lambda tool: _collated(tool["name"]))
        return ordered[:MAX_TOOLS]

    def tools(self) -> dict[str, tuple[NodeSession, Frame]]:
        """Return the tools of all nodes by the name that agents see.

        Nodes with a tool of the same name get another one, both of them.
        """
        found = [
            (session, tool)
            for session in self.sessions.values()
            for tool in self.published(session)
        ]
        names = [tool["name"].lower() for _, tool in found]
        return {
            tool["name"]
            if names.count(tool["name"].lower()) == 1
            else f"{_fragment(session.node_id)}_{tool['name']}"[:64]: (session, tool)
            for session, tool in found
        }

    def visible(self) -> dict[str, tuple[NodeSession, Frame]]:
        """Return the tools that the tool profile does not hide from agents."""
        hidden = self.profile in PROFILES_WITHOUT_PLUGINS
        return {
            name: (session, tool)
            for name, (session, tool) in self.tools().items()
            if not hidden or {tool["pluginId"], name} & set(self.also_allow)
        }

    async def call(
        self,
        name: str,
        args: Frame,
        *,
        session_key: str | None = "agent:main:main",
        call_id: str | None = None,
        listed: bool = True,
    ) -> Frame:
        """Call a tool as an agent does; return the node's result.

        ``listed``: by way of Tool Search, if the Gateway has it on.
        """
        found = self.tools().get(name)
        if found is None:
            return {"ok": False, "error": NOT_CONNECTED}
        call_id = call_id or f"call_0_{next(self._calls)}"
        searched = listed and self.tool_search
        key = f"tool_search_code:{call_id}:{name}:1" if searched else call_id
        return await self.call_tool(found, args, key, session_key)

    async def call_tool(
        self,
        found: tuple[NodeSession, Frame],
        args: Frame,
        key: str,
        session_key: str | None,
    ) -> Frame:
        """Call a tool of ``tools()``."""
        session, tool = found
        return await self.invoke(
            session.node_id,
            tool["command"],
            {**tool["mcp"], "arguments": args} if "mcp" in tool else args,
            timeout_ms=MCP_TIMEOUT_MS if "mcp" in tool else PLAIN_TIMEOUT_MS,
            key=key,
            session_key=session_key,
        )

    async def invoke(  # noqa: PLR0913 - most have a default
        self,
        node_id: str,
        command: str,
        params: object = None,
        *,
        timeout_ms: int = PLAIN_TIMEOUT_MS,
        key: str = "",
        session_key: str | None = None,
    ) -> Frame:
        """Invoke a command, again while the node is not ready."""
        request = {
            "nodeId": node_id,
            "command": command,
            "paramsJSON": None if params is None else orjson.dumps(params).decode(),
            "timeoutMs": timeout_ms,
            "idempotencyKey": key or uuid.uuid4().hex,
            **({"sessionKey": session_key} if session_key else {}),
        }
        for _ in range(MAX_ATTEMPTS):
            result = await self._invoke_once({"id": str(uuid.uuid4()), **request})
            if result.get("error", {}).get("code") != "NODE_NOT_READY":
                break
            await asyncio.sleep(self.retry_delay)
        return result

    def resolve(self, connection: ClientConnection, params: Frame) -> Frame:
        """Handle a result and ignore late ones."""
        invocation = self.invocations.get(params["id"])
        held = invocation is not None and invocation.session.connection is connection
        if not invocation or not held or invocation.result.done():
            return {"ok": True, "ignored": True}
        _set(invocation, params)
        return {"ok": True}

    def expire(self) -> None:
        """Let all open calls time out now."""
        for invocation in self.invocations.values():
            _set(invocation, {"ok": False, "error": TIMEOUT})

    async def _invoke_once(self, request: Frame) -> Frame:
        """Send one request to the node and wait for its result."""
        session = self.sessions.get(request["nodeId"])
        if session is None:
            return {"ok": False, "error": NOT_CONNECTED}
        loop = asyncio.get_running_loop()
        invocation = Invocation(request["id"], session, loop.create_future())
        self.invocations[invocation.id] = invocation
        untold = {"timeoutMs", "sessionKey"} if self.gateway.protocol == V3 else set()
        sent = {key: value for key, value in request.items() if key not in untold}
        if self.timeout_ms and "timeoutMs" in sent:
            sent["timeoutMs"] = self.timeout_ms
        send_event(session.connection, "node.invoke.request", sent)
        self.gateway.notify()
        answered = False
        try:
            result: Frame = {"ok": False, "error": TIMEOUT}
            with suppress(TimeoutError):
                async with asyncio.timeout(request["timeoutMs"] / 1000):
                    result = await invocation.result
            answered = result.get("error") is not TIMEOUT
            return result
        finally:
            del self.invocations[invocation.id]
            if not answered and self.holds(session.connection):
                cancel = {"invokeId": invocation.id, "nodeId": session.node_id}
                send_event(session.connection, "node.invoke.cancel", cancel)

    def _request_approval(self, session: NodeSession) -> None:
        """Add a pending request, and tell the operators."""
        for request in self.pending.values():
            if request["nodeId"] == session.node_id:
                return
        recorded = payload(V4, "node_pair_operator_approves", "node.pair.list")
        client = session.connection.params["client"]
        request = recorded["pending"][0] | {
            "requestId": str(uuid.uuid4()),
            "nodeId": session.node_id,
            "displayName": client.get("displayName"),
            "platform": client["platform"],
            "version": client["version"],
            "commands": session.commands,
            "ts": self.gateway.now_ms(),
        }
        self.pending[request["requestId"]] = request
        event = "node.pair.requested"
        self.gateway.broadcast(event, request, scope="operator.pairing")


def send_event(connection: ClientConnection, event: str, data: Frame) -> None:
    """Send an event to a node; such frames have no sequence number."""
    data = connection.gateway.apply_edit(f"event {event}", dict(data))
    connection.send({"type": "event", "event": event, "payload": data})


def tools_problem(tools: list[Frame]) -> str:
    """Validate descriptors as the schema does; empty if they are valid."""
    problems = [
        problem
        for number, tool in enumerate(tools)
        for problem in _descriptor_problems(f"/tools/{number}", tool)
    ]
    return "; ".join(problems)


KNOWN_FIELDS = {"pluginId", "name", "description", "parameters", "command", "mcp"}
NAME = "^[A-Za-z][A-Za-z0-9_-]{0,63}$"


def _descriptor_problems(at: str, tool: Frame) -> list[str]:
    name = tool.get("name", "")
    problems = []
    if len(name) > 64:
        problems.append(f"at {at}/name: must not have more than 64 characters")
    if not re.fullmatch(NAME, name):
        problems.append(f'at {at}/name: must match pattern "{NAME}"')
    if not tool.get("description"):
        problems.append(f"at {at}/description: must not have fewer than 1 characters")
    problems += [
        f"at {at}: unexpected property '{key}'"
        for key in tool
        if key not in KNOWN_FIELDS
    ]
    return problems


def _fragment(node_id: str) -> str:
    """Return the part of a node's id that tells its tools from another's."""
    return (node_id if node_id[0].isalpha() else f"node_{node_id}")[:FRAGMENT]


def _normalized(tool: Frame) -> Frame:
    """Return a descriptor as the Gateway repeats it."""
    return {
        "pluginId": tool["pluginId"],
        "name": tool["name"],
        "description": tool["description"][:MAX_DESCRIPTION],
        "parameters": tool["parameters"],
        "command": tool["command"],
        **({"mcp": tool["mcp"]} if "mcp" in tool else {}),
    }


def _collated(name: str) -> tuple[str, str]:
    """Return the key by which JavaScript orders names: lower case first."""
    return name.lower(), name.swapcase()


def _greetings(protocol: int) -> list[tuple[str, Frame]]:
    """Return the events that a node gets after its handshake."""
    words = ["clawd" if protocol == V3 else "openclaw", "claude", "computer"]
    routing = {
        "version": 1,
        "defaultTarget": {"mode": "current"},
        "routes": [],
        "updatedAtMs": 0,
    }
    greetings: list[tuple[str, Frame]] = [("voicewake.changed", {"triggers": words})]
    if protocol != V3:
        greetings.append(("voicewake.routing.changed", {"config": routing}))
    return greetings


def _set(invocation: Invocation, result: Frame) -> None:
    if not invocation.result.done():
        invocation.result.set_result(result)


async def _close(connection: ClientConnection) -> None:
    """Close the connection of a node that was removed."""
    await connection.websocket.close(4001, "device removed")
