"""Sessions (OpenClaw 2026.9.6)."""

from typing import TYPE_CHECKING

from .params import ADMIN
from .recordings import V3, Frame
from .request_errors import RequestError, invalid_request, missing_scope
from .request_log import Request
from .runs import Session

if TYPE_CHECKING:
    from .connection import ClientConnection
    from .server import GatewaySimulator


PERMISSION_MODES = ("read-only", "guarded", "workspace", "full")


def require_open(gateway: GatewaySimulator, key: str) -> None:
    """Refuse a run in an archived session."""
    session = gateway.runs.sessions.get(key.lower())
    if session and session.archived_at:
        raise invalid_request(
            f'Session "{key}" is archived. Restore it before starting new work.'
        )


async def describe(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Return a session, or null."""
    key = request.params["key"]
    row = gateway.described.get(key, {})
    if row is None:
        raise RequestError({"code": "UNAVAILABLE", "message": "session store"})
    session = gateway.runs.sessions.get(key.lower())
    if key not in gateway.described and session is None:
        return {"session": None}
    described: Frame = {"key": key, "archived": False}
    if session:
        busy = any(run.session is session for run in gateway.runs.active())
        described |= {
            "key": session.key,
            "archived": bool(session.archived_at),
            "sessionId": session.session_id,
            "totalTokens": 12166,
            "status": "running" if busy else "done",
        }
    if mode := gateway.permission_modes.get(key):
        described["permissionMode"] = mode
    return {"session": described | row}


async def patch(
    gateway: GatewaySimulator, connection: ClientConnection, request: Request
) -> Frame:
    """Change the settings of a session, or archive it."""
    entry = {"updatedAt": gateway.now_ms(), **request.params}
    key = entry.pop("key")
    answer = {"ok": True, "path": "(memory)", "key": key}
    if "archived" in entry:
        return {**answer, "entry": _archive(gateway, key, entry)}
    if "permissionMode" in entry:
        _set_permission_mode(gateway, connection, key, entry.pop("permissionMode"))
    if mode := gateway.permission_modes.get(key):
        entry["permissionMode"] = mode
    if gateway.protocol != V3:
        session = gateway.runs.sessions.setdefault(key.lower(), Session(key.lower()))
        session.model = entry.get("model") or session.model
        session.updated_at = entry["updatedAt"]
    return {**answer, "entry": entry}


def _archive(gateway: GatewaySimulator, key: str, entry: Frame) -> Frame:
    session = gateway.runs.sessions.get(key.lower())
    if session is None or entry.get("expectedSessionId") != session.session_id:
        raise invalid_request(
            f"expectedSessionId required for session lifecycle patch: {key}"
        )
    session.archived_at = gateway.now_ms()
    return {
        "sessionId": session.session_id,
        "status": "done",
        "totalTokens": 12166,
        "archivedAt": session.archived_at,
    }


async def delete(
    gateway: GatewaySimulator, connection: ClientConnection, request: Request
) -> Frame:
    """Delete a session; without the scope of an administrator, an archived one.

    Its runs are aborted.
    """
    key = request.params["key"]
    session = gateway.runs.sessions.get(key.lower())
    if not request.params.get("archivedOnly") and ADMIN not in connection.scopes:
        raise missing_scope(gateway.protocol, ADMIN)
    if session is None or not session.archived_at:
        raise invalid_request(f"session is not archived: {key}")
    for run in gateway.runs.active():
        if run.session is session:
            run.stop("rpc")
            gateway.spawn(run.finish_stopped())
    del gateway.runs.sessions[key.lower()]
    gateway.permission_modes.pop(key, None)
    archived = [f"(memory)/{session.session_id}.jsonl.deleted.zst"]
    return {"ok": True, "key": key, "deleted": True, "archived": archived}


def _set_permission_mode(
    gateway: GatewaySimulator, connection: ClientConnection, key: str, mode: str | None
) -> None:
    """Set the permission mode of a session; null restores the Gateway's own.

    Raises:
        RequestError: the mode is refused.
    """
    if not gateway.has_permission_modes:
        problem = "at root: unexpected property 'permissionMode'"
        raise invalid_request(f"invalid sessions.patch params: {problem}")
    if mode == "full" and ADMIN not in connection.scopes:
        raise missing_scope(gateway.protocol, ADMIN)
    if mode not in (None, *PERMISSION_MODES):
        raise invalid_request("invalid sessions.patch params: at /permissionMode")
    gateway.permission_modes[key] = mode
