"""The way from an address to an open WebSocket."""

from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
import logging
import socket
import ssl
from typing import TYPE_CHECKING, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

from .exceptions import (
    CannotConnectError,
    CertificateError,
    GatewayError,
    InsecureTransportError,
    NotAGatewayError,
)

if TYPE_CHECKING:
    from .endpoint import Endpoint
    from .models import Timing

# Clawdbot's `maxPayload` of 524,288 bytes is for what it receives; its histories
# have up to 6 MiB.
RECEIVE_LIMIT: Final = 8 * 2**20

# The frames that wait before reading from the socket pauses. Who reads takes all of
# them at a turn of the loop, and a turn adds at most one read, which is 256 KiB in
# asyncio: with the 16 of websockets, every turn would stop and start the transport.
MOST_WAITING: Final = 1024

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
    """`connect` that follows no redirect: the token stays with its Gateway."""

    def process_redirect(self, exc: Exception) -> Exception:
        """Refuse."""
        return exc


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection.

    Attributes:
        address: as the socket knows it.
        fingerprint: of its certificate: SHA-256, 64 hex digits; None without TLS.

    """

    address: str
    fingerprint: str | None


def peer_of(connection: ClientConnection) -> Peer:
    """Return who is at the other end of a connection."""
    tls = connection.transport.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) if tls else None
    return Peer(
        str(connection.remote_address[0]),
        sha256(certificate).hexdigest() if certificate else None,
    )


async def open_socket(endpoint: Endpoint, timing: Timing) -> ClientConnection:
    """Open a WebSocket to a peer that may be told secrets.

    The caller sets the deadline.

    Raises:
        InsecureTransportError: others could listen.
        CertificateError: the peer may be somebody else.
        CannotConnectError: nobody answers, or not yet.
        NotAGatewayError: somebody else answers.

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
            max_size=RECEIVE_LIMIT,
            max_queue=MOST_WAITING,
            open_timeout=None,
            close_timeout=timing.close,
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
    """Return the code of the first class of the table that fits.

    A peer without TLS resets the connection when the TLS handshake starts.
    """
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
