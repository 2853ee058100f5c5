"""Calls of actions."""

from typing import Any

from homeassistant.core import Context, HomeAssistant

from custom_components.clawd.const import DOMAIN

from .states import AGENT

STRUCTURE = {"people": {"required": True, "selector": {"number": {}}}}


async def call(
    hass: HomeAssistant,
    action: str,
    context: Context | None = None,
    **data: Any,  # noqa: ANN401 - of any field
) -> Any:  # noqa: ANN401 - any response
    """Call an action; return its response."""
    return await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True, context=context
    )


async def ask(hass: HomeAssistant, text: str = "Hello", **data: Any) -> Any:  # noqa: ANN401
    """Ask the agent."""
    return await call(hass, "ask", agent=AGENT, text=text, **data)
