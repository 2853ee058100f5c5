"""Gateways discovered with zeroconf."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from ..const import DEFAULT_PORT, DOMAIN
from ..error_mapping import format_fingerprint
from ..gateway import read_fingerprint
from .address import Candidate

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    def placeholders(self) -> dict[str, str]:
        """Return the placeholders of the form."""
        # The addresses as the last choice has them.
        last = self.candidates[-1].ssl
        return {
            "name": self.name,
            "address": ", ".join(c.url for c in self.candidates if c.ssl is last),
            "fingerprint": format_fingerprint(self.fingerprint or "") or "-",
        }

    def matches(self, candidate: Candidate) -> bool:
        """Return whether an address matches this Gateway."""
        port = self.candidates[0].port
        return candidate.port == port and candidate.host in self.hosts


@callback
def async_abort_discovery_flows(
    hass: HomeAssistant, candidate: Candidate, own_flow_id: str
) -> None:
    """Abort other flows that discovered this Gateway."""

    def matches(info: ZeroconfServiceInfo) -> bool:
        return DiscoveredGateway.from_service_info(info).matches(candidate)

    flows = hass.config_entries.flow
    # Flows of other integrations for the same service are in the list, too.
    for flow in flows.async_progress_by_init_data_type(ZeroconfServiceInfo, matches):
        if flow["handler"] == DOMAIN and flow["flow_id"] != own_flow_id:
            flows.async_abort(flow["flow_id"])


def _read_fingerprint(properties: Mapping[str, str | None]) -> str | None:
    try:
        return read_fingerprint(properties.get("gatewayTlsSha256") or "")
    except ValueError:
        return None
