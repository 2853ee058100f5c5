"""Snapshots of state: recorded templates with current values."""

from copy import deepcopy
from typing import TYPE_CHECKING

from .nodes import UPDATE
from .recordings import V3, Frame, payload

if TYPE_CHECKING:
    from .connection import ClientConnection
    from .run_events import RunEvents
    from .server import GatewaySimulator


def hello(
    gateway: GatewaySimulator, connection: ClientConnection, token: str | None
) -> Frame:
    """Return the payload of hello-ok."""
    if connection.is_node:
        return node_hello(gateway, connection, token)
    result: Frame = payload(gateway.protocol, "hello_ok", "connect")
    result["server"]["connId"] = connection.conn_id
    result["snapshot"] |= {
        "presence": presence(gateway),
        "health": health(gateway),
        "stateVersion": gateway.state_version,
        "uptimeMs": gateway.uptime_ms(),
    }
    result["policy"] |= gateway.policy
    if gateway.nodes.missing:
        result["features"]["methods"].remove(UPDATE)
    granted = {
        "role": connection.params.get("role", "operator"),
        "scopes": connection.scopes,
    }
    if token:
        issued = {"deviceToken": token, "issuedAtMs": gateway.now_ms()}
        result["auth"] |= {**granted, **issued}
    elif gateway.protocol == V3:
        del result["auth"]
    else:
        result["auth"] = {"method": "token", **granted}
    return result


def node_hello(
    gateway: GatewaySimulator, connection: ClientConnection, token: str | None
) -> Frame:
    """Return the payload of a node's hello-ok."""
    name = "node_run_node" if gateway.protocol == V3 else "node_idle"
    result: Frame = payload(gateway.protocol, name, "connect")
    result["server"]["connId"] = connection.conn_id
    result["snapshot"] |= {
        "health": health(gateway),
        "stateVersion": gateway.state_version,
        "uptimeMs": gateway.uptime_ms(),
    }
    result["policy"] |= gateway.policy
    result["auth"] |= {"deviceToken": token}
    if gateway.protocol != V3:
        sent = connection.params.get("auth", {})
        names = {"bootstrapToken": "bootstrap-token", "deviceToken": "device-token"}
        methods = (method for name, method in names.items() if name in sent)
        result["auth"]["method"] = next(methods, "token")
    if gateway.nodes.missing:
        result["features"]["methods"].remove(UPDATE)
    return result


def presence(gateway: GatewaySimulator) -> list[Frame]:
    """Return presence entries of the Gateway and its clients."""
    recorded = payload(gateway.protocol, "hello_ok", "connect")["snapshot"]["presence"]
    first, client = recorded[:2] if gateway.protocol != V3 else recorded[1::-1]
    return [
        first,
        *(_presence_entry(client, connection) for connection in gateway.connections),
    ]


def _presence_entry(template: Frame, connection: ClientConnection) -> Frame:
    """Return a client's presence entry."""
    client = connection.params["client"]
    device_id = connection.params.get("device", {}).get("id")
    entry = deepcopy(template) | {
        "host": client.get("displayName", client["id"]),
        "version": client["version"],
        "platform": client["platform"],
        "mode": client["mode"],
        "deviceId": device_id,
        "scopes": connection.scopes,
        "ts": connection.gateway.now_ms(),
    }
    if "instanceId" in entry:
        entry["instanceId"] = device_id
    return entry


def health(gateway: GatewaySimulator) -> Frame:
    """Return the state of health."""
    result: Frame = payload(gateway.protocol, "rpc_survey", "health")
    return result | {"ts": gateway.now_ms()}


def history(gateway: GatewaySimulator, key: str, limit: int) -> Frame:
    """Return the last messages of a session.

    Protocol 3 stores a session with the first message of its agent.
    """
    result: Frame = payload(gateway.protocol, "agent_wait_and_history", "chat.history")
    session = gateway.runs.sessions.get(key.lower())
    templates = result["messages"]
    messages = [
        message
        for turn in (session.turns if session else [])
        for message in _turn_messages(gateway, templates, turn)
    ][-limit:]
    if gateway.protocol == V3 and not any(map(_is_from_assistant, messages)):
        messages = []
    result |= {"sessionKey": key, "messages": messages}
    if session:
        result["sessionId"] = session.session_id
    if gateway.protocol != V3:
        active = [run.run_id for run in gateway.runs.active() if run.session is session]
        result["totalMessages"] = len(messages)
        result["sessionInfo"] |= {
            "key": key,
            "sessionId": result["sessionId"],
            "hasActiveRun": bool(active),
            "activeRunIds": active,
        }
    return result


def _is_from_assistant(message: Frame) -> bool:
    """Return whether the agent sent the message."""
    return bool(message["role"] == "assistant")


def _turn_messages(
    gateway: GatewaySimulator, templates: list[Frame], run: RunEvents
) -> list[Frame]:
    """Return a run's question and its completed segments."""
    question, reply = deepcopy(templates)
    question["timestamp"] = run.started_at
    if gateway.protocol == V3:
        question["content"] = [{"type": "text", "text": run.message}]
    else:
        key = f"{run.run_id}:user"
        question |= {"content": run.message, "idempotencyKey": key}
        question["__openclaw"]["idempotencyKey"] = key
        reply["__openclaw"]["runId"] = run.run_id
    finished = run.segments if run.outcome else run.segments[:-1]
    replies = [
        deepcopy(reply)
        | {"content": [{"type": "text", "text": text}], "stopReason": "toolUse"}
        for text in finished
        if text
    ]
    if run.outcome and replies:
        replies[-1]["stopReason"] = "stop"
    return [question, *replies]


def session_rows(gateway: GatewaySimulator, params: Frame) -> Frame:
    """Return the sessions, newest first: those of a search, or that one has started."""
    spawned_by, search = params.get("spawnedBy"), params.get("search", "")
    archived = bool(params.get("archived"))
    result: Frame = payload(gateway.protocol, "rpc_survey", "sessions.list")
    template = result["sessions"][0]
    rows = [
        deepcopy(template)
        | {
            "key": session.key,
            "sessionId": session.session_id,
            "updatedAt": session.updated_at,
        }
        for session in gateway.runs.sessions.values()
        if spawned_by in (None, session.spawned_by)
        and search in session.key
        and archived is bool(session.archived_at)
    ]
    rows.sort(key=lambda row: row["updatedAt"], reverse=True)
    limited = rows[: params.get("limit")]
    result |= {"ts": gateway.now_ms(), "count": len(limited), "sessions": limited}
    if gateway.protocol != V3:
        result |= {"totalCount": len(rows), "hasMore": len(limited) < len(rows)}
    return result
