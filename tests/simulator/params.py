"""Parameters and scopes of each method."""

from typing import Any

from .recordings import V3, recorded_methods

READ, WRITE = "operator.read", "operator.write"
PAIRING, ADMIN = "operator.pairing", "operator.admin"
QUESTIONS = "operator.questions"


def _names(text: str) -> list[str]:
    """Split a text into names."""
    return text.split()


_AGENT = _names(
    """message idempotencyKey agentId to replyTo sessionId sessionKey thinking deliver
    attachments channel replyChannel accountId replyAccountId threadId groupId
    groupChannel groupSpace timeout lane extraSystemPrompt label"""
)
_PATCH = _names("label thinkingLevel verboseLevel reasoningLevel model")
_PATCH_V4 = _names("permissionMode archived expectedSessionId")
_SEND = _names("message channel accountId mediaUrl")
_SEND_V3 = _names("mediaUrls gifPlayback sessionKey")
_SEND_V4 = _names("threadId buffer filename contentType silent asVoice agentId")
_SESSIONS = _names("limit activeMinutes includeGlobal includeUnknown agentId label")

# Protocol 3 lacks these methods, or requires the admin scope.
_V4_SCOPES = {
    "artifacts.download": READ,
    "artifacts.list": READ,
    "device.pair.setupCode": ADMIN,
    "gateway.identity.get": READ,
    "node.invoke": WRITE,
    "node.list": READ,
    "question.list": QUESTIONS,
    "question.resolve": QUESTIONS,
    "sessions.delete": WRITE,
    "sessions.describe": READ,
    "sessions.patch": WRITE,
    "tasks.cancel": WRITE,
    "tasks.get": READ,
    "tasks.list": READ,
    "tools.effective": READ,
    "tools.invoke": WRITE,
    "tts.speak": WRITE,
}

# Method: (required, optional on protocol 3, optional on protocol 4)
_PARAMS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "agent": (
        ["message", "idempotencyKey"],
        [*_AGENT, "spawnedBy"],
        [
            *_AGENT,
            "model",
            "provider",
            "cwd",
            "promptMode",
            "bootstrapContextMode",
            "modelRun",
            "bestEffortDeliver",
        ],
    ),
    "agent.wait": (["runId"], ["timeoutMs"], ["timeoutMs"]),
    "agents.list": ([], [], []),
    "chat.abort": (["sessionKey"], ["runId"], ["runId", "agentId"]),
    "chat.history": (["sessionKey"], ["limit"], ["limit", "offset", "agentId"]),
    "chat.send": (
        ["sessionKey", "message", "idempotencyKey"],
        ["attachments", "thinking"],
        ["attachments", "thinking"],
    ),
    "device.pair.approve": (["requestId"], [], []),
    "device.pair.list": ([], [], []),
    "device.pair.remove": (["deviceId"], [], []),
    "device.pair.setupCode": (
        [],
        [],
        ["bootstrapProfile", "publicUrl", "includeQr", "joinUrl", "preferRemoteUrl"],
    ),
    "node.invoke": (
        ["nodeId", "command", "idempotencyKey"],
        [],
        ["params", "timeoutMs", "sessionKey"],
    ),
    "models.list": ([], [], ["includeDetails"]),
    "node.list": ([], [], []),
    "node.pair.approve": (["requestId"], [], []),
    "node.pair.list": ([], [], []),
    "question.list": ([], [], []),
    "question.resolve": (["id"], [], ["answers", "cancel", "resolutionId"]),
    "send": (["to", "idempotencyKey"], [*_SEND, *_SEND_V3], [*_SEND, *_SEND_V4]),
    "sessions.delete": (["key"], [], ["archivedOnly", "deleteTranscript"]),
    "sessions.describe": (["key"], [], ["agentId"]),
    "sessions.list": (
        [],
        [*_SESSIONS, "spawnedBy"],
        [*_SESSIONS, "spawnedBy", "offset", "search", "archived"],
    ),
    "sessions.patch": (["key"], _PATCH, [*_PATCH, *_PATCH_V4]),
    "tts.speak": (["text"], [], []),
    "tools.effective": (["sessionKey"], [], ["agentId"]),
    "tools.invoke": (
        ["name"],
        [],
        ["args", "sessionKey", "agentId", "action", "confirm", "idempotencyKey"],
    ),
    "wake": (["mode", "text"], [], ["sessionKey", "agentId"]),
}
# Also required on protocol 3.
_REQUIRED_V3 = {"send": ["message"]}
# Part of the parameters of connect: (required, optional).
_CONNECT: dict[str, tuple[list[str], list[str]]] = {
    "": (
        ["minProtocol", "maxProtocol", "client"],
        _names(
            """caps commands permissions pathEnv role scopes device auth locale
            userAgent"""
        ),
    ),
    "/client": (
        ["id", "version", "platform", "mode"],
        ["displayName", "deviceFamily", "modelIdentifier", "instanceId"],
    ),
    "/device": (["id", "publicKey", "signature", "signedAt"], ["nonce"]),
    "/auth": ([], ["token", "password"]),
}
_AUTH_V4 = ["deviceToken", "bootstrapToken"]
_CLIENT_IDS = {"webchat-ui", "webchat", "cli", "gateway-client", "node-host", "test"}
_CLIENT_MODES = {"webchat", "cli", "ui", "backend", "node", "probe", "test"}


