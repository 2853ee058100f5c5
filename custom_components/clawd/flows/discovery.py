"""Gateways discovered with zeroconf."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from ..const import DEFAULT_PORT
from ..gateway import read_fingerprint
from .address import Candidate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

# A DNS label has at most 63 characters, but a TXT value, which anyone in the
# network can send, up to 255 bytes. The name becomes the title of the entry.
MAX_NAME_LENGTH: Final = 64
# Anyone in the network can advertise any number of addresses.
MAX_HOSTS: Final = 8


@dataclass(frozen=True, slots=True)
class DiscoveredGateway:
    """Gateway advertised in the local network.

    Attributes:
        hosts: its addresses and host name.
        candidates: in the order in which to probe them.
        fingerprint: of its certificate, to compare with the actual one.

    """

    name: str
    hosts: frozenset[str]
    candidates: tuple[Candidate, ...]
    fingerprint: str | None

    @classmethod
    def from_service_info(cls, info: ZeroconfServiceInfo) -> Self:
        """Read an advertisement."""
        # TXT records are not authenticated, so the address comes from the SRV and
        # address records, not from `lanHost` and `gatewayPort`:
        # {"displayName": "Study", "lanHost": "study.local", "gatewayPort": "18789",
        #  "gatewayTls": "1", "gatewayTlsSha256": "3f2a…"}
        properties = info.properties
        name = properties.get("displayName") or info.name.partition(".")[0]
        port = info.port or DEFAULT_PORT
        # `host` is the address that Home Assistant prefers.
        hosts = tuple(dict.fromkeys((info.host, *info.addresses)))[:MAX_HOSTS]
        choices = (True,) if properties.get("gatewayTls") == "1" else (True, False)
        return cls(
            name[:MAX_NAME_LENGTH],
            frozenset({*info.addresses, info.hostname.rstrip(".").lower()}),
            tuple(Candidate(host, port, tls) for tls in choices for host in hosts),
            _read_fingerprint(properties),
        )

    @property
    def shown_addresses(self) -> str:
        """Return the URLs of the addresses, as the last choice has them."""
        last = self.candidates[-1].ssl
        return ", ".join(c.url for c in self.candidates if c.ssl is last)

    def matches(self, candidate: Candidate) -> bool:
        """Return whether an address leads to this Gateway."""
        port = self.candidates[0].port
        return candidate.port == port and candidate.host in self.hosts


def _read_fingerprint(properties: Mapping[str, str | None]) -> str | None:
    try:
        return read_fingerprint(properties.get("gatewayTlsSha256") or "")
    except ValueError:
        return None
