"""Subentry flow of a conversation agent."""

from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_LLM_HASS_API, CONF_MODEL

from ..assist.assistant import can_create_assistant
from ..assist.session import Scope, is_reserved_name
from ..const import (
    CONF_AGENT,
    CONF_CREATE_ASSISTANT,
    CONF_DEADLINE,
    CONF_HANDOFF_AFTER,
    CONF_HANDOFF_SENTENCE,
    CONF_IDLE_TIMEOUT,
    CONF_SESSION_NAME,
    CONF_SESSION_SCOPE,
    CONF_THINKING,
    MIN_HANDOFF_AFTER,
)
from ..gateway import GatewayError
from ..home.apis import api_names
from ..home.settings import ADMIN_API
from .agent_schema import (
    ASSISTANT_SCHEMA,
    SECTION_ADVANCED,
    SECTION_HOME,
    SECTION_VOICE,
    agent_schema,
    assistant_choice,
    settings_schema,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..coordinator import ClawdConfigEntry
    from ..gateway import AgentList, Model


class ConversationSubentryFlow(ConfigSubentryFlow):
    """Add or reconfigure a conversation agent."""

    _agents: AgentList
    _models: tuple[Model, ...]

    def __init__(self) -> None:
        """Initialize the flow."""
        self._chosen: dict[str, Any] = {}
        self._settings: dict[str, Any] = {}

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
        """Choose the settings of the agent."""
        errors: dict[str, str] = {}
        if user_input is not None:
            settings = _to_data(user_input)
            if not (errors := _validate(settings)):
                self._settings = {**self._chosen, **settings}
                return await self.async_step_assistant()
        thinking_levels = self._thinking_levels
        # A level that the new agent or model does not have must not be suggested:
        # the selector would refuse it.
        stored = {
            key: value
            for key, value in self._stored.items()
            if key != CONF_THINKING or value in thinking_levels
        }
        values = user_input or {
            **stored,
            SECTION_ADVANCED: stored,
            SECTION_HOME: stored,
            SECTION_VOICE: stored,
        }
        schema = settings_schema(thinking_levels, self._apis)
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=errors,
        )

    async def async_step_assistant(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Offer an assistant with an added agent."""
        if self.source != SOURCE_USER or not can_create_assistant(self.hass):
            return self._async_create_or_update(self._settings)
        if user_input is None:
            return self.async_show_form(
                step_id="assistant",
                data_schema=ASSISTANT_SCHEMA,
                description_placeholders={"agent": self._agent_name},
            )
        create = user_input[CONF_CREATE_ASSISTANT]
        return self._async_create_or_update(
            self._settings | assistant_choice(create_assistant=create)
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
            await self._async_load_choices(entry)
        except GatewayError:
            return self.async_abort(reason="cannot_connect")
        values = self._stored or {CONF_AGENT: self._agents.default}
        schema = agent_schema(self._agents.agents, self._models, values, self._title)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, values),
        )

    async def _async_load_choices(self, entry: ClawdConfigEntry) -> None:
        """Fetch the Gateway's agents and models."""
        coordinator = entry.runtime_data.coordinator
        client = coordinator.client
        self._agents = await coordinator.async_refresh_agents()
        can_choose_model = client.hello is not None and client.hello.can_choose_model
        self._models = await client.models.list() if can_choose_model else ()

    def _async_create_or_update(self, data: dict[str, Any]) -> SubentryFlowResult:
        title = self._new_title(self._agent_name)
        if self.source == SOURCE_USER:
            return self.async_create_entry(title=title, data=data)
        # The title may be the user's own: kept as long as the agent is the same.
        if data[CONF_AGENT] == self._stored[CONF_AGENT]:
            title = self._title
        return self.async_update_and_abort(
            self._get_entry(), self._get_reconfigure_subentry(), title=title, data=data
        )

    def _new_title(self, agent: str) -> str:
        return agent

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
    def _agent_name(self) -> str:
        """Return the name of the chosen agent."""
        agent_id: str = self._chosen[CONF_AGENT]
        agent = self._agents.get(agent_id)
        return agent.name if agent else agent_id

    @property
    def _apis(self) -> dict[str, str]:
        """Return the LLM APIs by id.

        A stored one stays an option.
        """
        stored = {api: api for api in self._stored.get(CONF_LLM_HASS_API, ())}
        return {**stored, **api_names(self.hass)}

    @property
    def _thinking_levels(self) -> dict[str, str]:
        """Return the available thinking levels by id."""
        ref = self._chosen.get(CONF_MODEL)
        model = next((model for model in self._models if model.ref == ref), None)
        source = model or self._agents.get(self._chosen[CONF_AGENT])
        levels = source.thinking_levels if source else ()
        labels = {level.id: level.label for level in levels}
        # With the same agent and model, the stored level stays an option, even if
        # the Gateway does not list it any more.
        stored = self._stored
        if CONF_THINKING in stored and all(
            self._chosen.get(key) == stored.get(key) for key in (CONF_AGENT, CONF_MODEL)
        ):
            labels.setdefault(stored[CONF_THINKING], stored[CONF_THINKING])
        return labels


def _to_data(user_input: dict[str, Any]) -> dict[str, Any]:
    """Return the settings as a flat dictionary.

    Seconds are integers.
    """
    settings = dict(user_input)
    for name in (SECTION_ADVANCED, SECTION_HOME, SECTION_VOICE):
        settings |= settings.pop(name)
    for key in (CONF_IDLE_TIMEOUT, CONF_DEADLINE, CONF_HANDOFF_AFTER):
        settings[key] = int(settings[key])
    if sentence := settings.pop(CONF_HANDOFF_SENTENCE, "").strip():
        settings[CONF_HANDOFF_SENTENCE] = sentence
    name = settings.pop(CONF_SESSION_NAME, "").strip()
    if settings[CONF_SESSION_SCOPE] == Scope.NAMED:
        settings[CONF_SESSION_NAME] = name
    return settings


def _validate(settings: dict[str, Any]) -> dict[str, str]:
    """Return the errors of the settings."""
    if settings.get(CONF_SESSION_NAME) == "":
        return {CONF_SESSION_NAME: "session_name_missing"}
    if is_reserved_name(settings.get(CONF_SESSION_NAME, "")):
        return {CONF_SESSION_NAME: "session_name_reserved"}
    if ADMIN_API in settings[CONF_LLM_HASS_API] or not settings[CONF_LLM_HASS_API]:
        return {"base": "llm_api_invalid"}
    if settings[CONF_DEADLINE] < settings[CONF_IDLE_TIMEOUT]:
        return {"base": "deadline_too_short"}
    if 0 < settings[CONF_HANDOFF_AFTER] < MIN_HANDOFF_AFTER:
        return {"base": "handoff_too_soon"}
    return {}
