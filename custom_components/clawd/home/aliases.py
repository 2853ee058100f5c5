"""Aliases of entities."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er


@callback
def aliases_of(hass: HomeAssistant, entity_id: str) -> list[str]:
    """Return the aliases of an entity."""
    entry = er.async_get(hass).async_get(entity_id)
    # Home Assistant 2026.4 marks by a value of its own where the name counts.
    return [one for one in (entry.aliases if entry else ()) if isinstance(one, str)]
