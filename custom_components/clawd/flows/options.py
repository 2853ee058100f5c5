"""Options flow of the OpenClaw Gateway integration."""

from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    TimeSelector,
)
import voluptuous as vol

from ..const import (
    CONF_ALLOW_INSECURE,
    CONF_ASK_QUESTIONS,
    CONF_HEADERS,
    CONF_KEEP_RUN,
    CONF_QUIET_END,
    CONF_QUIET_START,
    CONF_SELF_TEST_SCHEDULE,
    CONF_TRACE_LENGTH,
    CONF_WARM_UP,
    DEFAULT_KEEP_RUN,
    DEFAULT_TRACE_LENGTH,
    MAX_KEEP_RUN,
    MAX_TRACE_LENGTH,
)
from ..gateway import valid_headers
from ..reports import DEFAULT_SCHEDULE, Schedule
from .headers import HEADERS_FIELD, InvalidHeaderError, read_headers, shown_headers

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
        vol.Optional(CONF_QUIET_START): TimeSelector(),
        vol.Optional(CONF_QUIET_END): TimeSelector(),
        vol.Required(CONF_TRACE_LENGTH, default=DEFAULT_TRACE_LENGTH): vol.All(
            NumberSelector(NumberSelectorConfig(min=0, max=MAX_TRACE_LENGTH)),
            vol.Coerce(int),
        ),
        vol.Required(CONF_ASK_QUESTIONS, default=False): BooleanSelector(),
        vol.Required(CONF_WARM_UP, default=True): BooleanSelector(),
        vol.Required(CONF_ALLOW_INSECURE, default=False): BooleanSelector(),
        **HEADERS_FIELD,
    }
)


class ClawdOptionsFlow(OptionsFlow):
    """Change the options of an entry."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show or store the options."""
        stored = self.config_entry.options
        headers = valid_headers(stored.get(CONF_HEADERS))
        errors, line = _check_quiet_hours(user_input or {}), 0
        if user_input is not None:
            try:
                entered = read_headers(user_input.get(CONF_HEADERS, ()), headers)
            except InvalidHeaderError as err:
                errors[CONF_HEADERS], line = err.key, err.line
            if not errors:
                options = {**user_input, CONF_HEADERS: entered}
                if not entered:
                    del options[CONF_HEADERS]
                return self.async_create_entry(data=options)
        shown = {key: stored[key] for key in stored if key != CONF_HEADERS}
        values = user_input or {**shown, **shown_headers(headers)}
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(OPTIONS_SCHEMA, values),
            errors=errors,
            description_placeholders={"line": str(line)},
        )


def _check_quiet_hours(user_input: dict[str, Any]) -> dict[str, str]:
    """Validate the quiet hours."""
    start, end = (user_input.get(key) for key in (CONF_QUIET_START, CONF_QUIET_END))
    if (start is None) != (end is None):
        missing = CONF_QUIET_START if start is None else CONF_QUIET_END
        return {missing: "quiet_hours_incomplete"}
    if start is not None and start == end:
        return {CONF_QUIET_END: "quiet_hours_equal"}
    return {}
