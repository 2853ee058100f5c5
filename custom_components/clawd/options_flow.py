"""The options flow: when to test."""

from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig
import voluptuous as vol

from .const import CONF_SELF_TEST_SCHEDULE
from .schedule import DEFAULT_SCHEDULE, Schedule

OPTIONS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_SELF_TEST_SCHEDULE, default=DEFAULT_SCHEDULE): SelectSelector(
            SelectSelectorConfig(
                options=list(Schedule), translation_key=CONF_SELF_TEST_SCHEDULE
            )
        )
    }
)


class ClawdOptionsFlow(OptionsFlow):
    """Change the options of an entry; they are read when they are needed."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the options, or keep them."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        schema = self.add_suggested_values_to_schema(
            OPTIONS_SCHEMA, self.config_entry.options
        )
        return self.async_show_form(data_schema=schema)
