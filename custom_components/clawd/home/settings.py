"""Settings of the agents on the home."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

from homeassistant.const import CONF_LLM_HASS_API
from homeassistant.helpers import llm

from ..const import (
    CONF_AGENT,
    CONF_FROM_ELSEWHERE,
    CONF_HOME_ACCESS,
    CONF_SENSITIVE,
    CONF_SENSITIVE_LABEL,
    SUBENTRY_CONVERSATION,
)
from ..coordinator import subentries_of_type

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry, ConfigSubentry

# Manages Home Assistant itself; never offered. `llm.LLM_API_HOME_ASSISTANT` is new in
# Home Assistant 2026.11.
ADMIN_API: Final = "homeassistant"
DEFAULT_APIS: Final = (llm.LLM_API_ASSIST,)


class HomeAccess(StrEnum):
    """Access level, from least to most."""

    NONE = "none"
    READ = "read"
    CONTROL = "control"


class SensitiveActions(StrEnum):
    """Policy for sensitive actions, strictest first."""

    NEVER = "never"
    ASK = "ask"
    ALLOW = "allow"


def least[T: StrEnum](values: Iterable[T]) -> T:
    """Return the most restrictive value."""
    return min(values, key=lambda value: [*type(value).__members__].index(value.name))


@dataclass(frozen=True, slots=True)
class AgentHome:
    """Home settings of an agent."""

    subentry_id: str
    title: str
    agent: str
    access: HomeAccess
    from_elsewhere: HomeAccess
    sensitive: SensitiveActions
    labels: frozenset[str]
    apis: tuple[str, ...]

    @property
    def speaks_first(self) -> bool:
        """Return whether the agent may send messages."""
        controls = self.access is HomeAccess.CONTROL
        return controls and llm.LLM_API_ASSIST in self.apis

    @property
    def looks(self) -> bool:
        """Return whether the agent may use cameras."""
        reads = self.access is not HomeAccess.NONE
        return reads and llm.LLM_API_ASSIST in self.apis

    @classmethod
    def from_subentry(cls, subentry: ConfigSubentry) -> Self:
        """Read the settings of a subentry."""
        data = subentry.data
        label = data.get(CONF_SENSITIVE_LABEL)
        return cls(
            subentry.subentry_id,
            subentry.title,
            data[CONF_AGENT].lower(),
            HomeAccess(data[CONF_HOME_ACCESS]),
            HomeAccess(data[CONF_FROM_ELSEWHERE]),
            SensitiveActions(data[CONF_SENSITIVE]),
            frozenset({label} if label else ()),
            tuple(data[CONF_LLM_HASS_API]),
        )

    @classmethod
    def for_elsewhere(cls, homes: Iterable[AgentHome]) -> AgentHome:
        """Return the most restrictive settings combined.

        They apply to calls from elsewhere.
        """
        first, *others = homes = tuple(homes)
        access = (
            level for home in homes for level in (home.access, home.from_elsewhere)
        )
        return cls(
            first.subentry_id,
            first.title,
            first.agent,
            least(access),
            least(home.from_elsewhere for home in homes),
            least(home.sensitive for home in homes),
            frozenset().union(*(home.labels for home in homes)),
            tuple(
                api for api in first.apis if all(api in other.apis for other in others)
            ),
        )


def agent_homes(entry: ConfigEntry[Any]) -> tuple[AgentHome, ...]:
    """Return the home settings of all agents."""
    return tuple(
        AgentHome.from_subentry(subentry)
        for subentry in subentries_of_type(entry, SUBENTRY_CONVERSATION)
    )


def read_apis(value: object) -> list[str]:
    """Read the ids of LLM APIs.

    Raises:
        TypeError: it is no list of texts.
        ValueError: it is empty, or has the admin API.

    """
    if not isinstance(value, list) or not all(isinstance(api, str) for api in value):
        raise TypeError
    if not value or ADMIN_API in value:
        raise ValueError
    return list(dict.fromkeys(value))
