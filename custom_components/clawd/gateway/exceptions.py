"""Exceptions of the Gateway client.

GatewayError
├ GatewayConnectionError
│ ├ CannotConnectError
│ │ ├ ProxyRefusedError
│ │ └ SignInRequiredError
│ ├ CertificateError
│ ├ ConnectionLostError
│ ├ NotConnectedError
│ └ RequestTimeoutError
│   └ RunTimeoutError
├ GatewayProtocolError
│ ├ InvalidFrameError
│ ├ NotAGatewayError
│ └ UnsupportedProtocolError
├ InsecureTransportError
├ MediaError
├ RequestTooLargeError
├ UnexpectedError
├ GatewayAuthenticationError
│ ├ InvalidTokenError
│ ├ PairingRequiredError
│ ├ MissingScopeError
│ └ RateLimitedError
└ RequestFailedError
  ├ AgentRunError
  └ AgentRunAborted

The text of an exception never repeats the peer's words: they may hold secrets.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Self

CLOSE_NORMAL: Final = 1000
CLOSE_RESTART: Final = 1012
SCOPE_MISMATCH: Final = "AUTH_SCOPE_MISMATCH"
PASSWORD_MISSING: Final = "AUTH_PASSWORD_MISSING"  # noqa: S105 - a code
PASSWORD_MISMATCH: Final = "AUTH_PASSWORD_MISMATCH"  # noqa: S105 - a code
PROXY_ATTRIBUTION: Final = "PROXY_ATTRIBUTION_REQUIRED"


@dataclass(frozen=True, slots=True)
class Close:
    """Close of a connection.

    Attributes:
        code: 1006 without a close frame.
        by: side that closed it first; None if it was cut.
        reason: of the close frame, printable and without secrets.

    """

    code: int
    by: Literal["us", "peer"] | None = None
    reason: str = ""


class GatewayError(Exception):
    """Base of all errors of the client.

    Attributes:
        code: short identifier, safe to log; the wire code where there is one.
        retry_after: seconds that the Gateway asked to wait.
        close: how the connection was closed, if that is the error.

    """

    close: Close | None = None

    def __init__(
        self, message: str, *, code: str = "", retry_after: float | None = None
    ) -> None:
        """Initialize the error."""
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after

    def __copy__(self) -> Self:
        """Copy the error without its traceback."""
        twin = type(self).__new__(type(self), *self.args)
        twin.__dict__.update(self.__dict__)
        return twin


class GatewayConnectionError(GatewayError):
    """Connection missing or lost."""


class CannotConnectError(GatewayConnectionError):
    """Connection attempt failed.

    `http_status` is the answer to the upgrade.
    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        code: str = "",
        retry_after: float | None = None,
    ) -> None:
        """Initialize the error."""
        super().__init__(message, code=code, retry_after=retry_after)
        self.http_status = http_status


class ProxyRefusedError(CannotConnectError):
    """Proxy refuses, or is not trusted.

    It refuses this client, or the Gateway does not trust it.
    """


class SignInRequiredError(CannotConnectError):
    """Sign-in page in front of the Gateway.

    Attributes:
        fingerprint: of the certificate that was shown.

    """

    fingerprint: str | None = None


class CertificateError(GatewayConnectionError):
    """Certificate not trusted or not pinned.

    Attributes:
        fingerprint: of the certificate that was shown, where it is known.

    """

    fingerprint: str | None = None


