"""What the Gateway answers to each method."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .params import ADMIN, grants, method_faults, scope_of
from .recordings import V3, Frame, payload, surveyed
from .script import Refuse
from .snapshots import health, history, session_rows

if TYPE_CHECKING:
    from .peer import Peer, Request
    from .server import GatewaySimulator


@dataclass
class RequestError(Exception):
    """A request that is answered with an error."""

    error: Frame


def _invalid(message: str) -> RequestError:
    return RequestError({"code": "INVALID_REQUEST", "message": message})


def _missing_scope(protocol: int, scope: str) -> RequestError:
    """Return the error for a scope that the connection was not granted."""
    message = f"missing scope: {scope}"
    if protocol == V3:
        return _invalid(message)
    details = {
        "code": "MISSING_SCOPE",
        "missingScope": scope,
        "requiredScopes": [scope],
    }
    return RequestError({"code": "FORBIDDEN", "message": message, "details": details})


async def handle(gateway: GatewaySimulator, peer: Peer, request: Request) -> Any:
    """Return the payload of the response; None if the run answers itself.

    Raises:
        RequestError: the response is an error.

    """
    method, params = request.method, request.params
    needed = scope_of(gateway.protocol, method)
    if not grants(peer.scopes, needed):
        raise _missing_scope(gateway.protocol, needed)
    if wrong := method_faults(gateway.protocol, method, params):
        raise _invalid(f"invalid {method} params: {wrong}")
    match method:
        case "agent":
            return _agent(gateway, peer, request)
        case "agent.wait":
            timeout_ms = params.get("timeoutMs", 30_000)
            return await gateway.runs.wait(params["runId"], timeout_ms)
        case "chat.abort":
            return _abort(gateway, params)
        case "chat.history":
            return history(gateway, params["sessionKey"], params.get("limit", 200))
        case "sessions.list":
            return session_rows(gateway, params.get("limit"))
        case "sessions.patch":
            return _patch(gateway, params)
        case "device.pair.list":
            return gateway.devices.listing()
        case "device.pair.approve":
            return _approve(gateway, params["requestId"])
        case "health":
            return health(gateway)
    if method in surveyed(gateway.protocol):
        return payload(gateway.protocol, "rpc_survey", method)
    raise _invalid(f"unknown method: {method}")


def _agent(gateway: GatewaySimulator, peer: Peer, request: Request) -> Any:
    """Start a run, or say again how the run of the same key stands."""
    params = request.params
    if run := gateway.runs.by_id.get(params["idempotencyKey"]):
        outcome = run.narration.outcome
        if outcome is None:
            return run.narration.repeated()
        peer.respond(request, outcome.payload, outcome.error)
        return None
    _check_agent(gateway, peer, params)
    script = gateway.next_script(params["message"])
    if script and isinstance(script[0], Refuse):
        raise RequestError({"code": script[0].code, "message": script[0].message})
    gateway.runs.start(params, script, peer, request)
    return None


def _check_agent(gateway: GatewaySimulator, peer: Peer, params: Frame) -> None:
    """Raise RequestError for an agent or a model that may not be asked."""
    agent_id = params.get("agentId", "main")
    if agent_id != "main":
        raise _invalid(f'invalid agent params: unknown agent id "{agent_id}"')
    if gateway.protocol == V3:
        return
    owner = params.get("sessionKey", "agent:main:main").split(":")[1]
    if owner != "main":
        raise _invalid(f'Agent "{owner}" no longer exists in configuration')
    if {"model", "provider"} & set(params) and ADMIN not in peer.scopes:
        raise _invalid("provider/model overrides are not authorized for this caller.")


def _abort(gateway: GatewaySimulator, params: Frame) -> Frame:
    """Stop a run; protocol 3 knows only those of chat.send, so it stops none."""
    if gateway.protocol == V3:
        return {"ok": True, "aborted": False, "runIds": []}
    key, run_id = params["sessionKey"].lower(), params.get("runId")
    runs = [
        run
        for run in gateway.runs.active()
        if run.session.key == key and run_id in (None, run.run_id)
    ]
    for run in runs:
        run.stop("rpc")
        gateway.spawn(run.conclude())
    ids = [run.run_id for run in runs]
    return {"ok": True, "aborted": bool(ids), "runIds": ids}


def _patch(gateway: GatewaySimulator, params: Frame) -> Frame:
    """Accept a change of a session's settings."""
    changes = {name: value for name, value in params.items() if name != "key"}
    entry = {"updatedAt": gateway.now_ms(), **changes}
    return {"ok": True, "path": "(memory)", "key": params["key"], "entry": entry}


def _approve(gateway: GatewaySimulator, request_id: str) -> Frame:
    """Approve a device that waits."""
    if request_id not in gateway.devices.pending:
        raise _invalid("unknown requestId")
    return {"requestId": request_id, "device": gateway.approve(request_id)}
