"""Options flow of the OpenClaw Gateway integration."""

from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
)
import voluptuous as vol

from ..const import (
    CONF_ALLOW_INSECURE,
    CONF_KEEP_RUN,
    CONF_SELF_TEST_SCHEDULE,
    CONF_TRACE_LENGTH,
    DEFAULT_KEEP_RUN,
    DEFAULT_TRACE_LENGTH,
    MAX_KEEP_RUN,
    MAX_TRACE_LENGTH,
)
from ..reports import DEFAULT_SCHEDULE, Schedule

OPTIONS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_SELF_TEST_SCHEDULE, default=DEFAULT_SCHEDULE): SelectSelector(
            SelectSelectorConfig(
                options=list(Schedule), translation_key=CONF_SELF_TEST_SCHEDULE
            )
        ),
        vol.Required(CONF_KEEP_RUN, default=DEFAULT_KEEP_RUN): vol.All(
            NumberSelector(
                NumberSelectorConfig(min=0, max=MAX_KEEP_RUN, unit_of_measurement="s")
            ),
            vol.Coerce(int),
        ),
        vol.Required(CONF_TRACE_LENGTH, default=DEFAULT_TRACE_LENGTH): vol.All(
            NumberSelector(NumberSelectorConfig(min=0, max=MAX_TRACE_LENGTH)),
            vol.Coerce(int),
        ),
        vol.Required(CONF_ALLOW_INSECURE, default=False): BooleanSelector(),
    }
)


class ClawdOptionsFlow(OptionsFlow):
    """Change the options of an entry."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show or store the options."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        schema = self.add_suggested_values_to_schema(
            OPTIONS_SCHEMA, self.config_entry.options
        )
        return self.async_show_form(data_schema=schema)
