"""Settings forms of a conversation agent."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.const import CONF_LLM_HASS_API, CONF_MODEL, UnitOfTime
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    LabelSelector,
    LabelSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TemplateSelector,
    TextSelector,
)
import voluptuous as vol

from ..assist.rights import Permissions
from ..assist.session import Scope
from ..assist.spoken import SpokenPart
from ..const import (
    CONF_AGENT,
    CONF_CREATE_ASSISTANT,
    CONF_DEADLINE,
    CONF_FAST_VOICE,
    CONF_FROM_ELSEWHERE,
    CONF_HANDOFF_AFTER,
    CONF_HANDOFF_SENTENCE,
    CONF_HOME_ACCESS,
    CONF_IDLE_TIMEOUT,
    CONF_INSTRUCTIONS,
    CONF_OFFER_TO_AGENTS,
    CONF_PERMISSIONS,
    CONF_SENSITIVE,
    CONF_SENSITIVE_LABEL,
    CONF_SESSION_NAME,
    CONF_SESSION_SCOPE,
    CONF_SHARE_USER_NAME,
    CONF_SPEECH_CLEANUP,
    CONF_SPOKEN_PART,
    CONF_THINKING,
    CONF_TOOL_PROGRESS,
    DEFAULT_DEADLINE,
    DEFAULT_HANDOFF_AFTER,
    DEFAULT_IDLE_TIMEOUT,
    MAX_HANDOFF_AFTER,
    SUBENTRY_CONVERSATION,
)
from ..home.settings import DEFAULT_APIS, HomeAccess, SensitiveActions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import StrEnum

    from ..gateway import Agent, Model

SECTION_ADVANCED: Final = "advanced"
SECTION_HOME: Final = "home"
SECTION_VOICE: Final = "voice"
OFF: Final = "off"

# Without a model or a thinking level, the agent uses its own.
DEFAULTS: Final[Mapping[str, Any]] = {
    CONF_SESSION_SCOPE: Scope.DEVICE_OR_USER.value,
    CONF_PERMISSIONS: Permissions.ADMINISTRATORS.value,
    CONF_INSTRUCTIONS: "",
    CONF_SHARE_USER_NAME: False,
    CONF_IDLE_TIMEOUT: DEFAULT_IDLE_TIMEOUT,
    CONF_DEADLINE: DEFAULT_DEADLINE,
    CONF_SPEECH_CLEANUP: True,
    CONF_HANDOFF_AFTER: DEFAULT_HANDOFF_AFTER,
    CONF_TOOL_PROGRESS: False,
    CONF_HOME_ACCESS: HomeAccess.NONE.value,
    CONF_FROM_ELSEWHERE: HomeAccess.NONE.value,
    CONF_SENSITIVE: SensitiveActions.ASK.value,
    CONF_LLM_HASS_API: [*DEFAULT_APIS],
    CONF_SPOKEN_PART: SpokenPart.ANSWER.value,
    CONF_FAST_VOICE: False,
    CONF_OFFER_TO_AGENTS: False,
}
HOME_SETTINGS: Final = (
    CONF_HOME_ACCESS,
    CONF_FROM_ELSEWHERE,
    CONF_SENSITIVE,
    CONF_LLM_HASS_API,
)

# Seconds.
MIN_TIMEOUT: Final = 5
MAX_TIMEOUT: Final = 86_400

ASSISTANT_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_CREATE_ASSISTANT, default=True): bool}
)


def choice_selector(key: str, options: Iterable[StrEnum]) -> SelectSelector:
    """Return the selector of one of the options."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[option.value for option in options],
            mode=SelectSelectorMode.DROPDOWN,
            translation_key=key,
        )
    )


SECONDS: Final = NumberSelector(
    NumberSelectorConfig(
        min=MIN_TIMEOUT,
        max=MAX_TIMEOUT,
        step=1,
        mode=NumberSelectorMode.BOX,
        unit_of_measurement=UnitOfTime.SECONDS,
    )
)
_ADVANCED: Final = vol.Schema(
    {
        vol.Required(CONF_IDLE_TIMEOUT, default=DEFAULTS[CONF_IDLE_TIMEOUT]): SECONDS,
        vol.Required(CONF_DEADLINE, default=DEFAULTS[CONF_DEADLINE]): SECONDS,
        vol.Required(CONF_TOOL_PROGRESS, default=DEFAULTS[CONF_TOOL_PROGRESS]): bool,
        vol.Required(
            CONF_OFFER_TO_AGENTS, default=DEFAULTS[CONF_OFFER_TO_AGENTS]
        ): bool,
    }
)
_VOICE: Final = vol.Schema(
    {
        vol.Required(
            CONF_SPOKEN_PART, default=DEFAULTS[CONF_SPOKEN_PART]
        ): choice_selector(CONF_SPOKEN_PART, SpokenPart),
        vol.Required(
            CONF_HANDOFF_AFTER, default=DEFAULTS[CONF_HANDOFF_AFTER]
        ): NumberSelector(
            NumberSelectorConfig(
                min=0,
                max=MAX_HANDOFF_AFTER,
                step=1,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement=UnitOfTime.SECONDS,
            )
        ),
        vol.Optional(CONF_HANDOFF_SENTENCE): TextSelector(),
        vol.Required(CONF_FAST_VOICE, default=DEFAULTS[CONF_FAST_VOICE]): bool,
    }
)


