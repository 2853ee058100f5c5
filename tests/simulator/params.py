"""Parameters and scopes that each method takes."""

from typing import Any

from .recordings import V3, surveyed

READ, WRITE = "operator.read", "operator.write"
PAIRING, ADMIN = "operator.pairing", "operator.admin"


def _names(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()


_AGENT = _names(
    """message idempotencyKey agentId to replyTo sessionId sessionKey thinking deliver
    attachments channel replyChannel accountId replyAccountId threadId groupId
    groupChannel groupSpace timeout lane extraSystemPrompt label"""
)
_PATCH = _names("label thinkingLevel verboseLevel reasoningLevel model")
_SESSIONS = _names("limit activeMinutes includeGlobal includeUnknown agentId label")

# What protocol 3 has not, or keeps for the administrator.
_NEW = {"gateway.identity.get": READ, "sessions.patch": WRITE}

# method: (required, optional on protocol 3, optional on protocol 4)
_PARAMS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "agent": (
        ["message", "idempotencyKey"],
        [*_AGENT, "spawnedBy"],
        [*_AGENT, "model", "provider", "cwd", "promptMode"],
    ),
    "agent.wait": (["runId"], ["timeoutMs"], ["timeoutMs"]),
    "agents.list": ([], [], []),
    "chat.abort": (["sessionKey"], ["runId"], ["runId", "agentId"]),
    "chat.history": (["sessionKey"], ["limit"], ["limit", "offset", "agentId"]),
    "chat.send": (["sessionKey", "message", "idempotencyKey"], [], []),
    "device.pair.approve": (["requestId"], [], []),
    "device.pair.list": ([], [], []),
    "sessions.list": ([], _SESSIONS, [*_SESSIONS, "offset", "search"]),
    "sessions.patch": (["key"], _PATCH, _PATCH),
}
# part: (required, optional) of the parameters of connect
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


def faults(
    given: dict[str, Any], required: list[str], known: list[str], path: str = ""
) -> list[str]:
    """Return what is wrong with the names of some parameters."""
    missing = [name for name in required if given.get(name) in (None, "")]
    unknown = [name for name in given if name not in {*required, *known}]
    at = f"at {path}: " if path else ""
    return [
        *(f"{at}must have required property '{name}'" for name in missing),
        *(f"{at or 'at root: '}unexpected property '{name}'" for name in unknown),
    ]


def method_faults(protocol: int, method: str, given: dict[str, Any]) -> str:
    """Return what is wrong with a method's parameters; empty if nothing."""
    if method not in _PARAMS:
        return ""
    required, known_v3, known_v4 = _PARAMS[method]
    known = known_v3 if protocol == V3 else known_v4
    return "; ".join(faults(given, required, known))


def connect_faults(protocol: int, given: dict[str, Any]) -> str:
    """Return what is wrong with the parameters of ``connect``; empty if nothing."""
    found = []
    for path, (required, known) in _CONNECT.items():
        part = given.get(path[1:]) if path else given
        if path == "/auth" and protocol != V3:
            known = [*known, *_AUTH_V4]  # noqa: PLW2901
        if part is not None:
            found += faults(part, required, known, path)
    client = given.get("client", {})
    if client.get("id") not in _CLIENT_IDS or client.get("mode") not in _CLIENT_MODES:
        found.append("at /client: must be equal to one of the allowed values")
    return "; ".join(found)


def scope_of(protocol: int, method: str) -> str | None:
    """Return the scope a method takes; unknown methods take the admin's."""
    if method == "health" and protocol != V3:
        return None
    if method in {"chat.history", "sessions.list", *surveyed(protocol)}:
        return READ
    if method in {"agent", "agent.wait", "chat.abort", "chat.send"}:
        return WRITE
    if method.startswith("device.pair."):
        return PAIRING
    return ADMIN if protocol == V3 else _NEW.get(method, ADMIN)


def grants(scopes: list[str], needed: str) -> bool:
    """Return whether scopes suffice for one that is needed."""
    return needed in scopes or ADMIN in scopes or (needed == READ and WRITE in scopes)
