"""The settings of a conversation agent, as its subentry keeps them."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigSubentryData

from .const import (
    CONF_AGENT,
    CONF_DEADLINE,
    CONF_INSTRUCTIONS,
    CONF_SESSION_SCOPE,
    CONF_SHARE_USER_NAME,
    CONF_SILENCE,
    CONF_SPEECH_CLEANUP,
    CONF_TOOL_PROGRESS,
    SUBENTRY_CONVERSATION,
)
from .session import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

# The model and the thinking level are the agent's own where they are absent.
DEFAULTS: Final[Mapping[str, Any]] = {
    CONF_SESSION_SCOPE: Scope.CONVERSATION.value,
    CONF_INSTRUCTIONS: "",
    CONF_SHARE_USER_NAME: False,
    CONF_SILENCE: 300,
    CONF_DEADLINE: 600,
    CONF_SPEECH_CLEANUP: True,
    CONF_TOOL_PROGRESS: False,
}


def new_subentry(agent: str, title: str) -> ConfigSubentryData:
    """Return the subentry of an agent with settings that need no thought."""
    return ConfigSubentryData(
        data={CONF_AGENT: agent, **DEFAULTS},
        subentry_type=SUBENTRY_CONVERSATION,
        title=title,
        unique_id=None,
    )
