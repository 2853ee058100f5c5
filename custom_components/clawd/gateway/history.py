"""Evidence kept across clients of an entry."""

from collections import deque
from dataclasses import dataclass, field
import logging
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from .state import TransitionLog
from .statistics import Statistics
from .tracebacks import Failure, error_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .credentials import Credential, DeviceTokenUse
    from .models import Hello
    from .protocol.transport import AddressInfo, Peer

MAX_HELLOS: Final = 10
# Seconds that a hello, which tells the uptime, may have been on its way.
UPTIME_TOLERANCE: Final = 1.0

_LOGGER = logging.getLogger(__name__)


class HelloChange(NamedTuple):
    """Difference between two hellos.

    Attributes:
        at: seconds since 1970.
        restarted: whether the Gateway's process is another one; None if unknown.
        uptime_before: of the Gateway's process at the hello before, in seconds.
        changes: other changed values, from and to, by name.

    """

    at: float
    restarted: bool | None
    uptime_before: float | None
    uptime: float | None
    changes: Mapping[str, tuple[object, object]]


class CredentialRefusal(NamedTuple):
    """Refusal of a credential.

    Attributes:
        at: seconds since 1970.
        shown: the refused credential.
        device_token: whether the device token was tried, and why not.
        same_peer: whether the peer is the one of the last hello, by certificate or
            address; None without one.

    """

    at: float
    code: str
    shown: Credential
    device_token: DeviceTokenUse | None
    same_peer: bool | None


@dataclass(slots=True)
class ClientHistory:
    """Evidence from successive clients of an entry.

    Attributes:
        addresses: those of the last attempt, in the order in which they are tried.
        hello_changes: differences of the last hellos, oldest first.
        refusal: last refusal of a credential.
        failure: last unexpected exception.
        scopes_denied: the owner has refused the optional scopes.

    """

    statistics: Statistics = field(default_factory=Statistics)
    transitions: TransitionLog = field(default_factory=TransitionLog)
    addresses: tuple[AddressInfo, ...] = ()
    hello_changes: deque[HelloChange] = field(
        default_factory=lambda: deque(maxlen=MAX_HELLOS)
    )
    refusal: CredentialRefusal | None = None
    failure: Failure | None = None
    scopes_denied: bool = False
    _hello: Hello | None = field(default=None, init=False, repr=False)
    _hello_at: float = field(default=0.0, init=False)
    _peer: Peer | None = field(default=None, init=False, repr=False)

    def connected(self, hello: Hello, peer: Peer) -> None:
        """Record a hello and its changes."""
        now = time.monotonic()
        if before := self._hello:
            change = HelloChange(
                time.time(),
                _restarted(before.uptime, hello.uptime, now - self._hello_at),
                before.uptime,
                hello.uptime,
                _changes(before, hello),
            )
            _LOGGER.debug(
                "Reconnected: Gateway restarted: %s, changed: %s",
                change.restarted,
                ", ".join(change.changes) or "nothing",
            )
            # Those of drills must not displace the others.
            if change.restarted or change.changes or not self.transitions.drill:
                self.hello_changes.append(change)
        self._hello, self._hello_at, self._peer = hello, now, peer

    def store_failed(self, err: Exception) -> None:
        """Record a store failure."""
        self.statistics.store_failed(error_name(err))

    def log_failure(self, err: Exception) -> None:
        """Log the first of repeated unexpected exceptions."""
        failure, known = Failure.from_exception(err), self.failure
        self.failure = failure
        if known is None or known.origin != failure.origin:
            text = failure.text
            _LOGGER.error("Unexpected exception, without its message:\n%s", text)

    def is_known(self, peer: Peer) -> bool | None:
        """Return whether the peer is unchanged.

        None if it cannot be told.
        """
        if (known := self._peer) is None:
            return None
        if known.fingerprint or peer.fingerprint:
            return known.fingerprint == peer.fingerprint
        # A name may have addresses of both families, of which one answers first.
        if known.address_info.family != peer.address_info.family:
            return None
        return known.address == peer.address


def _restarted(
    before: float | None, uptime: float | None, elapsed: float
) -> bool | None:
    """Return whether the process was restarted.

    None if it cannot be told.
    """
    if uptime is None:
        return None
    return uptime < (before or 0.0) or uptime + UPTIME_TOLERANCE < elapsed


def _changes(before: Hello, after: Hello) -> dict[str, tuple[object, object]]:
    old, new = _shown(before), _shown(after)
    return {name: (old[name], new[name]) for name in old if old[name] != new[name]}


def _shown(hello: Hello) -> dict[str, object]:
    """Return the values to compare, without ids."""
    return {
        "protocol": hello.protocol,
        "version": hello.server_version,
        "max_payload": hello.policy.max_payload,
        "tick_interval": hello.policy.tick_interval,
        "methods": len(hello.methods),
        "scopes": list(hello.scopes),
        "role": hello.role,
    }
