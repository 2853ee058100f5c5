"""Source of the diagnostics, and sections of a part of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING

from ..client_factory import get_history

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry, ClawdRuntime
    from ..gateway import ClientHistory, GatewayClient
    from ..reports import Report

type Section = Callable[[DiagnosticsSource], object]


@dataclass(frozen=True, slots=True)
class DiagnosticsSource:
    """Source of the diagnostics.

    Attributes:
        suspects: sentences of the self-test on the present state of the client.

    """

    hass: HomeAssistant
    entry: ClawdConfigEntry
    runtime: ClawdRuntime | None
    device_id: str | None = None
    stored_reports: tuple[Report, ...] = ()
    suspects: tuple[str, ...] = ()

    @property
    def reports(self) -> tuple[Report, ...]:
        """Return the last reports, oldest first."""
        return self.runtime.reports.reports if self.runtime else self.stored_reports

    @property
    def history(self) -> ClientHistory:
        """Return the evidence of the entry's clients."""
        return get_history(self.hass, self.entry.entry_id)

    @property
    def client(self) -> GatewayClient | None:
        """Return the client, if loaded."""
        return self.runtime.client if self.runtime else None


def of_history(section: Callable[[ClientHistory], object]) -> Section:
    """Return a section of the history of the clients."""

    @wraps(section)
    def build(source: DiagnosticsSource) -> object:
        return section(source.history)

    return build


def of_client(section: Callable[[GatewayClient], object]) -> Section:
    """Return a section of the client; None unless the entry is loaded."""

    @wraps(section)
    def build(source: DiagnosticsSource) -> object:
        return section(source.client) if source.client else None

    return build


def of_runtime(
    section: Callable[[DiagnosticsSource, ClawdRuntime], object],
) -> Section:
    """Return a section of the runtime; None unless the entry is loaded."""

    @wraps(section)
    def build(source: DiagnosticsSource) -> object:
        return section(source, source.runtime) if source.runtime else None

    return build
