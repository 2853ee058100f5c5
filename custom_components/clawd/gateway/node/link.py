"""Node links for remote Gateways."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
import socket
import time
from typing import TYPE_CHECKING

from ..setup_link import read_setup_link

if TYPE_CHECKING:
    from ..endpoint import Endpoint
    from ..setup_link import SetupLink


class LinkProblem(StrEnum):
    """Why a node link is not used.

    Attributes:
        INVALID: the text is no link.
        EXPIRED: it was valid for ten minutes.
        OTHER_GATEWAY: its address is not that of the Gateway.

    """

    INVALID = "invalid"
    EXPIRED = "expired"
    OTHER_GATEWAY = "other_gateway"


class NodeLinkError(ValueError):
    """Invalid node link; `problem` is the reason."""

    def __init__(self, problem: LinkProblem) -> None:
        """Initialize the error."""
        super().__init__(f"the node link is not used: {problem}")
        self.problem = problem


@dataclass(frozen=True, slots=True)
class NodeLink:
    """Content of a node link.

    Attributes:
        bootstrap_token: `Credentials.bootstrap_token` of the node, until the Gateway
            has issued a device token.

    """

    bootstrap_token: str = field(repr=False)


async def read_node_link(text: str, endpoint: Endpoint) -> NodeLink:
    """Parse a node link without connecting.

    Raises:
        NodeLinkError: it is none, expired, or of another Gateway.

    """
    # {"url": "ws://10.0.0.2:18789", "bootstrapToken": "…", "expiresAtMs": 1795900…},
    # "tlsFingerprint" with TLS; "urls", where the Gateway has several.
    try:
        link = read_setup_link(text)
    except ValueError, RecursionError:
        raise NodeLinkError(LinkProblem.INVALID) from None
    if link.expires_at is not None and link.expires_at <= time.time():
        raise NodeLinkError(LinkProblem.EXPIRED)
    if not await _is_of(link, endpoint):
        raise NodeLinkError(LinkProblem.OTHER_GATEWAY)
    return NodeLink(link.bootstrap_token)


async def _is_of(link: SetupLink, endpoint: Endpoint) -> bool:
    """Return whether a link matches an endpoint.

    By certificate where both are known, else by address and port.
    """
    if link.fingerprint and endpoint.fingerprint:
        return link.fingerprint == endpoint.fingerprint
    ours = (endpoint.host.lower(), endpoint.port)
    places = {(address.host.lower(), address.port) for address in link.addresses}
    if ours in places:
        return True
    same_port = {host for host, port in places if port == endpoint.port}
    if not same_port:
        return False
    addresses = await _addresses(endpoint.host)
    found = [await _addresses(host) for host in sorted(same_port)]
    return any(addresses & known for known in found)


async def _addresses(host: str) -> set[str]:
    """Resolve a host; empty if unknown."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError, UnicodeError:
        return set()
    return {str(address[0]) for *_, address in found}
