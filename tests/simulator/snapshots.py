"""What the Gateway tells of itself: recorded shapes with today's values."""

from copy import deepcopy
from typing import TYPE_CHECKING

from .recordings import V3, Frame, payload

if TYPE_CHECKING:
    from .connection import Peer
    from .run_events import Narration
    from .server import GatewaySimulator


def hello(gateway: GatewaySimulator, peer: Peer, token: str | None) -> Frame:
    """Return the payload of hello-ok."""
    answer: Frame = payload(gateway.protocol, "hello_ok", "connect")
    answer["server"]["connId"] = peer.conn_id
    answer["snapshot"] |= {
        "presence": presence(gateway),
        "health": health(gateway),
        "stateVersion": gateway.state_version,
        "uptimeMs": gateway.uptime_ms(),
    }
    answer["policy"] |= gateway.policy
    granted = {"role": peer.params.get("role", "operator"), "scopes": peer.scopes}
    if token:
        issued = {"deviceToken": token, "issuedAtMs": gateway.now_ms()}
        answer["auth"] |= {**granted, **issued}
    elif gateway.protocol == V3:
        del answer["auth"]
    else:
        answer["auth"] = {"method": "token", **granted}
    return answer


def presence(gateway: GatewaySimulator) -> list[Frame]:
    """Return the Gateway and its connected clients."""
    recorded = payload(gateway.protocol, "hello_ok", "connect")["snapshot"]["presence"]
    first, client = recorded[:2] if gateway.protocol != V3 else recorded[1::-1]
    return [first, *(_present(client, peer) for peer in gateway.connections)]


def _present(template: Frame, peer: Peer) -> Frame:
    """Return a client as presence shows it."""
    client = peer.params["client"]
    device_id = peer.params.get("device", {}).get("id")
    shown = deepcopy(template) | {
        "host": client.get("displayName", client["id"]),
        "version": client["version"],
        "platform": client["platform"],
        "mode": client["mode"],
        "deviceId": device_id,
        "scopes": peer.scopes,
        "ts": peer.gateway.now_ms(),
    }
    if "instanceId" in shown:
        shown["instanceId"] = device_id
    return shown


def health(gateway: GatewaySimulator) -> Frame:
    """Return the state of health."""
    answer: Frame = payload(gateway.protocol, "rpc_survey", "health")
    return answer | {"ts": gateway.now_ms()}


def history(gateway: GatewaySimulator, key: str, limit: int) -> Frame:
    """Return the last messages of a session.

    Protocol 3 writes a session down from the first message of its agent on.
    """
    answer: Frame = payload(gateway.protocol, "agent_wait_and_history", "chat.history")
    session = gateway.runs.sessions.get(key.lower())
    templates = answer["messages"]
    messages = [
        message
        for turn in (session.turns if session else [])
        for message in _turn(gateway, templates, turn)
    ][-limit:]
    if gateway.protocol == V3 and not any(map(_is_said, messages)):
        messages = []
    answer |= {"sessionKey": key, "messages": messages}
    if session:
        answer["sessionId"] = session.session_id
    if gateway.protocol != V3:
        active = [run.run_id for run in gateway.runs.active() if run.session is session]
        answer["totalMessages"] = len(messages)
        answer["sessionInfo"] |= {
            "key": key,
            "sessionId": answer["sessionId"],
            "hasActiveRun": bool(active),
            "activeRunIds": active,
        }
    return answer


def _is_said(message: Frame) -> bool:
    """Return whether a message is the agent's."""
    return bool(message["role"] == "assistant")


def _turn(
    gateway: GatewaySimulator, templates: list[Frame], run: Narration
) -> list[Frame]:
    """Return what was asked and, so far as its segments are over, answered."""
    asked, answered = deepcopy(templates)
    asked["timestamp"] = run.started_at
    if gateway.protocol == V3:
        asked["content"] = [{"type": "text", "text": run.message}]
    else:
        key = f"{run.run_id}:user"
        asked |= {"content": run.message, "idempotencyKey": key}
        asked["__openclaw"]["idempotencyKey"] = key
        answered["__openclaw"]["runId"] = run.run_id
    over = run.segments if run.outcome else run.segments[:-1]
    said = [
        deepcopy(answered)
        | {"content": [{"type": "text", "text": text}], "stopReason": "toolUse"}
        for text in over
        if text
    ]
    if run.outcome and said:
        said[-1]["stopReason"] = "stop"
    return [asked, *said]


def session_rows(gateway: GatewaySimulator, limit: int | None) -> Frame:
    """Return the sessions, the latest first."""
    answer: Frame = payload(gateway.protocol, "rpc_survey", "sessions.list")
    template = answer["sessions"][0]
    rows = [
        deepcopy(template)
        | {
            "key": session.key,
            "sessionId": session.session_id,
            "updatedAt": session.updated_at,
        }
        for session in gateway.runs.sessions.values()
    ]
    rows.sort(key=lambda row: row["updatedAt"], reverse=True)
    shown = rows[:limit]
    answer |= {"ts": gateway.now_ms(), "count": len(shown), "sessions": shown}
    if gateway.protocol != V3:
        answer |= {"totalCount": len(rows), "hasMore": len(shown) < len(rows)}
    return answer
