"""Request handlers of nodes."""

from base64 import urlsafe_b64encode
import secrets
from typing import TYPE_CHECKING

import orjson

from .images import TOOL, make_image
from .nodes import PROFILES_WITHOUT_PLUGINS, UPDATE, tools_problem
from .recordings import V3, V4, Frame, payload
from .request_errors import RequestError, invalid_request
from .request_log import Request

if TYPE_CHECKING:
    from .connection import ClientConnection
    from .nodes import NodeSession
    from .server import GatewaySimulator

RESULT = "node.invoke.result"
PAIRING_CHANGED = {
    "code": "UNAVAILABLE",
    "message": "node pairing changed before request dispatch",
    "retryable": True,
    "details": {"code": "PAIRING_CHANGED"},
}


async def handle_node(
    gateway: GatewaySimulator, connection: ClientConnection, request: Request
) -> Frame:
    """Handle a request of a node.

    Raises:
        RequestError: the response is an error.
    """
    method, nodes = request.method, gateway.nodes
    known = {RESULT} if gateway.protocol == V3 or nodes.missing else {RESULT, UPDATE}
    if method not in known:
        raise invalid_request("unauthorized role: node")
    session = nodes.sessions.get(connection.params["device"]["id"])
    if session is None or session.connection is not connection or session.settling:
        if session:
            session.settling = False
        raise RequestError(PAIRING_CHANGED)
    if method == UPDATE:
        return _update_tools(gateway, session, request.params["tools"])
    return nodes.resolve(connection, request.params)


def _update_tools(
    gateway: GatewaySimulator, session: NodeSession, tools: list[Frame]
) -> Frame:
    if problem := tools_problem(tools):
        raise invalid_request(f"invalid {UPDATE} params: {problem}")
    session.declared = tools
    published = gateway.nodes.published(session)
    return {"nodeId": session.node_id, "tools": published}


async def list_nodes(
    gateway: GatewaySimulator, _: ClientConnection, __: Request
) -> Frame:
    """Return the known nodes, without the ids of pending requests."""
    nodes = gateway.nodes
    ids = dict.fromkeys((*nodes.sessions, *nodes.approved))
    return {
        "ts": gateway.now_ms(),
        "nodes": [_node_entry(gateway, node_id) for node_id in ids],
    }


def _node_entry(gateway: GatewaySimulator, node_id: str) -> Frame:
    nodes = gateway.nodes
    session = nodes.sessions.get(node_id)
    pending = any(entry["nodeId"] == node_id for entry in nodes.pending.values())
    approved = nodes.approved.get(node_id)
    states = ("approved", "pending-reapproval", "unapproved", "pending-approval")
    entry: Frame = {
        "nodeId": node_id,
        "caps": [],
        "commands": nodes.surface(session) if session else approved,
        "approvalState": states[2 * (approved is None) + pending],
        "paired": True,
        "connected": session is not None,
    }
    if session:
        client = session.connection.params["client"]
        entry |= {
            "displayName": client.get("displayName"),
            "platform": client["platform"],
            "version": client["version"],
            "clientId": client["id"],
            "clientMode": client["mode"],
            "nodePluginTools": nodes.published(session),
        }
    return entry


async def list_pairing(
    gateway: GatewaySimulator, _: ClientConnection, __: Request
) -> Frame:
    """Return the pending requests of nodes, and the approved nodes."""
    nodes = gateway.nodes
    paired = [
        {"nodeId": key, "commands": nodes.approved[key]} for key in nodes.approved
    ]
    return {"pending": list(nodes.pending.values()), "paired": paired}


