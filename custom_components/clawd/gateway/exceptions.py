"""Errors of the Gateway client, and the one table from wire codes to them.

GatewayError
├ GatewayConnectionError
│ ├ CannotConnectError
│ ├ CertificateError
│ ├ ConnectionLostError
│ ├ NotConnectedError
│ └ RequestTimeoutError
├ GatewayProtocolError
│ ├ InvalidFrameError
│ ├ NotAGatewayError
│ └ UnsupportedProtocolError
├ InsecureTransportError
├ RequestTooLargeError
├ GatewayAuthenticationError
│ ├ InvalidTokenError
│ ├ PairingRequiredError
│ ├ MissingScopeError
│ └ RateLimitedError
└ RequestFailedError
  ├ AgentRunError
  └ AgentRunAborted

The text of an error never repeats what the peer said: that may hold secrets.
"""

from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from .frames import ResponseError

CLOSE_RESTART: Final = 1012
PASSWORD_MISSING: Final = "AUTH_PASSWORD_MISSING"  # noqa: S105 - a code
PASSWORD_MISMATCH: Final = "AUTH_PASSWORD_MISMATCH"  # noqa: S105 - a code


class GatewayError(Exception):
    """Anything that goes wrong between this client and a Gateway.

    Attributes:
        code: short identifier, safe to log; the wire code where there is one.
        retry_after: seconds that the Gateway asked to wait, if it did.

    """

    def __init__(
        self, message: str, *, code: str = "", retry_after: float | None = None
    ) -> None:
        """Keep the code and the delay."""
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after

    def __copy__(self) -> Self:
        """Return the same error without the frames that it came through."""
        twin = type(self).__new__(type(self), *self.args)
        twin.__dict__.update(self.__dict__)
        return twin


class GatewayConnectionError(GatewayError):
    """The connection is not there, or not any more."""


class CannotConnectError(GatewayConnectionError):
    """No connection could be made; `http_status` says what the peer answered."""

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        code: str = "",
        retry_after: float | None = None,
    ) -> None:
        """Keep the HTTP status."""
        super().__init__(message, code=code, retry_after=retry_after)
        self.http_status = http_status


class CertificateError(GatewayConnectionError):
    """The peer's certificate is not the pinned one, or not trusted."""


class ConnectionLostError(GatewayConnectionError):
    """The connection ended while something was under way."""

    def __init__(
        self,
        message: str,
        *,
        close_code: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Keep the close code (1006 where the peer sent none)."""
        super().__init__(message, code=str(close_code or ""), retry_after=retry_after)
        self.close_code = close_code

    @property
    def announced(self) -> bool:
        """Return whether the Gateway said when it would be back."""
        return self.close_code == CLOSE_RESTART and self.retry_after is not None


class NotConnectedError(GatewayConnectionError):
    """There is no connection to send on."""


class RequestTimeoutError(GatewayConnectionError):
    """The deadline of a request passed without a response."""


class GatewayProtocolError(GatewayError):
    """The peer does not speak the protocol as agreed."""


class InvalidFrameError(GatewayProtocolError):
    """A frame that cannot be read."""


class NotAGatewayError(GatewayProtocolError):
    """Something else listens at this address."""


class UnsupportedProtocolError(GatewayProtocolError):
    """No common protocol version; `expected` is the Gateway's."""

    def __init__(self, message: str, *, expected: int | None = None) -> None:
        """Keep the version that the Gateway wants."""
        super().__init__(message, code="PROTOCOL_MISMATCH")
        self.expected = expected


class InsecureTransportError(GatewayError):
    """A public address without TLS, and no consent to that."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("a public address without TLS", code="INSECURE_TRANSPORT")


class RequestTooLargeError(GatewayError):
    """A request of more bytes than the Gateway takes; it was not sent."""

    def __init__(self, method: str, size: int, limit: int) -> None:
        """Keep both figures."""
        super().__init__(
            f"{method} has {size} bytes, the Gateway takes {limit}",
            code="REQUEST_TOO_LARGE",
        )
        self.size = size
        self.limit = limit


class GatewayAuthenticationError(GatewayError):
    """The Gateway does not let this device in."""


class InvalidTokenError(GatewayAuthenticationError):
    """The token or the password is wrong or missing."""

    @property
    def wants_password(self) -> bool:
        """Return whether the Gateway has a password in the place of a token."""
        return self.code in (PASSWORD_MISSING, PASSWORD_MISMATCH)


class PairingRequiredError(GatewayAuthenticationError):
    """The device waits for approval; `request_id` names the open request."""

    def __init__(self, message: str, *, code: str, request_id: str | None) -> None:
        """Keep the id to approve."""
        super().__init__(message, code=code)
        self.request_id = request_id


class MissingScopeError(GatewayAuthenticationError):
    """The call needs `scopes` that were not granted."""

    def __init__(self, message: str, *, code: str, scopes: tuple[str, ...]) -> None:
        """Keep what is missing."""
        super().__init__(message, code=code)
        self.scopes = scopes


class RateLimitedError(GatewayAuthenticationError):
    """Too many failed attempts; wait `retry_after` seconds."""


class RequestFailedError(GatewayError):
    """The Gateway answered a request with an error.

    `reason` is the Gateway's own sentence, for the person who asked and for
    nothing else: it may repeat what that person said. `retryable` is its word, too:
    whether the same request may succeed later.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        reason: str = "",
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        """Keep the Gateway's word."""
        super().__init__(message, code=code, retry_after=retry_after)
        self.reason = reason
        self.retryable = retryable


class AgentRunError(RequestFailedError):
    """A run ended without a reply."""


class AgentRunAborted(RequestFailedError):  # noqa: N818 - an ending, not a fault
    """A run was stopped by request."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the run was aborted", code="ABORTED")


def error_from_response(error: ResponseError, method: str) -> GatewayError:
    """Turn the error of a response to `method` into an exception."""
    code = error.detail_code or _v3_code(error, method)
    build = _BUILDERS.get(code) or _BUILDERS.get(error.code) or _request_failed
    return build(error, method, code or error.code)


def _v3_code(error: ResponseError, method: str) -> str:
    """Classify a v3 error, which has only its text; v4 codes as vocabulary."""
    prefixes = _V3_REFUSALS if method == "connect" else _V3_FAILURES
    for prefix, code in prefixes:
        if error.message.startswith(prefix):
            return code
    return ""


def _invalid_token(_error: ResponseError, _method: str, code: str) -> GatewayError:
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
    "AUTH_SCOPE_MISMATCH": _pairing_required,
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
