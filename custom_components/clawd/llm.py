"""Tools for other conversation agents.

New in Home Assistant 2026.10.
"""

from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import llm

from .assist.ask_tool import AskTool, async_offered_agents
from .const import DOMAIN
from .home.agent_calls import in_agent_call

if TYPE_CHECKING:
    from homeassistant.components.llm import LLMTools

# Our own agents do not ask each other. Behind the MCP server may be a Gateway: what its
# agent does there cannot be told from what others do.
EXCLUDED_PLATFORMS = frozenset({DOMAIN, "mcp_server"})


@callback
def async_get_tools(
    hass: HomeAssistant, llm_context: llm.LLMContext, api_id: str
) -> LLMTools | None:
    """Return the tool to ask an agent."""
    if api_id != llm.LLM_API_ASSIST or llm_context.platform in EXCLUDED_PLATFORMS:
        return None
    if in_agent_call() or not (agents := async_offered_agents(hass)):
        return None
    # Earlier versions, which do not call this, lack it.
    from homeassistant.components.llm import LLMTools  # noqa: PLC0415

    return LLMTools(tools=[AskTool(agents)])
