"""Origins of runs."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from homeassistant.util.hass_dict import HassKey

from ..coordinator import get_runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from homeassistant.config_entries import ConfigSubentry

    from ..coordinator import ClawdConfigEntry
    from ..gateway import AgentRun
    from ..home.announcements import Listener


class ConversationInfo(Protocol):
    """User and device of a conversation."""

    @property
    def conversation_id(self) -> str:
        """Return the id of Home Assistant's conversation."""

    @property
    def language(self) -> str:
        """Return the language of the question."""

    @property
    def voice_device(self) -> str | None:
        """Return the voice device, if any."""

    @property
    def listener(self) -> Listener:
        """Return the listener of the answer."""

    @property
    def by_person(self) -> bool:
        """Return whether a person asked."""


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """Origin of a run.

    Attributes:
        question: of a conversation; None for an action or AI task.

    """

    run: AgentRun
    subentry: ConfigSubentry
    question: ConversationInfo | None = field(repr=False)


class RunOrigins:
    """Origins of the runs in progress.

    Attributes:
        on_start: called with each origin that is added.
        on_end: called with each origin that is removed.

    """

    def __init__(self) -> None:
        """Initialize without runs."""
        self._origins: list[RunOrigin] = []
        self.on_start: Callable[[RunOrigin], None] | None = None
        self.on_end: Callable[[RunOrigin], None] | None = None

    def find(self, run_id: str) -> RunOrigin | None:
        """Return the origin of a run.

        By our id or the Gateway's.
        """
        return next(
            (
                origin
                for origin in self._origins
                if run_id in (origin.run.run_id, origin.run.gateway_id)
            ),
            None,
        )

    def of_agent(self, subentry_id: str) -> tuple[RunOrigin, ...]:
        """Return the origins of an agent's runs.

        Oldest first.
        """
        return tuple(
            one for one in self._origins if one.subentry.subentry_id == subentry_id
        )

    @contextmanager
    def keep(
        self,
        run: AgentRun,
        subentry: ConfigSubentry,
        question: ConversationInfo | None,
    ) -> Iterator[None]:
        """Keep the origin of a run until its end."""
        origin = RunOrigin(run, subentry, question)
        self._origins.append(origin)
        if self.on_start:
            self.on_start(origin)
        try:
            yield
        finally:
            self._origins.remove(origin)
            if self.on_end:
                self.on_end(origin)


_ORIGINS: Final[HassKey[RunOrigins]] = HassKey("run_origins")


def get_origins(entry: ClawdConfigEntry) -> RunOrigins:
    """Return the origins of the runs of a loaded entry.

    Raises:
        NotConnectedError: it has been unloaded meanwhile.

    """
    return get_runtime(entry).data.setdefault(_ORIGINS, RunOrigins())
