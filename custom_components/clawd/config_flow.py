"""The config flow: an address, a token, and whatever the Gateway asks for."""

import ssl
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlowResult,
    ConfigSubentryFlow,
)
from homeassistant.const import CONF_ADDRESS, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import voluptuous as vol

from .address import read_address
from .announcement import Announcement
from .connection import certificates_in
from .const import CONF_CA_CERTIFICATE, DOMAIN, SUBENTRY_CONVERSATION
from .flow_errors import form_errors
from .migration import lasting_id
from .options_flow import ClawdOptionsFlow
from .subentry import new_subentry
from .subentry_flow import ConversationSubentryFlow
from .visit import Visit, place_of
from .visit_steps import VisitSteps, grouped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .gateway import GatewayError

TITLE: Final = "OpenClaw Gateway"
SECTION_SECURITY: Final = "security"

_TOKEN: Final = {
    vol.Optional(CONF_TOKEN): TextSelector(
        TextSelectorConfig(type=TextSelectorType.PASSWORD)
    )
}
_SECURITY: Final = vol.Schema(
    {
        vol.Optional(CONF_CA_CERTIFICATE): TextSelector(
            TextSelectorConfig(multiline=True)
        )
    }
)
ADDRESS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_ADDRESS): TextSelector(),
        **_TOKEN,
        vol.Optional(SECTION_SECURITY): section(_SECURITY, {"collapsed": True}),
    }
)
TOKEN_SCHEMA: Final = vol.Schema(_TOKEN)


class ClawdConfigFlow(VisitSteps, domain=DOMAIN):
    """Add a Gateway, or regain access to one."""

    VERSION = 1
    MINOR_VERSION = 3

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
        self._form = "user"
        self._schema = ADDRESS_SCHEMA
        self._answers: dict[str, Any] = {}
        self._errors: dict[str, str] = {}
        self._placeholders: dict[str, str] = {}
        self._title = TITLE

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the address and the token."""
        if user_input is None:
            return self._async_show({})
        return await self._async_read(user_input, Visit(self.hass))

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for another address or token; an empty one means the old one."""
        entry = self._get_reconfigure_entry()
        if user_input is None:
            self._form = "reconfigure"
            self._answers = {
                CONF_ADDRESS: place_of(entry.data).url,
                CONF_CA_CERTIFICATE: entry.data.get(CONF_CA_CERTIFICATE),
            }
            return self._async_show({})
        return await self._async_read(user_input, Visit.of_entry(self.hass, entry))

    async def async_step_reauth(
        self, _entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Find out what the Gateway wants by now."""
        self._form, self._schema = "reauth_confirm", TOKEN_SCHEMA
        self.visit = Visit.of_entry(self.hass, self._get_reauth_entry())
        return await self._async_visit()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new token."""
        return await self._async_retry(user_input)

    async def async_step_zeroconf(
        self, discovery_info: ZeroconfServiceInfo
    ) -> ConfigFlowResult:
        """Offer a Gateway that says it is there; whether it is shows later."""
        found = Announcement.from_service(discovery_info)
        await self.async_set_unique_id(discovery_info.name)
        self._abort_if_unique_id_configured()
        for entry in self._async_current_entries(include_ignore=False):
            if found.is_at(place_of(entry.data)):
                return self.async_abort(reason="already_configured")
        self._form, self._schema = "zeroconf_confirm", TOKEN_SCHEMA
        self._title = found.name
        self.announced = found.fingerprint
        self.context["title_placeholders"] = {"name": found.name}
        self._placeholders = {
            "name": found.name,
            "address": found.candidates[-1].url,
            "fingerprint": grouped(found.fingerprint or "") or "-",
        }
        self.visit = Visit(self.hass, found.candidates)
        return self._async_show({})

    async def async_step_zeroconf_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the token of a Gateway that was discovered."""
        return await self._async_retry(user_input)

    async def _async_read(
        self, answers: dict[str, Any], visit: Visit
    ) -> ConfigFlowResult:
        """Go to where the answers lead."""
        self._answers = {**answers, **answers.get(SECTION_SECURITY, {})}
        if pasted := self._answers.get(CONF_CA_CERTIFICATE):
            if not (certificates := certificates_in(pasted)):
                return self._async_show({"base": "invalid_ca_certificate"})
            self._answers[CONF_CA_CERTIFICATE] = certificates
        try:
            address = read_address(answers[CONF_ADDRESS])
        except ValueError:
            return self._async_show({CONF_ADDRESS: "invalid_address"})
        self.visit = visit
        visit.take_authority(self._answers.get(CONF_CA_CERTIFICATE))
        visit.take_address(address)
        visit.take_secret(answers.get(CONF_TOKEN, ""))
        try:
            return await self._async_visit()
        except ssl.SSLError:
            return self._async_show({"base": "invalid_ca_certificate"})

    async def _async_retry(self, answers: dict[str, Any] | None) -> ConfigFlowResult:
        if answers is None:
            return self._async_show(self._errors)
        self._answers = answers
        self.visit.take_secret(answers.get(CONF_TOKEN, ""))
        return await self._async_visit()

    @override
    async def _async_ask(self, error: GatewayError) -> ConfigFlowResult:
        fields = {str(field) for field in self._schema.schema}
        return self._async_show(form_errors(error, fields))

    @override
    async def _async_finish(self) -> ConfigFlowResult:
        if self.source == SOURCE_REAUTH:
            entry = self._get_reauth_entry()
            return await self._async_update(entry, "reauth_successful")
        if self.source == SOURCE_RECONFIGURE:
            entry = self._get_reconfigure_entry()
            return await self._async_update(entry, "reconfigure_successful")
        survey = self.visit.survey
        await self.async_set_unique_id(survey.gateway_id, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        await self.visit.async_hand_over()
        self._async_end_discovered()
        agent = survey.agents.get(survey.agents.default)
        return self.async_create_entry(
            title=self._title,
            data=self.visit.entry_data,
            options=self.visit.options,
            subentries=[new_subentry(agent.id, agent.name)] if agent else [],
        )

    async def _async_update(self, entry: ConfigEntry, reason: str) -> ConfigFlowResult:
        """Change an entry, if it is still the same Gateway's."""
        survey = self.visit.survey
        if entry.unique_id and not survey.is_known_as(entry.unique_id):
            return self.async_abort(reason="wrong_gateway")
        await self.visit.async_hand_over()
        self._async_end_discovered()
        reloads_itself = bool(entry.update_listeners)
        changed = self.hass.config_entries.async_update_entry(
            entry,
            unique_id=lasting_id(self.hass, entry, survey.gateway_id),
            data=self.visit.entry_data,
            options=self.visit.options,
        )
        if not (changed and reloads_itself):
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_abort(reason=reason)

    @callback
    def _async_end_discovered(self) -> None:
        """Offer a Gateway no more that was discovered where this one is."""

        def is_here(info: ZeroconfServiceInfo) -> bool:
            return Announcement.from_service(info).is_at(self.visit.place)

        flows = self.hass.config_entries.flow
        for flow in flows.async_progress_by_init_data_type(
            ZeroconfServiceInfo, is_here
        ):
            if flow["handler"] == DOMAIN and flow["flow_id"] != self.flow_id:
                flows.async_abort(flow["flow_id"])

    def _async_show(self, errors: dict[str, str]) -> ConfigFlowResult:
        self._errors = errors
        values = {**self._answers, SECTION_SECURITY: self._answers}
        return self.async_show_form(
            step_id=self._form,
            data_schema=self.add_suggested_values_to_schema(self._schema, values),
            errors=errors,
            description_placeholders=self._placeholders,
        )
