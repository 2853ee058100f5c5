"""Endpoint of a Gateway."""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
import re
from typing import TYPE_CHECKING, Final

from .headers import header_secrets

if TYPE_CHECKING:
    from ssl import SSLContext

LOCALHOST: Final = "localhost"
_FINGERPRINT: Final = re.compile(r"(?:sha-?256[:= ]?)?((?:[0-9a-f]{2}[: ]?){32})")


class AddressClass(StrEnum):
    """Class of an address.

    Names are not resolved.
    """

    LOOPBACK = "loopback"
    PRIVATE = "private"
    PUBLIC = "public"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Address of a Gateway, with TLS settings.

    Attributes:
        ssl: context for TLS; it must not verify a pinned certificate.
        fingerprint: of the pinned certificate: SHA-256, 64 hex digits.
        allow_insecure: accept a public address without TLS.
        headers: additional headers of the upgrade.
        path: behind a proxy; empty, or with a leading slash.

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
        """Return the WebSocket URL, without secrets."""
        scheme = "wss" if self.ssl else "ws"
        return f"{scheme}://{netloc(self.host, self.port)}{self.path}"

    @property
    def origin(self) -> str:
        """Return the origin, to which tokens are bound."""
        return f"{self.url}#{self.fingerprint or ''}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the secrets, for redaction."""
        return tuple(header_secrets(self.headers.values()))

    @property
    def trusted(self) -> bool:
        """Return whether the peer is pinned or local."""
        return self.fingerprint is not None or (
            address_class(self.host) is AddressClass.LOOPBACK
        )

    def exposed_at(self, address: str) -> bool:
        """Return whether an address means public plaintext."""
        return self.ssl is None and address_class(address) is AddressClass.PUBLIC


def netloc(host: str, port: int) -> str:
    """Return host and port for a URL.

    IPv6 addresses get brackets.
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address_class(host: str) -> AddressClass:
    """Return the class of a host's address."""
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
    """Normalize a SHA-256 fingerprint.

    Return 64 hexadecimal digits.

    Raises:
        ValueError: the text is no SHA-256.

    """
    found = _FINGERPRINT.fullmatch(text.strip().lower())
    if not found:
        raise ValueError("not a SHA-256")
    return re.sub("[: ]", "", found[1])
