"""WebSocket transport."""

import asyncio
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
import logging
import socket
import ssl
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast, override

from aiohappyeyeballs import start_connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
)
from websockets.http11 import USER_AGENT
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
from .refusals import upgrade_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohappyeyeballs import AddrInfoType
    from websockets.client import ClientProtocol
    from websockets.datastructures import HeadersLike

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
# By the number of OpenSSL's X509_V_ERR_…: CERT_HAS_EXPIRED, HOSTNAME_MISMATCH and
# IP_ADDRESS_MISMATCH; then what a certificate lacks. Those from 80 on come from
# X509_V_FLAG_X509_STRICT, which Python sets since 3.13.
_CERTIFICATE_CODES: Final = {
    10: "TLS_CERTIFICATE_EXPIRED",
    62: "TLS_CERTIFICATE_NAME",
    64: "TLS_CERTIFICATE_NAME",
    79: "TLS_CERTIFICATE_NO_AUTHORITY",
    32: "TLS_CERTIFICATE_KEY_USAGE",
    81: "TLS_CERTIFICATE_KEY_USAGE",
    85: "TLS_CERTIFICATE_AUTHORITY_KEY",
    86: "TLS_CERTIFICATE_SUBJECT_KEY",
    87: "TLS_CERTIFICATE_SUBJECT_NAME",
    89: "TLS_CERTIFICATE_BASIC_CONSTRAINTS",
    92: "TLS_CERTIFICATE_KEY_USAGE",
    **dict.fromkeys((80, 82, 83, 84, 88, 90, 91, 93), "TLS_CERTIFICATE_STRICT"),
}


class Socket(ClientConnection):
    """WebSocket with a count of received bytes.

    Attributes:
        bytes_received: on the wire, inside of TLS.

    """

    bytes_received = 0

    def __init__(
        self,
        protocol: ClientProtocol,
        *,
        check: Callable[[Peer], object],
        **settings: Any,  # noqa: ANN401 - those of websockets
    ) -> None:
        """Initialize the WebSocket.

        `check` raises if the peer is not trusted.
        """
        super().__init__(protocol, **settings)
        self._check = check

    @override
    async def handshake(
        self,
        additional_headers: HeadersLike | None = None,
        user_agent_header: str | None = USER_AGENT,
    ) -> None:
        """Verify the peer, then send the upgrade.

        Its headers may hold secrets.
        """
        self._check(peer_of(self))
        await super().handshake(additional_headers, user_agent_header)

    @override
    def data_received(self, data: bytes) -> None:
        """Count and process received bytes."""
        self.bytes_received += len(data)
        super().data_received(data)


class _Connect(connect):
    """`connect` without redirects.

    The token stays with its Gateway.
    """

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
    """Family and class of an address.

    Evidence without the address itself.
    """

    family: str
    address_class: AddressClass


def describe_address(address: str) -> AddressInfo:
    """Return family and class of an address."""
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
    """Return the close of a WebSocket.

    `aborted` means cut by us.
    """
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
    """Open a WebSocket to a trusted peer.

    The caller sets the timeout. `on_resolved` gets the addresses to try.

    Raises:
        InsecureTransportError: a public address without TLS.
        CertificateError: the certificate is not trusted, or not the pinned one.
        CannotConnectError: no answer, or not yet.
        NotAGatewayError: another service answers.

    """
    _check_transport(endpoint, endpoint.host)
    fingerprint: str | None = None

    def check(peer: Peer) -> None:
        nonlocal fingerprint
        fingerprint = peer.fingerprint
        _check_transport(endpoint, peer.address)
        _check_certificate(endpoint, peer)

    try:
        uri = parse_uri(endpoint.url)
        found = await _resolve(uri.host, uri.port)
        on_resolved([describe_address(str(info[4][0])) for info in found])
        # Happy Eyeballs (RFC 8305): an address that does not answer must not take
        # the time of the next one.
        connection = await _Connect(
            endpoint.url,
            create_connection=cast("type[Socket]", partial(Socket, check=check)),
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
        raise upgrade_error(err.response, endpoint, fingerprint) from None
    except InvalidHandshake as err:
        raise _no_websocket(err) from None
    except ssl.SSLCertVerificationError as err:
        code = _CERTIFICATE_CODES.get(err.verify_code, "TLS_CERTIFICATE")
        raise CertificateError("not trusted", code=code) from None
    except (OSError, InvalidURI, ValueError) as err:
        code = _code(err, tls=endpoint.ssl is not None)
        raise CannotConnectError(f"no connection: {code}", code=code) from None


async def _resolve(host: str, port: int) -> Sequence[AddrInfoType]:
    """Resolve a host, unless it is an address."""
    try:
        return socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )
    except socket.gaierror:
        loop = asyncio.get_running_loop()
        return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _printable(reason: str) -> str:
    """Return a printable close reason."""
    text = "".join(char if char.isprintable() else " " for char in reason)
    return text.encode()[:MAX_CLOSE_REASON].decode(errors="ignore").strip()


def _check_transport(endpoint: Endpoint, address: str) -> None:
    if endpoint.exposed_at(address) and not endpoint.allow_insecure:
        raise InsecureTransportError


def _check_certificate(endpoint: Endpoint, peer: Peer) -> None:
    if endpoint.fingerprint not in (None, peer.fingerprint):
        error = CertificateError("not the pinned one", code="TLS_FINGERPRINT")
        error.fingerprint = peer.fingerprint
        raise error


def _code(err: Exception, *, tls: bool) -> str:
    """Return the code of a socket error."""
    # A peer without TLS resets the connection when the TLS handshake starts.
    if tls and isinstance(err, ConnectionResetError | ConnectionAbortedError):
        return "TLS"
    return next(code for kind, code in _CODES if isinstance(err, kind))


def _no_websocket(err: InvalidHandshake) -> GatewayError:
    if isinstance(err.__cause__, EOFError):
        return CannotConnectError("the peer hung up", code="HUNG_UP")
    return NotAGatewayError("the peer speaks no WebSocket", code="NO_WEBSOCKET")
