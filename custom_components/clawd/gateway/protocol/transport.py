"""Transport: from an endpoint to an open WebSocket."""

from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
import logging
import socket
import ssl
from typing import TYPE_CHECKING, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

from ..exceptions import (
    CannotConnectError,
    CertificateError,
    GatewayError,
    InsecureTransportError,
    NotAGatewayError,
)

if TYPE_CHECKING:
    from ..endpoint import Endpoint
    from ..models import Timing

# Bytes. Clawdbot's `maxPayload` of 524,288 limits only what it receives; it sends
# histories of up to 6 MiB.
MIN_RECEIVE_LIMIT: Final = 8 * 2**20

# Frames that are queued before reading from the socket pauses. The reader takes all
# of them in one turn of the loop, and a turn adds one read of up to 256 KiB: with the
# default of 16 frames, every turn would pause and resume the transport.
MAX_QUEUED_FRAMES: Final = 1024

# websockets logs whole frames at DEBUG, and the first one holds the token.
_SOCKET_LOGGER: Final = logging.getLogger(f"{__name__}.socket")
_SOCKET_LOGGER.setLevel(logging.WARNING)

_CODES: Final = (
    (ssl.SSLError, "TLS"),
    (socket.gaierror, "UNKNOWN_HOST"),
    (ConnectionRefusedError, "REFUSED"),
    (OSError, "UNREACHABLE"),
    (Exception, "INVALID_HOST"),
)
# X509_V_ERR_CERT_HAS_EXPIRED, _HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH of OpenSSL.
_CERTIFICATE_CODES: Final = {
    10: "TLS_CERTIFICATE_EXPIRED",
    62: "TLS_CERTIFICATE_NAME",
    64: "TLS_CERTIFICATE_NAME",
}
_REFUSALS: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)


class _Connect(connect):
    """`connect` without redirects: the token stays with its Gateway."""

    def process_redirect(self, exc: Exception) -> Exception:
        """Refuse every redirect."""
        return exc


@dataclass(frozen=True, slots=True)
class Peer:
    """Remote end of a connection.

    Attributes:
        address: IP address of the socket.
        fingerprint: of the certificate: SHA-256, 64 hex digits; None without TLS.

    """

    address: str
    fingerprint: str | None


def peer_of(connection: ClientConnection) -> Peer:
    """Return the remote end of a WebSocket."""
    tls = connection.transport.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) if tls else None
    return Peer(
        str(connection.remote_address[0]),
        sha256(certificate).hexdigest() if certificate else None,
    )


async def open_socket(endpoint: Endpoint, timing: Timing) -> ClientConnection:
    """Open a WebSocket to a trusted peer; the caller sets the timeout.

    Raises:
        InsecureTransportError: a public address without TLS.
        CertificateError: the certificate is not trusted, or not the pinned one.
        CannotConnectError: no answer, or not yet.
        NotAGatewayError: another service answers.

    """
    _check_transport(endpoint, endpoint.host)
    connection = await _connect(endpoint, timing)
    peer = peer_of(connection)
    try:
        _check_transport(endpoint, peer.address)
        _check_certificate(endpoint, peer)
    except GatewayError:
        connection.transport.abort()
        raise
    return connection


async def _connect(endpoint: Endpoint, timing: Timing) -> ClientConnection:
    try:
        return await _Connect(
            endpoint.url,
            ssl=endpoint.ssl,
            additional_headers=endpoint.headers,
            compression=None,
            proxy=None,
            max_size=MIN_RECEIVE_LIMIT,
            max_queue=MAX_QUEUED_FRAMES,
            open_timeout=None,
            close_timeout=timing.close_timeout,
            logger=_SOCKET_LOGGER,
        )
    except InvalidStatus as err:
        raise _refused(err) from None
    except InvalidHandshake as err:
        raise _no_websocket(err) from None
    except ssl.SSLCertVerificationError as err:
        code = _CERTIFICATE_CODES.get(err.verify_code, "TLS_CERTIFICATE")
        raise CertificateError("not trusted", code=code) from None
    except (OSError, InvalidURI, ValueError) as err:
        code = _code(err, tls=endpoint.ssl is not None)
        raise CannotConnectError(f"no connection: {code}", code=code) from None


def _check_transport(endpoint: Endpoint, address: str) -> None:
    if endpoint.exposed_at(address) and not endpoint.allow_insecure:
        raise InsecureTransportError


def _check_certificate(endpoint: Endpoint, peer: Peer) -> None:
    if endpoint.fingerprint not in (None, peer.fingerprint):
        raise CertificateError("not the pinned one", code="TLS_FINGERPRINT")


def _code(err: Exception, *, tls: bool) -> str:
    """Return the code of an error of the socket."""
    # A peer without TLS resets the connection when the TLS handshake starts.
    if tls and isinstance(err, ConnectionResetError | ConnectionAbortedError):
        return "TLS"
    return next(code for kind, code in _CODES if isinstance(err, kind))


def _refused(err: InvalidStatus) -> GatewayError:
    status = err.response.status_code
    if status in _REFUSALS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        delay = err.response.headers.get("Retry-After", "")
        return CannotConnectError(
            f"the upgrade was refused: HTTP {status}",
            http_status=status,
            code=f"HTTP_{status}",
            retry_after=float(delay) if delay.isdecimal() else None,
        )
    return NotAGatewayError(f"no WebSocket but HTTP {status}", code=f"HTTP_{status}")


def _no_websocket(err: InvalidHandshake) -> GatewayError:
    if isinstance(err.__cause__, EOFError):
        return CannotConnectError("the peer hung up", code="HUNG_UP")
    return NotAGatewayError("the peer speaks no WebSocket", code="NO_WEBSOCKET")
