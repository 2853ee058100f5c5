"""The flow of a conversation agent's subentry, and its settings."""

from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_MODEL

from .const import (
    CONF_AGENT,
    CONF_DEADLINE,
    CONF_SESSION_NAME,
    CONF_SESSION_SCOPE,
    CONF_SILENCE,
    CONF_THINKING,
)
from .gateway import GatewayError
from .session import Scope
from .subentry_forms import SECTION_ADVANCED, agent_schema, settings_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .coordinator import ClawdConfigEntry
    from .gateway import AgentCatalogue, Model


class ConversationSubentryFlow(ConfigSubentryFlow):
    """Add a conversation agent, or change its settings."""

    _agents: AgentCatalogue
    _models: tuple[Model, ...]

    def __init__(self) -> None:
        """Start with nothing chosen."""
        self._chosen: dict[str, Any] = {}

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Choose the agent to add."""
        return await self._async_step_agent("user", user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Choose another agent or model."""
        return await self._async_step_agent("reconfigure", user_input)

    async def async_step_settings(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Choose how to talk with the agent."""
        errors: dict[str, str] = {}
        if user_input is not None:
            settings = _flatten(user_input)
            if not (errors := _mistakes(settings)):
                return self._async_finish({**self._chosen, **settings})
        levels = self._levels
        stored = {
            key: value
            for key, value in self._stored.items()
            if key != CONF_THINKING or value in levels
        }
        values = user_input or {**stored, SECTION_ADVANCED: stored}
        schema = settings_schema(levels)
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=errors,
        )

    async def _async_step_agent(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        entry: ClawdConfigEntry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        if user_input is not None:
            self._chosen = user_input
            return await self.async_step_settings()
        try:
            await self._async_load(entry)
        except GatewayError:
            return self.async_abort(reason="cannot_connect")
        values = self._stored or {CONF_AGENT: self._agents.default}
        schema = agent_schema(self._agents.agents, self._models, values, self._title)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, values),
        )

    async def _async_load(self, entry: ClawdConfigEntry) -> None:
        """Ask the Gateway what can be chosen."""
        coordinator = entry.runtime_data.coordinator
        self._agents = await coordinator.async_refresh_agents()
        hello = coordinator.client.hello
        choice = hello is not None and hello.can_choose_model
        self._models = await coordinator.client.list_models() if choice else ()

    def _async_finish(self, data: dict[str, Any]) -> SubentryFlowResult:
        agent = self._agents.get(data[CONF_AGENT])
        title = agent.name if agent else data[CONF_AGENT]
        if self.source == SOURCE_USER:
            return self.async_create_entry(title=title, data=data)
        if data[CONF_AGENT] == self._stored[CONF_AGENT]:
            title = self._title
        return self.async_update_and_abort(
            self._get_entry(), self._get_reconfigure_subentry(), title=title, data=data
        )

    @property
    def _stored(self) -> Mapping[str, Any]:
        if self.source == SOURCE_USER:
            return {}
        return self._get_reconfigure_subentry().data

    @property
    def _title(self) -> str:
        if self.source == SOURCE_USER:
            return ""
        return self._get_reconfigure_subentry().title

    @property
    def _levels(self) -> dict[str, str]:
        """Return how hard the chosen model, or else the agent, can think.

        What is stored for them can be kept.
        """
        ref = self._chosen.get(CONF_MODEL)
        model = next((model for model in self._models if model.ref == ref), None)
        chosen = model or self._agents.get(self._chosen[CONF_AGENT])
        levels = chosen.thinking_levels if chosen else ()
        labels = {level.id: level.label for level in levels}
        stored = self._stored
        if CONF_THINKING in stored and all(
            self._chosen.get(key) == stored.get(key) for key in (CONF_AGENT, CONF_MODEL)
        ):
            labels.setdefault(stored[CONF_THINKING], stored[CONF_THINKING])
        return labels


def _flatten(user_input: dict[str, Any]) -> dict[str, Any]:
    """Return the settings as they are kept: no sections, seconds without fractions."""
    settings = {**user_input, **user_input[SECTION_ADVANCED]}
    del settings[SECTION_ADVANCED]
    for key in (CONF_SILENCE, CONF_DEADLINE):
        settings[key] = int(settings[key])
    name = settings.pop(CONF_SESSION_NAME, "").strip()
    if settings[CONF_SESSION_SCOPE] == Scope.NAMED:
        settings[CONF_SESSION_NAME] = name
    return settings


def _mistakes(settings: dict[str, Any]) -> dict[str, str]:
    if settings.get(CONF_SESSION_NAME) == "":
        return {CONF_SESSION_NAME: "session_name_missing"}
    if settings[CONF_DEADLINE] < settings[CONF_SILENCE]:
        return {"base": "deadline_too_short"}
    return {}
