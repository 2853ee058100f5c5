"""Transport: from an endpoint to an open WebSocket."""

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
import logging
import socket
import ssl
from typing import TYPE_CHECKING, Final, NamedTuple, cast, override

from aiohappyeyeballs import start_connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
)
from websockets.uri import parse_uri

from ..endpoint import AddressClass, address_class
from ..exceptions import (
    CannotConnectError,
    CertificateError,
    Close,
    GatewayError,
    InsecureTransportError,
    NotAGatewayError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohappyeyeballs import AddrInfoType

    from ..endpoint import Endpoint
    from ..models import Timing

# Bytes. Clawdbot's `maxPayload` of 524,288 limits only what it receives; it sends
# histories of up to 6 MiB.
MIN_RECEIVE_LIMIT: Final = 8 * 2**20

# Frames that are queued before reading from the socket pauses. The reader takes all
# of them in one turn of the loop, and a turn adds one read of up to 256 KiB: with the
# default of 16 frames, every turn would pause and resume the transport.
MAX_QUEUED_FRAMES: Final = 1024

# Bytes of a close reason (RFC 6455, 5.5: a control frame holds 125, the code 2).
MAX_CLOSE_REASON: Final = 123
CLOSE_ABNORMAL: Final = 1006


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


class Socket(ClientConnection):
    """WebSocket that counts what it receives, also of unfinished messages.

    Attributes:
        bytes_received: on the wire, inside of TLS.

    """

    bytes_received = 0

    @override
    def data_received(self, data: bytes) -> None:
        """Count the bytes, and process them."""
        self.bytes_received += len(data)
        super().data_received(data)


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

    @property
    def address_info(self) -> AddressInfo:
        """Return the address without the address itself."""
        return describe_address(self.address)


class AddressInfo(NamedTuple):
    """Family and class of an address, for evidence without the address."""

    family: str
    address_class: AddressClass


def describe_address(address: str) -> AddressInfo:
    """Return family and class of an IP address."""
    family = "IPv6" if ":" in address else "IPv4"
    return AddressInfo(family, address_class(address.partition("%")[0]))


def peer_of(connection: Socket) -> Peer:
    """Return the remote end of a WebSocket."""
    tls = connection.transport.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) if tls else None
    return Peer(
        str(connection.remote_address[0]),
        sha256(certificate).hexdigest() if certificate else None,
    )


def close_of(err: ConnectionClosed, *, aborted: bool = False) -> Close:
    """Return how a WebSocket was closed; `aborted` says that we cut it."""
    ours, theirs = err.sent, err.rcvd
    if theirs and (ours is None or err.rcvd_then_sent):
        return Close(theirs.code, "peer", _printable(theirs.reason))
    if ours:
        return Close(ours.code, "us", _printable(ours.reason))
    return Close(CLOSE_ABNORMAL, "us" if aborted else None)


async def open_socket(
    endpoint: Endpoint,
    timing: Timing,
    on_resolved: Callable[[list[AddressInfo]], object] = list,
) -> Socket:
    """Open a WebSocket to a trusted peer; the caller sets the timeout.

    `on_resolved` gets the addresses that are tried.

    Raises:
        InsecureTransportError: a public address without TLS.
        CertificateError: the certificate is not trusted, or not the pinned one.
        CannotConnectError: no answer, or not yet.
        NotAGatewayError: another service answers.

    """
    _check_transport(endpoint, endpoint.host)
    connection = await _connect(endpoint, timing, on_resolved)
    peer = peer_of(connection)
    try:
        _check_transport(endpoint, peer.address)
        _check_certificate(endpoint, peer)
    except GatewayError:
        connection.transport.abort()
        raise
    return connection


async def _connect(
    endpoint: Endpoint,
    timing: Timing,
    on_resolved: Callable[[list[AddressInfo]], object],
) -> Socket:
    try:
        uri = parse_uri(endpoint.url)
        found = await _resolve(uri.host, uri.port)
        on_resolved([describe_address(str(info[4][0])) for info in found])
        # Happy Eyeballs (RFC 8305): an address that does not answer must not take
        # the time of the next one.
        connection = await _Connect(
            endpoint.url,
            create_connection=Socket,
            sock=await start_connection(
                found, happy_eyeballs_delay=timing.address_delay, interleave=1
            ),
            ssl=endpoint.ssl,
            additional_headers=endpoint.headers,
            compression=None,
            proxy=None,
            max_size=MIN_RECEIVE_LIMIT,
            max_queue=MAX_QUEUED_FRAMES,
            open_timeout=None,
            # A proxy may swallow pings while data flows: `serve()` watches the
            # Gateway's ticks instead.
            ping_interval=None,
            close_timeout=timing.close_timeout,
            logger=_SOCKET_LOGGER,
        )
        return cast("Socket", connection)
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


async def _resolve(host: str, port: int) -> Sequence[AddrInfoType]:
    """Return the addresses of a host, without a lookup if it is one."""
    try:
        return socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )
    except socket.gaierror:
        loop = asyncio.get_running_loop()
        return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _printable(reason: str) -> str:
    """Return a close reason as it can be shown."""
    text = "".join(char if char.isprintable() else " " for char in reason)
    return text.encode()[:MAX_CLOSE_REASON].decode(errors="ignore").strip()


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
