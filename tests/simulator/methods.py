"""Request handlers of the Gateway."""

from collections.abc import Awaitable, Callable
import re
import secrets
from typing import TYPE_CHECKING

from . import images, messages, sessions_v4
from .agent_list import agents_payload, models_payload
from .attachments import check_attachments
from .delivery import check_delivery
from .node_methods import (
    approve_pairing,
    effective_tools,
    get_config,
    handle_node,
    invoke_command,
    invoke_tool,
    issue_setup_code,
    list_nodes,
    list_pairing,
)
from .params import ADMIN, grants_scope, method_params_error, required_scope
from .questions import list_questions, resolve_question
from .recordings import V3, Frame, payload, recorded_methods
from .request_errors import RequestError, invalid_request, missing_scope
from .request_log import Request
from .script import Fail, Refuse, Script
from .snapshots import health, history, session_rows
from .speech import speak, speech_status

if TYPE_CHECKING:
    from .connection import ClientConnection
    from .server import GatewaySimulator


RESPONDED = object()
# The pattern of OpenClaw; Clawdbot passes the commands on to the model.
RESET_COMMAND = re.compile(r"/(new|reset)(\s.*)?", re.DOTALL | re.IGNORECASE)


async def handle(
    gateway: GatewaySimulator, connection: ClientConnection, request: Request
) -> object:
    """Handle a request and return the response's payload.

    Return RESPONDED if the response was sent already.

    Raises:
        RequestError: the response is an error.
    """
    protocol, method = gateway.protocol, request.method
    for refused, code in gateway.refused_methods:
        if refused == method:
            gateway.refused_methods.remove((refused, code))
            raise RequestError({"code": code, "message": "refused by the test"})
    if connection.is_node:
        return await handle_node(gateway, connection, request)
    needed = required_scope(protocol, method)
    if needed and not grants_scope(connection.scopes, needed):
        raise missing_scope(protocol, needed)
    if problem := method_params_error(protocol, method, request.params):
        raise invalid_request(f"invalid {method} params: {problem}")
    handlers = METHODS if protocol == V3 else METHODS | METHODS_V4
    if handler := handlers.get(method):
        return await handler(gateway, connection, request)
    if method in recorded_methods(protocol):
        return payload(protocol, "rpc_survey", method)
    raise invalid_request(f"unknown method: {method}")


async def _start_run(
    gateway: GatewaySimulator, connection: ClientConnection, request: Request
) -> object:
    """Start a run, or answer a duplicate request."""
    params = request.params
    if run := gateway.runs.by_id.get(params["idempotencyKey"]):
        outcome = run.events.outcome
        if outcome is None:
            return run.events.duplicate_payload()
        connection.respond(request, outcome.payload, outcome.error)
        return RESPONDED
    _check_agent(gateway, connection, params)
    sessions_v4.require_open(gateway, params.get("sessionKey", ""))
    _check_reset_command(gateway, connection, params["message"])
    check_attachments(gateway, params)
    check_delivery(gateway, params)
    script = _thinking_failure(gateway, params) or gateway.next_script(
        params["message"]
    )
    if script and isinstance(script[0], Refuse):
        raise RequestError({"code": script[0].code, "message": script[0].message})
    gateway.runs.start(params, script, connection, request)
    return RESPONDED


def _check_agent(
    gateway: GatewaySimulator, connection: ClientConnection, params: Frame
) -> None:
    """Validate the agent and model of a run.

    Raises:
        RequestError: the request is refused.
    """
    known = {agent.id for agent in gateway.agents}
    agent_id = params.get("agentId", gateway.agents[0].id)
    if agent_id not in known:
        raise invalid_request(f'invalid agent params: unknown agent id "{agent_id}"')
    owner = params.get("sessionKey", f"agent:{agent_id}:main").split(":")[1]
    if owner != agent_id and "agentId" in params:
        mismatch = f'agent "{agent_id}" does not match session key agent "{owner}"'
        raise invalid_request(f"invalid agent params: {mismatch}")
    if gateway.protocol == V3:
        return
    if owner not in known:
        raise invalid_request(f'Agent "{owner}" no longer exists in configuration')
    if {"model", "provider"} & set(params) and ADMIN not in connection.scopes:
        raise invalid_request(
            "provider/model overrides are not authorized for this caller."
        )


