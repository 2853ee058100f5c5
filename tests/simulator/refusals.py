"""Refusals of connections."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from .recordings import V3


class Refusal(Enum):
    """Reason to refuse a connection, with its stage."""

    TOKEN_MISMATCH = "connect: token mismatch"
    TOKEN_MISSING = "connect: token missing"
    PASSWORD_MISMATCH = "connect: password mismatch"
    PASSWORD_MISSING = "connect: password missing"
    DEVICE_TOKEN_MISMATCH = "connect: device token mismatch"
    PAIRING = "connect: pairing required"
    SIGNATURE = "connect: signature invalid"
    PROTOCOL = "connect: protocol mismatch"
    RATE_LIMITED = "connect: rate limited"
    STARTING = "connect: unavailable, retryAfterMs"
    STARTING_CLOSE = "socket: close 1013"
    STARTING_HTTP = "upgrade: 503"
    PROXY = "upgrade: 403"
    SIGN_IN = "upgrade: 302"
    NOT_A_GATEWAY = "upgrade: 404"
    DROP_BEFORE_CHALLENGE = "socket: no challenge"
    DROP_AFTER_CHALLENGE = "socket: challenge only"
    DROP_BEFORE_HELLO = "socket: no hello"


HTTP_STATUS = {
    Refusal.STARTING_HTTP: 503,
    Refusal.PROXY: 403,
    Refusal.SIGN_IN: 302,
    Refusal.NOT_A_GATEWAY: 404,
}


# As OpenClaw 2026.9 answers to forwarded headers of a proxy that it does not trust.
PROXY_ERROR = {
    "error": {
        "message": "Proxy client attribution is required. Configure "
        "gateway.trustedProxies narrowly and make the proxy overwrite or safely "
        "rebuild forwarded client headers.",
        "type": "proxy_attribution_required",
    }
}
# As Cloudflare Access: https://team.cloudflareaccess.com/cdn-cgi/access/login/…
SIGN_IN_PAGE = "https://team.access.example/cdn-cgi/access/login/gateway"


@dataclass
class ConnectError(Exception):
    """Error response to ``connect``, followed by a close."""

    error: dict[str, Any]
    close_code: int
    close_reason: str


def _auth_error(message: str, code: str, step: str, **extra: object) -> dict[str, Any]:
    """Return an authentication error; ``extra`` extends its top level."""
    reason = code.removeprefix("AUTH_").lower()
    return {
        "code": "INVALID_REQUEST",
        "message": f"unauthorized: {message}",
        **extra,
        "details": {
            "code": code,
            "authReason": reason,
            "canRetryWithDeviceToken": step == "retry_with_device_token",
            "recommendedNextStep": step,
        },
    }


def _device_error(message: str, code: str, reason: str) -> dict[str, Any]:
    """Return a device identity error."""
    return {
        "code": "INVALID_REQUEST",
        "message": message,
        "details": {"code": f"DEVICE_AUTH_{code}", "reason": reason},
    }


ERRORS: dict[Refusal | str, dict[str, Any]] = {
    Refusal.TOKEN_MISMATCH: _auth_error(
        "gateway token mismatch (provide gateway auth token)",
        "AUTH_TOKEN_MISMATCH",
        "retry_with_device_token",
    ),
    Refusal.TOKEN_MISSING: _auth_error(
        "gateway token missing (provide gateway auth token)",
        "AUTH_TOKEN_MISSING",
        "update_auth_configuration",
    ),
    Refusal.PASSWORD_MISMATCH: _auth_error(
        "gateway password mismatch (provide gateway auth password)",
        "AUTH_PASSWORD_MISMATCH",
        "update_auth_credentials",
    ),
    Refusal.PASSWORD_MISSING: _auth_error(
        "gateway password missing (provide gateway auth password)",
        "AUTH_PASSWORD_MISSING",
        "update_auth_configuration",
    ),
    Refusal.DEVICE_TOKEN_MISMATCH: _auth_error(
        "device token mismatch (rotate/reissue device token)",
        "AUTH_DEVICE_TOKEN_MISMATCH",
        "update_auth_credentials",
    ),
    "scope": _auth_error(
        "device token scope mismatch (re-pair or approve scope upgrade)",
        "AUTH_SCOPE_MISMATCH",
        "review_auth_configuration",
    ),
    "bootstrap": _auth_error(
        "setup code invalid, expired, revoked, or already used (create a new code)",
        "AUTH_BOOTSTRAP_TOKEN_INVALID",
        "review_auth_configuration",
    ),
    Refusal.RATE_LIMITED: _auth_error(
        "too many failed authentication attempts (retry later)",
        "AUTH_RATE_LIMITED",
        "wait_then_retry",
        retryable=True,
        retryAfterMs=60_000,
    ),
    Refusal.STARTING: {
        "code": "UNAVAILABLE",
        "message": "gateway starting; retry shortly",
        "retryable": True,
        "retryAfterMs": 500,
        "details": {"reason": "startup-sidecars"},
    },
    Refusal.SIGNATURE: _device_error(
        "device signature invalid", "SIGNATURE_INVALID", "device-signature"
    ),
    "identity": _device_error(
        "device identity mismatch", "DEVICE_ID_MISMATCH", "device-id-mismatch"
    ),
    "stale": _device_error(
        "device signature expired", "SIGNATURE_EXPIRED", "device-signature-stale"
    ),
    "nonce": _device_error(
        "device nonce mismatch", "NONCE_MISMATCH", "device-nonce-mismatch"
    ),
    "device": {
        "code": "NOT_PAIRED",
        "message": "device identity required",
        "details": {"code": "DEVICE_IDENTITY_REQUIRED"},
    },
}


def connect_error(protocol: int, cause: Refusal | str) -> ConnectError:
    """Return the protocol's error for a cause.

    Protocol 3 gives no details with these errors.
    """
    error = dict(ERRORS[cause])
    if protocol == V3:
        error.pop("details", None)
    if cause is Refusal.STARTING:
        return ConnectError(error, 1013, "gateway starting")
    return ConnectError(error, 1008, error["message"])


def protocol_mismatch(protocol: int, lowest: int, highest: int) -> ConnectError:
    """Return the error of an unsupported protocol range."""
    details: dict[str, Any] = {"expectedProtocol": protocol}
    if protocol != V3:
        details |= {
            "code": "PROTOCOL_MISMATCH",
            "clientMinProtocol": lowest,
            "clientMaxProtocol": highest,
            "minimumProbeProtocol": 3,
        }
    error = {
        "code": "INVALID_REQUEST",
        "message": "protocol mismatch",
        "details": details,
    }
    return ConnectError(error, 1002, "protocol mismatch")


def invalid_connect(message: str) -> ConnectError:
    """Return the error of an invalid connect request."""
    return ConnectError({"code": "INVALID_REQUEST", "message": message}, 1008, message)


def pairing_required(protocol: int, request: dict[str, Any]) -> ConnectError:
    """Return the error of a device without approval.

    ``request``: the pending pairing request with the keys requestId, deviceId,
    role, scopes, reason.
    """
    requirement, hint = {
        "not-paired": (
            "device is not approved yet",
            "Approve this device from the pending pairing requests.",
        ),
        "scope-upgrade": (
            "device is asking for more scopes than currently approved",
            "Review the requested scopes, then approve the pending upgrade.",
        ),
        "role-upgrade": (
            "device is asking for a higher role than currently approved",
            "Review the requested role upgrade, then approve the pending request.",
        ),
    }[request["reason"]]
    request_id = request["requestId"]
    if protocol == V3:
        message = reason = "pairing required"
        details = {"requestId": request_id}
    else:
        message = f"pairing required: {requirement}"
        reason = f"{message} (requestId: {request_id})"
        details = {
            "code": "PAIRING_REQUIRED",
            "reason": request["reason"],
            "requestId": request_id,
            "remediationHint": hint,
            "deviceId": request["deviceId"],
            "requestedRole": request["role"],
        }
        if request["role"] != "node":
            details["requestedScopes"] = request["scopes"]
        if "approvedRole" in request:
            details["approvedRoles"] = [request["approvedRole"]]
            details["approvedScopes"] = request["approvedScopes"]
    error = {"code": "NOT_PAIRED", "message": message, "details": details}
    return ConnectError(error, 1008, reason)