async def approve_pairing(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Approve the commands of a node."""
    request_id = request.params["requestId"]
    if request_id not in gateway.nodes.pending:
        raise invalid_request("unknown requestId")
    now, approved = gateway.now_ms(), gateway.nodes.approve(request_id)
    unlisted = {"requestId", "requiredApproveScopes", "silent", "ts"}
    node = {key: value for key, value in approved.items() if key not in unlisted}
    times = {"createdAtMs": now, "approvedAtMs": now, "lastSeenAtMs": now}
    return {
        "requestId": request_id,
        "node": {**node, **times, "lastSeenReason": "connect"},
    }


async def invoke_tool(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Call a tool without a model; the tool profile does not matter.

    Only tools of nodes and the image tool are simulated.
    """
    name, params = request.params["name"], request.params
    if name == TOOL and gateway.images.image is not None:
        output = make_image(gateway, params)
        return {"ok": True, "toolName": name, "output": output, "source": "core"}
    found = gateway.nodes.tools().get(name)
    if found is None:
        error = {"code": "not_found", "message": f"Tool not available: {name}"}
        return {"ok": False, "toolName": name, "error": error}
    key = params.get("idempotencyKey", gateway.now_ms())
    session_key = params.get("sessionKey", "agent:main:main").lower()
    args = params.get("args", {})
    result = await gateway.nodes.call_tool(
        found, args, f"rpc-direct-{key}", session_key
    )
    if not result["ok"]:
        error = {"code": "internal_error", "message": "tool execution failed"}
        return {"ok": False, "toolName": name, "error": error}
    output = dict(result["payload"])
    if mcp := found[1].get("mcp"):
        output["details"] = {"mcpServer": mcp["server"], "mcpTool": mcp["tool"]}
    return {"ok": True, "toolName": name, "output": output, "source": "plugin"}


async def effective_tools(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Return the tools of the agent in a session."""
    key, nodes = request.params["sessionKey"], gateway.nodes
    if key.lower() not in gateway.runs.sessions:
        raise invalid_request(f'unknown session key "{key}"')
    result: Frame = payload(V4, "node_tools_effective", "tools.effective")
    result |= {"agentId": key.split(":")[1], "profile": nodes.profile}
    recorded = {group["id"]: group for group in result["groups"]}
    kept = [
        tool
        for tool in recorded["plugin"]["tools"]
        if tool["pluginId"] != "homeassistant"
        and nodes.profile not in PROFILES_WITHOUT_PLUGINS
    ]
    template = recorded["mcp"]["tools"][0]
    entries: dict[str, list[Frame]] = {"plugin": kept, "mcp": []}
    for name, (session, tool) in nodes.visible().items():
        source = "mcp" if "mcp" in tool else "plugin"
        node = session.connection.params["client"].get("displayName")
        text = f"{tool['description']} (node: {node})"
        names = {"id": name, "label": name, "pluginId": tool["pluginId"]}
        texts = {"description": text, "rawDescription": text, "source": source}
        entries[source].append(template | names | texts)
    groups = [recorded["core"]]
    if gateway.images.image is not None:
        image = {"id": TOOL, "label": TOOL, "description": TOOL, "source": "core"}
        groups = [recorded["core"] | {"tools": [*recorded["core"]["tools"], image]}]
    for source, tools in entries.items():
        if tools:
            groups.append(recorded[source] | {"tools": tools})
    return result | {"groups": groups}


async def get_config(
    gateway: GatewaySimulator, _: ClientConnection, __: Request
) -> Frame:
    """Return the configuration, with the settings of tools."""
    result: Frame = payload(gateway.protocol, "rpc_survey", "config.get")
    nodes = gateway.nodes
    tools: Frame = {} if nodes.profile == "full" else {"profile": nodes.profile}
    if nodes.also_allow:
        tools["alsoAllow"] = nodes.also_allow
    if nodes.session_visibility:
        tools["sessions"] = {"visibility": nodes.session_visibility}
    if tools:
        result["config"] = result["config"] | {"tools": tools}
    return result


async def invoke_command(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Invoke a command of a node, with any session key."""
    params = request.params
    node_id, command = params["nodeId"], params["command"]
    result = await gateway.nodes.invoke(
        node_id,
        command,
        params.get("params"),
        timeout_ms=params.get("timeoutMs", 30_000),
        key=params["idempotencyKey"],
        session_key=params.get("sessionKey"),
    )
    if not result["ok"]:
        node_error = result["error"]
        message = f"{node_error['code']}: {node_error['message']}"
        error = {"code": "UNAVAILABLE", "message": message}
        raise RequestError(error | {"details": {"nodeError": node_error}})
    payload = {"payload": result["payload"], "payloadJSON": None}
    return {"ok": True, "nodeId": node_id, "command": command, **payload}


async def issue_setup_code(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Issue a setup code, which is the content of a node link."""
    token, url = secrets.token_urlsafe(32), request.params.get("publicUrl", gateway.url)
    gateway.devices.bootstrap_tokens.add(token)
    expires_at = gateway.now_ms() + 600_000
    content = {"url": url, "bootstrapToken": token, "expiresAtMs": expires_at}
    return {
        "setupId": token[:8],
        "expiresAtMs": expires_at,
        "setupCode": urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("="),
        "gatewayUrl": url,
        "auth": gateway.mode,
        "urlSource": "request.publicUrl",
        "access": request.params.get("bootstrapProfile", "full"),
    }
