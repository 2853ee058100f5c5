"""What the Gateway answers to each method."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .agent_list import agents, models
from .params import ADMIN, grants, method_faults, scope_of
from .recordings import V3, Frame, payload, surveyed
from .request_log import Request
from .script import Fail, Refuse, Script
from .snapshots import health, history, session_rows

if TYPE_CHECKING:
    from .connection import Peer
    from .server import GatewaySimulator


RESPONDED = object()
IDENTITY = "gateway.identity.get"


@dataclass
class RequestError(Exception):
    """A request that is answered with an error."""

    error: Frame


def _invalid(message: str) -> RequestError:
    """Return the error that both protocols give for almost everything."""
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


async def handle(gateway: GatewaySimulator, peer: Peer, request: Request) -> object:
    """Return the payload of the response, or RESPONDED if it was sent already.

    Raises:
        RequestError: the response is an error.

    """
    protocol, method = gateway.protocol, request.method
    needed = scope_of(protocol, method)
    if needed and not grants(peer.scopes, needed):
        raise _missing_scope(protocol, needed)
    if wrong := method_faults(protocol, method, request.params):
        raise _invalid(f"invalid {method} params: {wrong}")
    if method == IDENTITY and protocol != V3:
        return await _identity(gateway, peer, request)
    if answer := METHODS.get(method):
        return await answer(gateway, peer, request)
    if method in surveyed(protocol):
        return payload(protocol, "rpc_survey", method)
    raise _invalid(f"unknown method: {method}")


async def _agent(gateway: GatewaySimulator, peer: Peer, request: Request) -> object:
    """Start a run, or say again how the run of the same key stands."""
    params = request.params
    if run := gateway.runs.by_id.get(params["idempotencyKey"]):
        outcome = run.narration.outcome
        if outcome is None:
            return run.narration.repeated()
        peer.respond(request, outcome.payload, outcome.error)
        return RESPONDED
    _check_agent(gateway, peer, params)
    script = _thoughtless(gateway, params) or gateway.next_script(params["message"])
    if script and isinstance(script[0], Refuse):
        raise RequestError({"code": script[0].code, "message": script[0].message})
    gateway.runs.start(params, script, peer, request)
    return RESPONDED


def _check_agent(gateway: GatewaySimulator, peer: Peer, params: Frame) -> None:
    """Raise RequestError for an agent or a model that may not be asked."""
    known = {agent.id for agent in gateway.agents}
    agent_id = params.get("agentId", gateway.agents[0].id)
    if agent_id not in known:
        raise _invalid(f'invalid agent params: unknown agent id "{agent_id}"')
    owner = params.get("sessionKey", f"agent:{agent_id}:main").split(":")[1]
    if owner != agent_id and "agentId" in params:
        mismatch = f'agent "{agent_id}" does not match session key agent "{owner}"'
        raise _invalid(f"invalid agent params: {mismatch}")
    if gateway.protocol == V3:
        return
    if owner not in known:
        raise _invalid(f'Agent "{owner}" no longer exists in configuration')
    if {"model", "provider"} & set(params) and ADMIN not in peer.scopes:
        raise _invalid("provider/model overrides are not authorized for this caller.")


def _thoughtless(gateway: GatewaySimulator, params: Frame) -> Script:
    """Return what comes of a thinking level that protocol 4 does not support."""
    if gateway.protocol == V3:
        return ()
    owner = params.get("sessionKey", "").split(":")[1:2] or [gateway.agents[0].id]
    agent = next(agent for agent in gateway.agents if agent.id in owner)
    level = params.get("thinking", agent.levels[0])
    if level in agent.levels:
        return ()
    levels = ", ".join(agent.levels)
    message = f'Thinking level "{level}" is not supported for {agent.model}.'
    return (Fail(f"{message} Use one of: {levels}."),)


async def _wait(gateway: GatewaySimulator, _: Peer, request: Request) -> Frame:
    """Return how a run ended, or that it did not in time."""
    timeout_ms = request.params.get("timeoutMs", 30_000)
    return await gateway.runs.wait(request.params["runId"], timeout_ms)


async def _abort(gateway: GatewaySimulator, _: Peer, request: Request) -> Frame:
    """Stop runs; protocol 3 stops only those of chat.send, so none here."""
    key, run_id = request.params["sessionKey"].lower(), request.params.get("runId")
    runs = [
        run
        for run in gateway.runs.active()
        if run.session.key == key and run_id in (None, run.run_id)
    ]
    if gateway.protocol == V3:
        runs = []
    for run in runs:
        run.stop("rpc")
        gateway.spawn(run.conclude())
    ids = [run.run_id for run in runs]
    return {"ok": True, "aborted": bool(ids), "runIds": ids}


async def _send(gateway: GatewaySimulator, _: Peer, request: Request) -> Frame:
    """Obey the command that stops a session; other messages are not simulated."""
    params = request.params
    if not params["message"].endswith("/stop"):
        raise _invalid("chat.send is simulated for /stop only")
    for run in gateway.runs.active():
        if run.session.key == params["sessionKey"].lower():
            run.stop("rpc")
            gateway.spawn(run.conclude())
    return {"runId": params["idempotencyKey"], "status": "started"}


async def _history(gateway: GatewaySimulator, _: Peer, request: Request) -> Frame:
    """Return the last messages of a session."""
    key, limit = request.params["sessionKey"], request.params.get("limit", 200)
    return history(gateway, key, limit)


async def _sessions(gateway: GatewaySimulator, _: Peer, request: Request) -> Frame:
    """Return the sessions."""
    return session_rows(gateway, request.params.get("limit"))


async def _patch(gateway: GatewaySimulator, _: Peer, request: Request) -> Frame:
    """Accept a change of a session's settings."""
    entry = {"updatedAt": gateway.now_ms(), **request.params}
    key = entry.pop("key")
    return {"ok": True, "path": "(memory)", "key": key, "entry": entry}


async def _agents(gateway: GatewaySimulator, _: Peer, __: Request) -> Frame:
    """Return the agents."""
    return agents(gateway.protocol, gateway.agents)


async def _models(gateway: GatewaySimulator, _: Peer, __: Request) -> Frame:
    """Return the models."""
    return models(gateway.protocol)


async def _identity(gateway: GatewaySimulator, _: Peer, __: Request) -> Frame:
    """Return the identity of the Gateway's own device."""
    return {"deviceId": gateway.device_id, "publicKey": "A" * 43}


async def _devices(gateway: GatewaySimulator, _: Peer, __: Request) -> Frame:
    """Return the devices that are paired, or wait to be."""
    return gateway.devices.listing()


async def _approve(gateway: GatewaySimulator, _: Peer, request: Request) -> Frame:
    """Approve a device that waits."""
    request_id = request.params["requestId"]
    if request_id not in gateway.devices.pending:
        raise _invalid("unknown requestId")
    return {"requestId": request_id, "device": gateway.approve(request_id)}


async def _health(gateway: GatewaySimulator, _: Peer, __: Request) -> Frame:
    """Return the last state of health; protocol 3 then looks again."""
    if gateway.protocol == V3:
        gateway.spawn(gateway.refresh_health())
    return health(gateway)


METHODS: dict[str, Callable[[GatewaySimulator, Peer, Request], Awaitable[object]]] = {
    "agent": _agent,
    "agent.wait": _wait,
    "agents.list": _agents,
    "chat.abort": _abort,
    "chat.history": _history,
    "chat.send": _send,
    "device.pair.approve": _approve,
    "device.pair.list": _devices,
    "health": _health,
    "models.list": _models,
    "sessions.list": _sessions,
    "sessions.patch": _patch,
}