class ConnectionLostError(GatewayConnectionError):
    """Connection lost with open requests."""

    def __init__(
        self,
        message: str,
        *,
        close_code: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Initialize the error.

        Without a close code it is 1006.
        """
        super().__init__(message, code=str(close_code or ""), retry_after=retry_after)
        self.close_code = close_code

    @property
    def announced(self) -> bool:
        """Return whether the Gateway announced a restart."""
        return self.close_code == CLOSE_RESTART and self.retry_after is not None

    @property
    def intended(self) -> bool:
        """Return whether this client closed to reconnect."""
        by = self.close.by if self.close else None
        return self.close_code == CLOSE_NORMAL and by == "us"


class NotConnectedError(GatewayConnectionError):
    """No connection to send on."""


class RequestTimeoutError(GatewayConnectionError):
    """No response in time."""


class RunTimeoutError(RequestTimeoutError):
    """Run took too long.

    Attributes:
        stopped: whether the Gateway has confirmed that the run was stopped.

    """

    stopped = False


class GatewayProtocolError(GatewayError):
    """Peer breaks the protocol."""


class InvalidFrameError(GatewayProtocolError):
    """Frame cannot be decoded."""


class NotAGatewayError(GatewayProtocolError):
    """Another service listens at the address."""


class UnsupportedProtocolError(GatewayProtocolError):
    """No common protocol version.

    `expected` is the Gateway's.
    """

    def __init__(self, message: str, *, expected: int | None = None) -> None:
        """Initialize the error."""
        super().__init__(message, code="PROTOCOL_MISMATCH")
        self.expected = expected


class InsecureTransportError(GatewayError):
    """Public address without TLS, and not allowed."""

    def __init__(self) -> None:
        """Initialize the error."""
        super().__init__("a public address without TLS", code="INSECURE_TRANSPORT")


class MediaProblem(StrEnum):
    """Reason for a failed download.

    Attributes:
        NOT_FOUND: it is gone, or outside of the agent's folders.
        REFUSED: the Gateway, or a proxy, wants other credentials.
        TOO_LARGE: it is larger than the caller takes.
        UNREACHABLE: no answer, or one that broke off.
        FAILED: another answer.

    """

    NOT_FOUND = "not_found"
    REFUSED = "refused"
    TOO_LARGE = "too_large"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


class MediaError(GatewayError):
    """Download failed."""

    def __init__(self, problem: MediaProblem) -> None:
        """Initialize the error."""
        code = f"MEDIA_{problem.name}"
        super().__init__(f"media cannot be had: {problem}", code=code)
        self.problem = problem


class RequestTooLargeError(GatewayError):
    """Request exceeds the Gateway's limit.

    It was not sent. Sizes in bytes.
    """

    def __init__(self, method: str, size: int, limit: int) -> None:
        """Initialize the error."""
        super().__init__(
            f"{method} has {size} bytes, the Gateway takes {limit}",
            code="REQUEST_TOO_LARGE",
        )
        self.size = size
        self.limit = limit


class UnexpectedError(GatewayError):
    """Unexpected exception in the client.

    The log has its traceback.
    """

    def __init__(self) -> None:
        """Initialize the error."""
        super().__init__("an unexpected exception", code="UNEXPECTED")


class GatewayAuthenticationError(GatewayError):
    """Gateway refuses this device."""


class InvalidTokenError(GatewayAuthenticationError):
    """Token or password wrong or missing."""

    @property
    def wants_password(self) -> bool:
        """Return whether the Gateway uses a password."""
        return self.code in (PASSWORD_MISSING, PASSWORD_MISMATCH)


class PairingRequiredError(GatewayAuthenticationError):
    """Device awaits approval.

    `request_id` is that of the open request.
    """

    def __init__(self, message: str, *, code: str, request_id: str | None) -> None:
        """Initialize the error."""
        super().__init__(message, code=code)
        self.request_id = request_id


class MissingScopeError(GatewayAuthenticationError):
    """Missing scopes for a call."""

    def __init__(self, message: str, *, code: str, scopes: tuple[str, ...]) -> None:
        """Initialize the error."""
        super().__init__(message, code=code)
        self.scopes = scopes


class RateLimitedError(GatewayAuthenticationError):
    """Too many failed attempts; wait `retry_after` seconds."""


class RequestFailedError(GatewayError):
    """Error response to a request.

    Attributes:
        reason: the Gateway's sentence, for the person who asked and nobody else:
            it may repeat the question.
        retryable: whether the same request may succeed later, by the Gateway's word.

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
        """Initialize the error."""
        super().__init__(message, code=code, retry_after=retry_after)
        self.reason = reason
        self.retryable = retryable


class AgentRunError(RequestFailedError):
    """Run ended without a reply."""


class AgentRunAborted(RequestFailedError):  # noqa: N818 - an ending, not a fault
    """Run was stopped by request."""

    def __init__(self) -> None:
        """Initialize the error."""
        super().__init__("the run was aborted", code="ABORTED")


def stopped_error() -> NotConnectedError:
    """Return the error of everything that ends with a client."""
    return NotConnectedError("the client was stopped", code="STOPPED")
