"""Addresses of a Gateway."""

from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
import re
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import SplitResult, unquote, urlsplit

from homeassistant.const import CONF_HOST, CONF_PATH, CONF_PORT, CONF_SSL

from ..const import DEFAULT_PORT
from ..gateway import is_setup_link, netloc, read_setup_link
from .secret import clean, read_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

TLS_BY_SCHEME: Final = {"ws": False, "http": False, "wss": True, "https": True}
PAGE_SCHEMES: Final = ("http", "https")
SECRET_PARAMETERS: Final = ("token", "bootstrapToken")
_HOST: Final = re.compile(r"[^\s/\\?#@%]+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Candidate address of a Gateway."""

    host: str
    port: int
    ssl: bool
    path: str = ""

    @classmethod
    def from_entry_data(cls, data: Mapping[str, Any]) -> Self:
        """Return the address of a config entry."""
        # Data that were edited by hand may lack any of it.
        host, port, path = (data.get(k) for k in (CONF_HOST, CONF_PORT, CONF_PATH))
        return cls(
            host if isinstance(host, str) else "",
            port if isinstance(port, int) else DEFAULT_PORT,
            data.get(CONF_SSL) is True,
            path if isinstance(path, str) else "",
        )

    @property
    def entry_data(self) -> dict[str, Any]:
        """Return the entry data of an address."""
        return {
            CONF_HOST: self.host,
            CONF_PORT: self.port,
            CONF_SSL: self.ssl,
            CONF_PATH: self.path,
        }

    @property
    def url(self) -> str:
        """Return the WebSocket URL."""
        return f"ws{self._url_after_scheme}"

    @property
    def control_ui_url(self) -> str:
        """Return the URL of the Control UI."""
        return f"http{self._url_after_scheme}"

    @property
    def _url_after_scheme(self) -> str:
        tls = "s" if self.ssl else ""
        return f"{tls}://{netloc(self.host, self.port)}{self.path}"


@dataclass(frozen=True, slots=True)
class ParsedAddress:
    """Candidates and credentials of an address.

    Attributes:
        candidates: in the order in which to probe them.
        token: of the Gateway, from a dashboard link.
        bootstrap_token: for one device and ten minutes, from either kind of link.
        fingerprint: of the certificate to trust, from a setup link.

    """

    candidates: tuple[Candidate, ...]
    token: str | None = field(default=None, repr=False)
    bootstrap_token: str | None = field(default=None, repr=False)
    fingerprint: str | None = None


def parse_address(text: str) -> ParsedAddress:
    """Parse a URL, host or setup link.

    Raises:
        InvalidSecretError: its token is a placeholder.
        ValueError: the text is no address.

    """
    text = clean(text)
    if not is_setup_link(text):
        return _parse_url_or_host(text)
    link = read_setup_link(text)
    return ParsedAddress(
        tuple(Candidate(*address) for address in link.addresses),
        bootstrap_token=read_secret(link.bootstrap_token),
        fingerprint=link.fingerprint,
    )


def _parse_url_or_host(text: str) -> ParsedAddress:
    scheme, separator, _ = text.partition("://")
    if not separator:
        return _from_parts(None, urlsplit(f"//{_bracket_ipv6(text)}"))
    scheme = scheme.lower()
    if scheme not in TLS_BY_SCHEME:
        raise ValueError("not a scheme of a Gateway")
    return _from_parts(scheme, urlsplit(text))


def _bracket_ipv6(text: str) -> str:
    """Return an IPv6 address in brackets."""
    try:
        return f"[{text}]" if isinstance(ip_address(text), IPv6Address) else text
    except ValueError:
        return text


def _from_parts(scheme: str | None, parts: SplitResult) -> ParsedAddress:
    host = parts.hostname or ""
    if "@" in parts.netloc or parts.port == 0 or not _HOST.fullmatch(host):
        raise ValueError("not a host")
    path = parts.path.rstrip("/")
    # https://host/chat is copied from the browser: `/chat` may be a page of the
    # Control UI or the path of a proxy. The Gateway itself listens at the root.
    paths = dict.fromkeys((path, "") if scheme in PAGE_SCHEMES else (path,))
    candidates = tuple(
        Candidate(host, port, tls, path)
        for path in paths
        for port in _ports(scheme, parts.port)
        for tls in _tls_choices(scheme)
    )
    # OpenClaw links to /#token=…, Clawdbot to /?token=….
    secrets = _secrets(parts.query) | _secrets(parts.fragment)
    return ParsedAddress(
        candidates, secrets.get("token"), secrets.get("bootstrapToken")
    )


def _secrets(parameters: str) -> dict[str, str]:
    """Return the secrets of a link."""
    # Not `parse_qs`: a token is base64, and its `+` is no blank.
    pairs = (pair.partition("=") for pair in parameters.split("&"))
    return {
        name: read_secret(unquote(value))
        for name, _, value in pairs
        if value and name in SECRET_PARAMETERS
    }


def _ports(scheme: str | None, port: int | None) -> tuple[int, ...]:
    """Return the ports to probe, in order."""
    if port:
        return (port,)
    if scheme is None:
        return (DEFAULT_PORT,)
    # TLS mostly ends at a proxy on 443; without TLS there is mostly no proxy.
    return (443, DEFAULT_PORT) if TLS_BY_SCHEME[scheme] else (DEFAULT_PORT, 80)


def _tls_choices(scheme: str | None) -> tuple[bool, ...]:
    # With TLS first: a connection without it must not be chosen where the Gateway
    # offers TLS. A Gateway without TLS refuses the TLS handshake at once.
    return (True, False) if scheme is None else (TLS_BY_SCHEME[scheme],)
