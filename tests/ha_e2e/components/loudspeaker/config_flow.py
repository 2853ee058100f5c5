"""Config flow of the loudspeakers."""

from typing import Any

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_NAME
import voluptuous as vol

from .const import DOMAIN


class LoudspeakerConfigFlow(ConfigFlow, domain=DOMAIN):
    """Ask for a name."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Create a device."""
        if user_input is not None:
            return self.async_create_entry(title=user_input[CONF_NAME], data={})
        schema = vol.Schema({vol.Required(CONF_NAME): str})
        return self.async_show_form(step_id="user", data_schema=schema)
