"""Table from wire codes to exceptions."""

from typing import TYPE_CHECKING, Final

from ..exceptions import (
    PASSWORD_MISMATCH,
    PASSWORD_MISSING,
    PROXY_ATTRIBUTION,
    SCOPE_MISMATCH,
    GatewayAuthenticationError,
    GatewayError,
    InvalidTokenError,
    MissingScopeError,
    PairingRequiredError,
    ProxyRefusedError,
    RateLimitedError,
    RequestFailedError,
    UnsupportedProtocolError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .frames import ResponseError


def error_from_response(error: ResponseError, method: str) -> GatewayError:
    """Return the exception for an error response."""
    code = error.detail_code or _v3_code(error, method)
    build = _BUILDERS.get(code) or _BUILDERS.get(error.code) or _request_failed
    return build(error, method, code or error.code)


def _v3_code(error: ResponseError, method: str) -> str:
    """Return the v4 equivalent of a v3 error."""
    # The only decision on message text: v3 sends no codes, e.g.
    # {"code": "INVALID_REQUEST", "message": "unauthorized: gateway token missing"}.
    prefixes = _V3_REFUSALS if method == "connect" else _V3_FAILURES
    for prefix, code in prefixes:
        if error.message.startswith(prefix):
            return code
    return ""


def _invalid_token(error: ResponseError, _method: str, code: str) -> GatewayError:
    # {"code": "AUTH_UNAUTHORIZED", "authReason": "proxy_attribution_required"}
    if error.detail("authReason", str) == PROXY_ATTRIBUTION.lower():
        return ProxyRefusedError("a proxy is not trusted", code=PROXY_ATTRIBUTION)
    return InvalidTokenError("the Gateway refused the token", code=code)


def _device_refused(_error: ResponseError, _method: str, code: str) -> GatewayError:
    return GatewayAuthenticationError("the Gateway refused the device", code=code)


def _pairing_required(error: ResponseError, _method: str, code: str) -> GatewayError:
    return PairingRequiredError(
        "the device is not approved",
        code=code,
        request_id=error.detail("requestId", str),
    )


def _missing_scope(error: ResponseError, method: str, code: str) -> GatewayError:
    scope = error.detail("missingScope", str)
    if scope is None and error.message.startswith(_V3_MISSING_SCOPE):
        scope = error.message.removeprefix(_V3_MISSING_SCOPE)
    return MissingScopeError(
        f"{method} needs a scope that was not granted",
        code=code,
        scopes=(scope,) if scope else (),
    )


def _rate_limited(error: ResponseError, _method: str, code: str) -> GatewayError:
    return RateLimitedError(
        "too many failed attempts", code=code, retry_after=error.retry_after
    )


def _unsupported_protocol(
    error: ResponseError, _method: str, _code: str
) -> GatewayError:
    return UnsupportedProtocolError(
        "no common protocol version", expected=error.detail("expectedProtocol", int)
    )


def _request_failed(error: ResponseError, method: str, code: str) -> GatewayError:
    return RequestFailedError(
        f"{method} failed: {error.code}",
        code=code,
        reason=error.message,
        retryable=error.retryable or error.code == "UNAVAILABLE",
        retry_after=error.retry_after,
    )


_V3_MISSING_SCOPE: Final = "missing scope: "
_V3_FAILURES: Final = ((_V3_MISSING_SCOPE, "MISSING_SCOPE"),)
_V3_REFUSALS: Final = (
    ("unauthorized: gateway token missing", "AUTH_TOKEN_MISSING"),
    ("unauthorized: gateway password missing", PASSWORD_MISSING),
    ("unauthorized: gateway password mismatch", PASSWORD_MISMATCH),
    ("unauthorized", "AUTH_TOKEN_MISMATCH"),
    ("device signature invalid", "DEVICE_AUTH_SIGNATURE_INVALID"),
    ("device signature expired", "DEVICE_AUTH_SIGNATURE_EXPIRED"),
    ("device nonce", "DEVICE_AUTH_NONCE_MISMATCH"),
    ("protocol mismatch", "PROTOCOL_MISMATCH"),
)

type _Build = Callable[[ResponseError, str, str], GatewayError]

_BUILDERS: Final[dict[str, _Build]] = {
    "AUTH_REQUIRED": _invalid_token,
    "AUTH_UNAUTHORIZED": _invalid_token,
    "AUTH_TOKEN_MISSING": _invalid_token,
    "AUTH_TOKEN_MISMATCH": _invalid_token,
    PASSWORD_MISSING: _invalid_token,
    PASSWORD_MISMATCH: _invalid_token,
    "AUTH_DEVICE_TOKEN_MISMATCH": _invalid_token,
    "AUTH_BOOTSTRAP_TOKEN_INVALID": _invalid_token,
    "AUTH_RATE_LIMITED": _rate_limited,
    SCOPE_MISMATCH: _pairing_required,
    "PAIRING_REQUIRED": _pairing_required,
    "NOT_PAIRED": _pairing_required,
    "DEVICE_AUTH_INVALID": _device_refused,
    "DEVICE_AUTH_DEVICE_ID_MISMATCH": _device_refused,
    "DEVICE_AUTH_NONCE_REQUIRED": _device_refused,
    "DEVICE_AUTH_NONCE_MISMATCH": _device_refused,
    "DEVICE_AUTH_PUBLIC_KEY_INVALID": _device_refused,
    "DEVICE_AUTH_SIGNATURE_INVALID": _device_refused,
    "DEVICE_AUTH_SIGNATURE_EXPIRED": _device_refused,
    "PROTOCOL_MISMATCH": _unsupported_protocol,
    "MISSING_SCOPE": _missing_scope,
}
