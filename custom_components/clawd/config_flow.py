"""The config flow: address, token, approval."""

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
)
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_SSL, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow, section
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import (
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .connection import async_get_credentials, async_get_endpoint
from .const import (
    CONF_ALLOW_INSECURE,
    CONF_CA_CERTIFICATE,
    CONF_FINGERPRINT,
    DEFAULT_PORT,
    DOMAIN,
    PAIRING_TASK,
    SUBENTRY_CONVERSATION,
)
from .errors import approval_placeholders, error_key, pairing_request
from .gateway import (
    GatewayClient,
    GatewayError,
    InvalidTokenError,
    PairingRequiredError,
    read_fingerprint,
)
from .options_flow import ClawdOptionsFlow
from .subentry_flow import ConversationSubentryFlow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homeassistant.config_entries import ConfigEntry

APPROVAL_POLL_INTERVAL: Final = 3.0
SECTION_SECURITY: Final = "security"

_TOKEN: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))

USER_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): cv.port,
        vol.Required(CONF_SSL, default=False): bool,
        vol.Optional(CONF_TOKEN): _TOKEN,
        vol.Optional(SECTION_SECURITY): section(
            vol.Schema(
                {
                    vol.Optional(CONF_FINGERPRINT): TextSelector(),
                    vol.Optional(CONF_CA_CERTIFICATE): TextSelector(
                        TextSelectorConfig(multiline=True)
                    ),
                    vol.Required(CONF_ALLOW_INSECURE, default=False): bool,
                }
            ),
            {"collapsed": True},
        ),
    }
)
REAUTH_SCHEMA: Final = vol.Schema({vol.Optional(CONF_TOKEN): _TOKEN})

_FIELDS_BY_CODE: Final = {
    "INVALID_HOST": (CONF_HOST, "invalid_host"),
    "UNKNOWN_HOST": (CONF_HOST, "unknown_host"),
    "TLS": (CONF_SSL, "tls_failed"),
    "TLS_CERTIFICATE": (CONF_SSL, "tls_certificate"),
    "TLS_FINGERPRINT": ("base", "tls_fingerprint"),
    "HTTP_403": ("base", "proxy_not_trusted"),
}


class ClawdConfigFlow(ConfigFlow, domain=DOMAIN):
    """Add a Gateway, or regain access to one."""

    VERSION = 1
    MINOR_VERSION = 2

    @staticmethod
    @callback
    @override
    def async_get_options_flow(_config_entry: ConfigEntry) -> ClawdOptionsFlow:
        """Return the flow that changes the options."""
        return ClawdOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, _config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to a Gateway."""
        return {SUBENTRY_CONVERSATION: ConversationSubentryFlow}

    def __init__(self) -> None:
        """Start with nothing known."""
        self._data: dict[str, Any] = {}
        self._error: GatewayError | None = None
        self._approval: asyncio.Task[None] | None = None

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the address and the token."""
        if user_input is not None:
            self._data = _flatten(user_input)
            self._async_abort_entries_match(
                {key: self._data[key] for key in (CONF_HOST, CONF_PORT)}
            )
            if mistakes := await self._async_mistakes():
                return self._async_show_form("user", USER_SCHEMA, mistakes)
            return await self._async_try()
        return self._async_show_form("user", USER_SCHEMA)

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Find out what the Gateway wants by now."""
        self._data = dict(entry_data)
        return await self._async_try()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new token."""
        if user_input is not None:
            self._data = {**self._get_reauth_entry().data, **user_input}
            return await self._async_try()
        return self._async_show_form("reauth_confirm", REAUTH_SCHEMA)

    async def async_step_pairing(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Wait until somebody approves this device at the Gateway."""
        if self._approval is None:
            self._approval = self.hass.async_create_background_task(
                self._async_wait_for_approval(), PAIRING_TASK
            )
        if not self._approval.done():
            return self.async_show_progress(
                step_id="pairing",
                progress_action="wait_for_approval",
                description_placeholders=approval_placeholders(self._error),
                progress_task=self._approval,
            )
        self._approval = None
        return self.async_show_progress_done(next_step_id="approved")

    async def async_step_approved(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on with what the wait for approval led to."""
        return await self._async_conclude()

    async def _async_try(self) -> ConfigFlowResult:
        await self._async_probe()
        return await self._async_conclude()

    async def _async_mistakes(self) -> dict[str, str]:
        """Return what cannot be right, whatever the Gateway says."""
        try:
            if CONF_FINGERPRINT in self._data:
                digits = read_fingerprint(self._data[CONF_FINGERPRINT])
                self._data[CONF_FINGERPRINT] = digits
        except ValueError:
            return {"base": "invalid_fingerprint"}
        try:
            await async_get_endpoint(self.hass, self._data)
        except ssl.SSLError:
            return {"base": "invalid_ca_certificate"}
        return {}

    async def _async_conclude(self) -> ConfigFlowResult:
        if isinstance(self._error, PairingRequiredError):
            return await self.async_step_pairing()
        if self._error is not None:
            if self.source == SOURCE_REAUTH:
                return self._async_show_form("reauth_confirm", REAUTH_SCHEMA)
            return self._async_show_form("user", USER_SCHEMA)
        if self.source == SOURCE_REAUTH:
            return self.async_update_reload_and_abort(
                self._get_reauth_entry(), data=self._data
            )
        return self.async_create_entry(title="OpenClaw Gateway", data=self._data)

    async def _async_probe(self) -> None:
        try:
            credentials = await async_get_credentials(self.hass, self._data)
        except ConfigEntryError as err:
            raise AbortFlow("identity_unreadable") from err
        endpoint = await async_get_endpoint(self.hass, self._data)
        try:
            await GatewayClient(endpoint, credentials).probe()
        except GatewayError as err:
            self._error = err
        else:
            self._error = None

    async def _async_wait_for_approval(self) -> None:
        """Ask again until the answer changes; a request expires after 5 minutes."""
        asked = pairing_request(self._error)
        while isinstance(self._error, PairingRequiredError) and (
            pairing_request(self._error) == asked
        ):
            await asyncio.sleep(APPROVAL_POLL_INTERVAL)
            await self._async_probe()

    def _async_show_form(
        self, step_id: str, schema: vol.Schema, mistakes: dict[str, str] | None = None
    ) -> ConfigFlowResult:
        values = {**self._data, SECTION_SECURITY: self._data}
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=mistakes or _form_errors(self._error),
        )


def _flatten(user_input: dict[str, Any]) -> dict[str, Any]:
    """Return what was entered, without the sections of the form and what is empty."""
    answers = {**user_input, **user_input.get(SECTION_SECURITY, {})}
    answers.pop(SECTION_SECURITY, None)
    if not answers.get(CONF_ALLOW_INSECURE):
        answers.pop(CONF_ALLOW_INSECURE, None)
    answers[CONF_HOST] = answers[CONF_HOST].strip()
    return answers


def _form_errors(error: GatewayError | None) -> dict[str, str]:
    """Return the error of the field that is to be corrected."""
    if error is None:
        return {}
    if isinstance(error, InvalidTokenError):
        return {CONF_TOKEN: error_key(error)}
    field, key = _FIELDS_BY_CODE.get(error.code, ("base", error_key(error)))
    return {field: key}
