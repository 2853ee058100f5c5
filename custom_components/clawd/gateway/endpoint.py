"""Where a Gateway listens, and how it is known to be the right one."""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ssl import SSLContext

LOCALHOST: Final = "localhost"
_FINGERPRINT: Final = re.compile(r"(?:sha-?256[:= ]?)?((?:[0-9a-f]{2}[: ]?){32})")


class AddressClass(StrEnum):
    """What kind of address a host has; a name is not looked up."""

    LOOPBACK = "loopback"
    PRIVATE = "private"
    PUBLIC = "public"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a Gateway listens.

    Attributes:
        ssl: for TLS; it must not verify a certificate that is pinned.
        fingerprint: of the only certificate to accept: SHA-256, 64 hex digits.
        allow_insecure: whether a public address may do without TLS.
        headers: more of them for the upgrade.
        path: where a proxy has put the Gateway; empty, or it starts with a slash.

    """

    host: str
    port: int
    ssl: SSLContext | None = None
    fingerprint: str | None = None
    allow_insecure: bool = False
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    path: str = ""

    @property
    def url(self) -> str:
        """Return the WebSocket URL; it never holds a secret."""
        scheme = "wss" if self.ssl else "ws"
        return f"{scheme}://{netloc(self.host, self.port)}{self.path}"

    @property
    def origin(self) -> str:
        """Return what a token of this Gateway is bound to."""
        return f"{self.url}#{self.fingerprint or ''}"

    @property
    def trusted(self) -> bool:
        """Return whether nobody else can be listening here."""
        return self.fingerprint is not None or (
            address_class(self.host) is AddressClass.LOOPBACK
        )

    def exposed_at(self, address: str) -> bool:
        """Return whether strangers can listen on the way to an address."""
        return self.ssl is None and address_class(address) is AddressClass.PUBLIC


def netloc(host: str, port: int) -> str:
    """Return a host, maybe an IPv6 address, and a port as a URL has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address_class(host: str) -> AddressClass:
    """Return what kind of address a host has."""
    if host == LOCALHOST:
        return AddressClass.LOOPBACK
    try:
        address = ip_address(host)
    except ValueError:
        return AddressClass.NAME
    if address.is_loopback:
        return AddressClass.LOOPBACK
    return AddressClass.PUBLIC if address.is_global else AddressClass.PRIVATE


def read_fingerprint(text: str) -> str:
    """Return the 64 hex digits of a SHA-256 as people write it.

    Raises:
        ValueError: it is none.

    """
    found = _FINGERPRINT.fullmatch(text.strip().lower())
    if not found:
        raise ValueError("not a SHA-256")
    return re.sub("[: ]", "", found[1])
