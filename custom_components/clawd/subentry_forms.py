"""The forms of a conversation agent's subentry."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import CONF_MODEL, UnitOfTime
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
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

from .const import (
    CONF_AGENT,
    CONF_DEADLINE,
    CONF_INSTRUCTIONS,
    CONF_SESSION_NAME,
    CONF_SESSION_SCOPE,
    CONF_SHARE_USER_NAME,
    CONF_SILENCE,
    CONF_SPEECH_CLEANUP,
    CONF_THINKING,
    CONF_TOOL_PROGRESS,
)
from .session import Scope
from .subentry import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .gateway import Agent, Model

SECTION_ADVANCED: Final = "advanced"
OFF: Final = "off"

_SECONDS: Final = NumberSelector(
    NumberSelectorConfig(
        min=5,
        max=86_400,
        step=1,
        mode=NumberSelectorMode.BOX,
        unit_of_measurement=UnitOfTime.SECONDS,
    )
)
_ADVANCED: Final = vol.Schema(
    {
        vol.Required(CONF_SILENCE, default=DEFAULTS[CONF_SILENCE]): _SECONDS,
        vol.Required(CONF_DEADLINE, default=DEFAULTS[CONF_DEADLINE]): _SECONDS,
        vol.Required(CONF_TOOL_PROGRESS, default=DEFAULTS[CONF_TOOL_PROGRESS]): bool,
    }
)


def agent_schema(
    agents: Iterable[Agent],
    models: Iterable[Model],
    stored: Mapping[str, Any],
    title: str,
) -> vol.Schema:
    """Return the form for agent and model; what is stored can be kept.

    `title` names the stored agent if the Gateway does not know it any more.
    """
    fields: dict[vol.Marker, object] = {
        vol.Required(CONF_AGENT): _select(
            {agent.id: agent.name for agent in agents}, stored.get(CONF_AGENT), title
        )
    }
    usable = {model.ref: model.name for model in models if model.available}
    if usable or CONF_MODEL in stored:
        fields[vol.Optional(CONF_MODEL)] = _select(usable, stored.get(CONF_MODEL))
    return vol.Schema(fields)


def settings_schema(levels: dict[str, str]) -> vol.Schema:
    """Return the form for everything else; `levels` of thinking by id."""
    fields: dict[vol.Marker, object] = {
        vol.Required(
            CONF_SESSION_SCOPE, default=DEFAULTS[CONF_SESSION_SCOPE]
        ): SelectSelector(
            SelectSelectorConfig(
                options=list(Scope),
                mode=SelectSelectorMode.DROPDOWN,
                translation_key=CONF_SESSION_SCOPE,
            )
        ),
        vol.Optional(CONF_SESSION_NAME): TextSelector(),
    }
    if levels.keys() - {OFF}:
        fields[vol.Optional(CONF_THINKING)] = _select(levels)
    return vol.Schema(
        {
            **fields,
            vol.Optional(
                CONF_INSTRUCTIONS, default=DEFAULTS[CONF_INSTRUCTIONS]
            ): TemplateSelector(),
            vol.Required(
                CONF_SHARE_USER_NAME, default=DEFAULTS[CONF_SHARE_USER_NAME]
            ): bool,
            vol.Required(
                CONF_SPEECH_CLEANUP, default=DEFAULTS[CONF_SPEECH_CLEANUP]
            ): bool,
            vol.Required(SECTION_ADVANCED): section(_ADVANCED, {"collapsed": True}),
        }
    )


def _select(
    names: dict[str, str], stored: str | None = None, stored_name: str = ""
) -> SelectSelector:
    """Return a list of what there is, and of what was chosen and is gone."""
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
