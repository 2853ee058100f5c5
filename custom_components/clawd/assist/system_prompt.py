"""System prompt of a question."""

from typing import TYPE_CHECKING

from ..const import CONF_INSTRUCTIONS, CONF_SHARE_USER_NAME
from ..home.prompt import async_home_prompt, async_home_states_prompt
from ..home.service import get_home
from ..home.settings import AgentHome, HomeAccess
from .prompt import (
    NO_HOME_ACCESS,
    NO_POLL,
    async_get_user_context,
    describe_user,
    join,
    render_instructions,
)
from .question import Question, call_origin

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry


async def async_build_prompt(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
) -> str:
    """Return the system prompt of a question.

    Raises:
        HomeAssistantError: the instructions cannot be rendered.

    """
    settings = subentry.data
    context = await async_get_user_context(
        hass,
        question.language,
        device_id=question.device_id,
        satellite_id=question.satellite_id,
        user_id=question.user_id if settings[CONF_SHARE_USER_NAME] else None,
    )
    return join(
        " ".join(describe_user(context, spoken=question.voice_device is not None)),
        NO_POLL,
        await _async_home_prompt(hass, entry, subentry, question),
        render_instructions(hass, subentry, settings[CONF_INSTRUCTIONS], context),
        question.history,
        question.extra_system_prompt,
    )


async def _async_home_prompt(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    question: Question,
) -> str:
    """Return the prompt of the home."""
    home, agent = get_home(entry), AgentHome.from_subentry(subentry)
    if home is None or agent.access is HomeAccess.NONE:
        return NO_HOME_ACCESS
    origin = call_origin(subentry, question)
    # Clawdbot and older Gateways never have the tools.
    if entry.runtime_data.node is None:
        return await async_home_states_prompt(hass, origin)
    # Until the Gateway has the tools, they cannot be called.
    if not home.published:
        return NO_HOME_ACCESS
    tools = home.published_for(agent)
    return await async_home_prompt(hass, agent, origin, home.prefix, tools)
