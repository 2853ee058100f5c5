"""Subentry flow of an AI task."""

from typing import Any, Final, override

from homeassistant.config_entries import ConfigSubentryData, SubentryFlowResult
import voluptuous as vol

from ..const import (
    CONF_AGENT,
    CONF_AGENT_TOOLS,
    CONF_DEADLINE,
    CONF_THINKING,
    DEFAULT_DEADLINE,
    SUBENTRY_AI_TASK,
)
from .agent import ConversationSubentryFlow
from .agent_schema import SECONDS, thinking_field

AI_TASK_DEFAULTS: Final[dict[str, Any]] = {
    CONF_AGENT_TOOLS: False,
    CONF_DEADLINE: DEFAULT_DEADLINE,
}


class AITaskSubentryFlow(ConversationSubentryFlow):
    """Add or reconfigure an AI task."""

    @override
    async def async_step_settings(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Choose the settings of the AI task."""
        if user_input is not None:
            deadline = int(user_input[CONF_DEADLINE])
            settings = {**user_input, CONF_DEADLINE: deadline}
            return self._async_create_or_update({**self._chosen, **settings})
        levels = self._thinking_levels
        stored = {
            key: value
            for key, value in self._stored.items()
            if key != CONF_THINKING or value in levels
        }
        schema = ai_task_schema(levels)
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(schema, stored),
        )

    @override
    def _new_title(self, agent: str) -> str:
        return ai_task_title(agent)


def ai_task_title(agent: str) -> str:
    """Return the title of an AI task."""
    return f"{agent} AI task"


def new_ai_task(agent_id: str, agent: str) -> ConfigSubentryData:
    """Return a subentry with default settings."""
    return ConfigSubentryData(
        data={CONF_AGENT: agent_id, **AI_TASK_DEFAULTS},
        subentry_type=SUBENTRY_AI_TASK,
        title=ai_task_title(agent),
        unique_id=None,
    )


def ai_task_schema(thinking_levels: dict[str, str]) -> vol.Schema:
    """Return the settings form."""
    return vol.Schema(
        {
            vol.Required(
                CONF_AGENT_TOOLS, default=AI_TASK_DEFAULTS[CONF_AGENT_TOOLS]
            ): bool,
            **thinking_field(thinking_levels),
            vol.Required(
                CONF_DEADLINE, default=AI_TASK_DEFAULTS[CONF_DEADLINE]
            ): SECONDS,
        }
    )
