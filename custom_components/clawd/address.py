"""The addresses that people have of a Gateway."""

from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
import re
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from .const import DEFAULT_PORT
from .gateway import is_setup_link, netloc, read_setup_link

TLS_BY_SCHEME: Final = {"ws": False, "http": False, "wss": True, "https": True}
PAGES: Final = ("http", "https")
_HOST: Final = re.compile(r"[^\s/\\?#@%]+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place where a Gateway may listen."""

    host: str
    port: int
    ssl: bool
    path: str = ""

    @property
    def url(self) -> str:
        """Return the place as one address."""
        return f"ws{self._rest}"

    @property
    def page(self) -> str:
        """Return where its Control UI is."""
        return f"http{self._rest}"

    @property
    def _rest(self) -> str:
        tls = "s" if self.ssl else ""
        return f"{tls}://{netloc(self.host, self.port)}{self.path}"


@dataclass(frozen=True, slots=True)
class Address:
    """What an address says.

    Attributes:
        candidates: in the order in which to try them.
        token: of the Gateway, from a dashboard link.
        bootstrap_token: for this device and for a few minutes, from either link.
        fingerprint: of the certificate to trust, from a setup link.

    """

    candidates: tuple[Candidate, ...]
    token: str | None = field(default=None, repr=False)
    bootstrap_token: str | None = field(default=None, repr=False)
    fingerprint: str | None = None


def read_address(text: str) -> Address:
    """Return what an address says: a URL, a host with or without port, a link.

    Raises:
        ValueError: it is none.

    """
    text = text.strip()
    if not is_setup_link(text):
        return _read_plain(text)
    link = read_setup_link(text)
    place = Candidate(link.host, link.port, link.ssl, link.path)
    return Address(
        (place,), bootstrap_token=link.bootstrap_token, fingerprint=link.fingerprint
    )


def _read_plain(text: str) -> Address:
    scheme, separator, _ = text.partition("://")
    if not separator:
        return _read_parts(None, urlsplit(f"//{_bracketed(text)}"))
    scheme = scheme.lower()
    if scheme not in TLS_BY_SCHEME:
        raise ValueError("not a scheme of a Gateway")
    return _read_parts(scheme, urlsplit(text))


def _bracketed(text: str) -> str:
    """Return a host as it is written in a URL."""
    try:
        return f"[{text}]" if isinstance(ip_address(text), IPv6Address) else text
    except ValueError:
        return text


def _read_parts(scheme: str | None, parts: SplitResult) -> Address:
    host = parts.hostname or ""
    if "@" in parts.netloc or parts.port == 0 or not _HOST.fullmatch(host):
        raise ValueError("not a host")
    path = parts.path.rstrip("/")
    # The path of a page that somebody looked at need not be the Gateway's.
    paths = dict.fromkeys((path, "") if scheme in PAGES else (path,))
    candidates = tuple(
        Candidate(host, port, tls, path)
        for path in paths
        for port in _ports(scheme, parts.port)
        for tls in _tls(scheme)
    )
    # OpenClaw has what lets in behind a `#`, Clawdbot its token behind a `?`.
    told = parse_qs(parts.query) | parse_qs(parts.fragment)
    return Address(
        candidates,
        told.get("token", [None])[0],
        told.get("bootstrapToken", [None])[0],
    )


def _ports(scheme: str | None, port: int | None) -> tuple[int, ...]:
    """Return the ports to try; a proxy listens on those of HTTP."""
    if port:
        return (port,)
    if scheme is None:
        return (DEFAULT_PORT,)
    return (443, DEFAULT_PORT) if TLS_BY_SCHEME[scheme] else (DEFAULT_PORT, 80)


def _tls(scheme: str | None) -> tuple[bool, ...]:
    return (True, False) if scheme is None else (TLS_BY_SCHEME[scheme],)
