"""What a Gateway says of itself in the local network, which anybody could say."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from .address import Candidate
from .const import DEFAULT_PORT
from .gateway import read_fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Announcement:
    """A Gateway that was discovered.

    Attributes:
        hosts: the addresses and the name that lead to it.
        candidates: in the order in which to try them; the last is what it says.
        fingerprint: of its certificate, to be compared and not to be trusted.

    """

    name: str
    hosts: frozenset[str]
    candidates: tuple[Candidate, ...]
    fingerprint: str | None

    @classmethod
    def from_service(cls, info: ZeroconfServiceInfo) -> Self:
        """Read an advertisement: where it is from its records, the rest as hints."""
        hints = info.properties
        name = hints.get("displayName") or info.name.partition(".")[0]
        port = info.port or DEFAULT_PORT
        kinds = (True,) if hints.get("gatewayTls") == "1" else (True, False)
        return cls(
            name[:LONGEST_NAME],
            frozenset({*info.addresses, info.hostname.rstrip(".").lower()}),
            tuple(Candidate(info.host, port, ssl) for ssl in kinds),
            _fingerprint(hints),
        )

    def is_at(self, place: Candidate) -> bool:
        """Return whether it listens at a place, as far as it says."""
        return place.port == self.candidates[0].port and place.host in self.hosts


def _fingerprint(hints: Mapping[str, str | None]) -> str | None:
    try:
        return read_fingerprint(hints.get("gatewayTlsSha256") or "")
    except ValueError:
        return None