def _schema_problems(
    params: dict[str, Any], required: list[str], known: list[str], path: str = ""
) -> list[str]:
    """Return missing and unexpected parameters."""
    missing = [name for name in required if params.get(name) in (None, "")]
    unknown = [name for name in params if name not in {*required, *known}]
    at = f"at {path}: " if path else ""
    return [
        *(f"{at}must have required property '{name}'" for name in missing),
        *(f"{at or 'at root: '}unexpected property '{name}'" for name in unknown),
    ]


def method_params_error(protocol: int, method: str, params: dict[str, Any]) -> str:
    """Validate a method's parameters; empty if valid."""
    if method not in _PARAMS:
        return ""
    required, known_v3, known_v4 = _PARAMS[method]
    known = known_v4
    if protocol == V3:
        required, known = [*required, *_REQUIRED_V3.get(method, [])], known_v3
    return "; ".join(_schema_problems(params, required, known))


def connect_params_error(protocol: int, params: dict[str, Any]) -> str:
    """Validate the parameters of ``connect``; empty if valid."""
    problems = []
    for path, (required, known) in _CONNECT.items():
        part = params.get(path[1:]) if path else params
        if path == "/auth" and protocol != V3:
            known = [*known, *_AUTH_V4]  # noqa: PLW2901
        if part is not None:
            problems += _schema_problems(part, required, known, path)
    client = params.get("client", {})
    if client.get("id") not in _CLIENT_IDS or client.get("mode") not in _CLIENT_MODES:
        problems.append("at /client: must be equal to one of the allowed values")
    return "; ".join(problems)


def required_scope(protocol: int, method: str) -> str | None:
    """Return the scope that a method requires."""
    if method == "health" and protocol != V3:
        return None
    if method in {"chat.history", "sessions.list", *recorded_methods(protocol)}:
        return READ
    if method in {"agent", "agent.wait", "chat.abort", "chat.send", "send", "wake"}:
        return WRITE
    if method.startswith("device.scopes.") and protocol != V3:
        return READ
    if method.startswith(("device.pair.", "node.pair.")) and method not in _V4_SCOPES:
        return PAIRING
    return ADMIN if protocol == V3 else _V4_SCOPES.get(method, ADMIN)


def grants_scope(scopes: list[str], needed: str) -> bool:
    """Return whether the scopes include the needed one."""
    return needed in scopes or ADMIN in scopes or (needed == READ and WRITE in scopes)