def new_subentry(
    agent_id: str,
    title: str,
    access: HomeAccess = HomeAccess.NONE,
    *,
    create_assistant: bool = False,
) -> ConfigSubentryData:
    """Return a subentry with default settings."""
    data = {CONF_AGENT: agent_id, **DEFAULTS, CONF_HOME_ACCESS: access.value}
    return ConfigSubentryData(
        data=data | assistant_choice(create_assistant=create_assistant),
        subentry_type=SUBENTRY_CONVERSATION,
        title=title,
        unique_id=None,
    )


def assistant_choice(*, create_assistant: bool) -> dict[str, Any]:
    """Return the subentry data for creating an assistant."""
    return {CONF_CREATE_ASSISTANT: True} if create_assistant else {}


def agent_schema(
    agents: Iterable[Agent],
    models: Iterable[Model],
    stored: Mapping[str, Any],
    title: str,
) -> vol.Schema:
    """Return the form for agent and model.

    The stored agent and model stay options where the Gateway no longer has them;
    `title` is then the name of the agent.
    """
    fields: dict[vol.Marker, object] = {
        vol.Required(CONF_AGENT): _select(
            {agent.id: agent.name for agent in agents}, stored.get(CONF_AGENT), title
        )
    }
    available = {model.ref: model.name for model in models if model.available}
    if available or CONF_MODEL in stored:
        fields[vol.Optional(CONF_MODEL)] = _select(available, stored.get(CONF_MODEL))
    return vol.Schema(fields)


def home_schema(apis: Mapping[str, str]) -> vol.Schema:
    """Return the section on home access."""
    return vol.Schema(
        {
            vol.Required(
                CONF_HOME_ACCESS, default=DEFAULTS[CONF_HOME_ACCESS]
            ): choice_selector(CONF_HOME_ACCESS, HomeAccess),
            vol.Required(
                CONF_FROM_ELSEWHERE, default=DEFAULTS[CONF_FROM_ELSEWHERE]
            ): choice_selector(CONF_FROM_ELSEWHERE, HomeAccess),
            vol.Required(
                CONF_SENSITIVE, default=DEFAULTS[CONF_SENSITIVE]
            ): choice_selector(CONF_SENSITIVE, reversed(SensitiveActions)),
            vol.Optional(CONF_SENSITIVE_LABEL): LabelSelector(LabelSelectorConfig()),
            vol.Required(
                CONF_LLM_HASS_API, default=DEFAULTS[CONF_LLM_HASS_API]
            ): SelectSelector(
                SelectSelectorConfig(
                    options=[
                        SelectOptionDict(value=api, label=name)
                        for api, name in apis.items()
                    ],
                    multiple=True,
                )
            ),
        }
    )


def settings_schema(
    thinking_levels: dict[str, str], apis: Mapping[str, str]
) -> vol.Schema:
    """Return the form for all other settings."""
    fields: dict[vol.Marker, object] = {
        vol.Required(
            CONF_SESSION_SCOPE, default=DEFAULTS[CONF_SESSION_SCOPE]
        ): choice_selector(CONF_SESSION_SCOPE, Scope),
        vol.Optional(CONF_SESSION_NAME): TextSelector(),
        vol.Required(
            CONF_PERMISSIONS, default=DEFAULTS[CONF_PERMISSIONS]
        ): choice_selector(CONF_PERMISSIONS, Permissions),
    }
    return vol.Schema(
        {
            **fields,
            **thinking_field(thinking_levels),
            vol.Optional(
                CONF_INSTRUCTIONS, default=DEFAULTS[CONF_INSTRUCTIONS]
            ): TemplateSelector(),
            vol.Required(
                CONF_SHARE_USER_NAME, default=DEFAULTS[CONF_SHARE_USER_NAME]
            ): bool,
            vol.Required(
                CONF_SPEECH_CLEANUP, default=DEFAULTS[CONF_SPEECH_CLEANUP]
            ): bool,
            vol.Required(SECTION_HOME): section(home_schema(apis), {"collapsed": True}),
            vol.Required(SECTION_VOICE): section(_VOICE, {"collapsed": True}),
            vol.Required(SECTION_ADVANCED): section(_ADVANCED, {"collapsed": True}),
        }
    )


def thinking_field(thinking_levels: dict[str, str]) -> dict[vol.Marker, object]:
    """Return the thinking level field, if applicable."""
    if thinking_levels.keys() - {OFF}:
        return {vol.Optional(CONF_THINKING): _select(thinking_levels)}
    return {}


def _select(
    names: dict[str, str], stored: str | None = None, stored_name: str = ""
) -> SelectSelector:
    """Return a selector including the stored value."""
    if stored and stored not in names:
        names = {**names, stored: stored_name or stored}
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(value=value, label=name)
                for value, name in names.items()
            ],
            mode=SelectSelectorMode.DROPDOWN,
        )
    )