def _check_reset_command(
    gateway: GatewaySimulator, connection: ClientConnection, message: str
) -> None:
    """Require an administrator for a new conversation (protocol 4).

    Raises:
        RequestError: the request is refused.
    """
    if gateway.protocol == V3 or ADMIN in connection.scopes:
        return
    if RESET_COMMAND.fullmatch(message.strip()):
        raise missing_scope(gateway.protocol, ADMIN)


def _thinking_failure(gateway: GatewaySimulator, params: Frame) -> Script:
    """Return the failure of an unsupported thinking level (protocol 4)."""
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


async def _wait_for_run(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Return the result of a run, or a timeout."""
    timeout_ms = request.params.get("timeoutMs", 30_000)
    return await gateway.runs.wait(request.params["runId"], timeout_ms)


async def _abort_runs(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Abort runs.

    Protocol 3 aborts only runs of ``chat.send``, which are not simulated.
    """
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
        gateway.spawn(run.finish_stopped())
    ids = [run.run_id for run in runs]
    return {"ok": True, "aborted": bool(ids), "runIds": ids}


def _start_chat(
    gateway: GatewaySimulator, connection: ClientConnection, params: Frame
) -> Frame:
    """Start a run that ends by events."""
    if gateway.protocol == V3:
        raise invalid_request("chat.send is simulated for /stop only")
    run_id = params["idempotencyKey"]
    if run_id not in gateway.runs.by_id:
        _check_agent(gateway, connection, params)
        sessions_v4.require_open(gateway, params["sessionKey"])
        check_attachments(gateway, params, files=True)
        script = gateway.next_script(params["message"])
        if script and isinstance(script[0], Refuse):
            raise RequestError({"code": script[0].code, "message": script[0].message})
        gateway.runs.start(params, script)
    return {"runId": run_id, "status": "started"}


async def _send_chat(
    gateway: GatewaySimulator, connection: ClientConnection, request: Request
) -> Frame:
    """Handle ``/stop``, or start a run (protocol 4)."""
    params = request.params
    if not params["message"].endswith("/stop"):
        return _start_chat(gateway, connection, params)
    for run in gateway.runs.active():
        if run.session.key == params["sessionKey"].lower():
            run.stop("rpc")
            gateway.spawn(run.finish_stopped())
    return {"runId": params["idempotencyKey"], "status": "started"}


async def _chat_history(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Return the last messages of a session."""
    key, limit = request.params["sessionKey"], request.params.get("limit", 200)
    return history(gateway, key, limit)


async def _list_sessions(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Return the list of sessions."""
    return session_rows(gateway, request.params)


async def _list_agents(
    gateway: GatewaySimulator, _: ClientConnection, __: Request
) -> Frame:
    """Return the list of agents."""
    return agents_payload(gateway.protocol, gateway.agents)


async def _list_models(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Return the list of models."""
    details = bool(request.params.get("includeDetails"))
    return models_payload(gateway.protocol, details=details)


async def _identity(
    gateway: GatewaySimulator, _: ClientConnection, __: Request
) -> Frame:
    """Return the identity of the Gateway's device."""
    return {"deviceId": gateway.device_id, "publicKey": "A" * 43}


async def _list_devices(
    gateway: GatewaySimulator, _: ClientConnection, __: Request
) -> Frame:
    """Return paired devices and pending requests."""
    return gateway.devices.list_payload()


async def _approve_device(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Approve a pending device."""
    request_id = request.params["requestId"]
    if request_id not in gateway.devices.pending:
        raise invalid_request("unknown requestId")
    return {"requestId": request_id, "device": gateway.approve(request_id)}


async def _remove_device(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Remove a paired device."""
    device_id = request.params["deviceId"]
    if device_id not in gateway.devices.approved:
        raise invalid_request("unknown deviceId")
    gateway.devices.forget(device_id)
    return {"deviceId": device_id, "removedAtMs": gateway.now_ms()}


async def _request_upgrade(
    gateway: GatewaySimulator, connection: ClientConnection, request: Request
) -> Frame:
    """Request more scopes for the device of a connection."""
    params = connection.params | {"scopes": request.params["scopes"]}
    return {"requestId": gateway.devices.request(params)["requestId"]}


async def _await_upgrade(
    gateway: GatewaySimulator, connection: ClientConnection, request: Request
) -> Frame:
    """Wait until a request is decided; an approval replaces the device's token."""
    request_id, devices = request.params["requestId"], gateway.devices
    if request_id not in {*devices.pending, *devices.decided}:
        raise invalid_request("scope upgrade expired or not found")
    await gateway.wait_until(lambda: request_id not in gateway.devices.pending)
    device_id = connection.params["device"]["id"]
    scopes = sorted(gateway.devices.approved[device_id])
    if scopes == sorted(connection.scopes):
        return {"status": "rejected", "requestId": request_id}
    token = gateway.devices.tokens[device_id] = secrets.token_urlsafe(24)
    answer = {"status": "approved", "requestId": request_id}
    return {**answer, "deviceToken": token, "scopes": scopes}


async def _speech_status(
    gateway: GatewaySimulator, _: ClientConnection, __: Request
) -> Frame:
    """Return the providers of speech."""
    return speech_status(gateway.speech)


async def _speak(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Return the audio of a text."""
    return speak(gateway.speech, request.params["text"])


async def _health(gateway: GatewaySimulator, _: ClientConnection, __: Request) -> Frame:
    """Return the cached health; protocol 3 refreshes it afterwards."""
    if gateway.protocol == V3:
        gateway.spawn(gateway.refresh_health())
    return health(gateway)


type Handler = Callable[
    [GatewaySimulator, ClientConnection, Request], Awaitable[object]
]
METHODS: dict[str, Handler] = {
    "agent": _start_run,
    "agent.wait": _wait_for_run,
    "agents.list": _list_agents,
    "chat.abort": _abort_runs,
    "chat.history": _chat_history,
    "chat.send": _send_chat,
    "device.pair.approve": _approve_device,
    "device.pair.list": _list_devices,
    "device.pair.remove": _remove_device,
    "device.scopes.requestUpgrade": _request_upgrade,
    "device.scopes.waitUpgrade": _await_upgrade,
    "health": _health,
    "models.list": _list_models,
    "send": messages.send,
    "sessions.delete": sessions_v4.delete,
    "sessions.list": _list_sessions,
    "sessions.patch": sessions_v4.patch,
    "wake": messages.wake,
}
METHODS_V4: dict[str, Handler] = {
    "artifacts.download": images.download_artifact,
    "artifacts.list": images.list_artifacts,
    "config.get": get_config,
    "device.pair.setupCode": issue_setup_code,
    "gateway.identity.get": _identity,
    "node.invoke": invoke_command,
    "node.list": list_nodes,
    "node.pair.approve": approve_pairing,
    "node.pair.list": list_pairing,
    "question.list": list_questions,
    "question.resolve": resolve_question,
    "sessions.describe": sessions_v4.describe,
    "tasks.cancel": images.cancel_task,
    "tasks.get": images.get_task,
    "tasks.list": images.list_tasks,
    "tools.effective": effective_tools,
    "tools.invoke": invoke_tool,
    "tts.speak": _speak,
    "tts.status": _speech_status,
}
