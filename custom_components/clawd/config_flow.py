"""Config flow of the OpenClaw Gateway integration."""

import ssl
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
)
from homeassistant.const import CONF_ADDRESS
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import voluptuous as vol

from .assist.assistant import can_create_assistant
from .const import (
    CONF_CA_CERTIFICATE,
    CONF_CREATE_ASSISTANT,
    CONF_HEADERS,
    CONF_HOME_ACCESS,
    DOMAIN,
    PAIRING_TASK,
    SUBENTRY_AI_TASK,
    SUBENTRY_CONVERSATION,
)
from .error_mapping import (
    approval_placeholders,
    format_fingerprint,
    node_approval_placeholders,
)
from .flows.address import Candidate, parse_address
from .flows.address_form import (
    ADDRESS_SCHEMA,
    LINK_ADDRESS_SCHEMA,
    SECTION_SECURITY,
    TOKEN_SCHEMA,
    InvalidFieldError,
    flatten,
    keep_certificates,
    read_address,
    read_token,
)
from .flows.agent import ConversationSubentryFlow
from .flows.agent_schema import ASSISTANT_SCHEMA
from .flows.ai_task import AITaskSubentryFlow
from .flows.certificate import certificate_error, lacking
from .flows.discovery import DiscoveredGateway, async_abort_discovery_flows
from .flows.entry import async_update_entry, new_subentries
from .flows.form_errors import form_errors
from .flows.headers import (
    HEADERS_SCHEMA,
    InvalidHeaderError,
    read_headers,
    shown_headers,
)
from .flows.node_setup import (
    CONF_NODE_LINK,
    NODE_LINK_SCHEMA,
    NodeSetup,
    async_node_link_error,
    home_access_schema,
)
from .flows.options import ClawdOptionsFlow
from .flows.setup import GatewaySetup
from .gateway import (
    AddressClass,
    CertificateError,
    InsecureTransportError,
    PairingRequiredError,
    SignInRequiredError,
    address_class,
    takes_tools,
)
from .home.settings import HomeAccess

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from .flows.probe import ProbeResult
    from .flows.setup import LoginResult
    from .gateway import GatewayError, GatewayInfo

TITLE: Final = "OpenClaw Gateway"
EMPTY_SCHEMA: Final = vol.Schema({})


class ClawdConfigFlow(ConfigFlow, domain=DOMAIN):
    """Config flow of a Gateway.

    Each source has its form; from there on, all take the same steps:

        user | reconfigure | reauth_confirm | zeroconf_confirm
          probe, without credentials
            certificate | insecure | sign_in | link_address: probe again
          login
            pairing, approved
              refused: login again
          home: access of the agents
            node_approval: node_link | node_commands | node_later
          assistant: with the agent
          entry

    An error leads back to the form.
    """

    VERSION = 1
    MINOR_VERSION = 7

    _setup: GatewaySetup
    _probe_result: ProbeResult
    _login_result: LoginResult
    _info: GatewayInfo

    def __init__(self) -> None:
        """Initialize the flow for the user step."""
        self._step_id = "user"
        self._schema = ADDRESS_SCHEMA
        self._user_input: dict[str, Any] = {}
        self._errors: dict[str, str] = {}
        self._placeholders: dict[str, str] = {}
        self._title = TITLE
        self._discovered_fingerprint: str | None = None
        self._approval: asyncio.Task[LoginResult] | None = None
        self._asked_owner = False
        self._access = HomeAccess.NONE
        self._node: NodeSetup | None = None
        self._node_wait: asyncio.Task[None] | None = None

    @staticmethod
    @callback
    @override
    def async_get_options_flow(_config_entry: ConfigEntry) -> ClawdOptionsFlow:
        """Return the options flow."""
        return ClawdOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, _config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the subentry flows."""
        return {
            SUBENTRY_CONVERSATION: ConversationSubentryFlow,
            SUBENTRY_AI_TASK: AITaskSubentryFlow,
        }

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for address and token."""
        if user_input is None:
            return self._async_show_form({})
        return await self._async_use_address(user_input, GatewaySetup(self.hass))

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for another address or token."""
        entry = self._get_reconfigure_entry()
        if user_input is None:
            self._step_id = "reconfigure"
            self._user_input = {
                CONF_ADDRESS: Candidate.from_entry_data(entry.data).url,
                CONF_CA_CERTIFICATE: entry.data.get(CONF_CA_CERTIFICATE),
            }
            return self._async_show_form({})
        setup = GatewaySetup.from_entry(self.hass, entry)
        return await self._async_use_address(user_input, setup)

    async def async_step_reauth(
        self, _entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Try the stored credentials again."""
        self._step_id, self._schema = "reauth_confirm", TOKEN_SCHEMA
        self._setup = GatewaySetup.from_entry(self.hass, self._get_reauth_entry())
        return await self._async_probe()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new token."""
        return await self._async_use_token(user_input)

    async def async_step_zeroconf(
        self, discovery_info: ZeroconfServiceInfo
    ) -> ConfigFlowResult:
        """Handle a discovered Gateway."""
        discovered = DiscoveredGateway.from_service_info(discovery_info)
        # Its id is known after the login only; until then, its service name keeps a
        # Gateway from being discovered twice and lets the user ignore it.
        await self.async_set_unique_id(discovery_info.name)
        self._abort_if_unique_id_configured()
        for entry in self._async_current_entries(include_ignore=False):
            if discovered.matches(Candidate.from_entry_data(entry.data)):
                return self.async_abort(reason="already_configured")
        self._step_id, self._schema = "zeroconf_confirm", TOKEN_SCHEMA
        self._title = discovered.name
        self._discovered_fingerprint = discovered.fingerprint
        self.context["title_placeholders"] = {"name": discovered.name}
        self._placeholders = discovered.placeholders
        self._setup = GatewaySetup(self.hass, discovered.candidates)
        # Nothing is sent to the advertised address before the user submits the form.
        return self._async_show_form({})

    async def async_step_zeroconf_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a discovered Gateway's token."""
        return await self._async_use_token(user_input)

    async def _async_use_address(
        self, user_input: dict[str, Any], setup: GatewaySetup
    ) -> ConfigFlowResult:
        """Probe the address of a submitted form."""
        self._user_input = flatten(user_input)
        try:
            keep_certificates(self._user_input)
            secret = read_token(user_input)
            address = read_address(user_input)
        except InvalidFieldError as err:
            return self._async_show_form(err.errors)
        self._setup = setup
        # In this order: the fingerprint of a setup link outranks the CA, and an
        # entered token outranks the one of a link.
        setup.set_ca_certificate(self._user_input.get(CONF_CA_CERTIFICATE))
        setup.use_address(address)
        setup.set_secret(secret)
        self._placeholders["address"] = address.candidates[0].url
        try:
            return await self._async_probe()
        except ssl.SSLError:
            return self._async_show_form({"base": "invalid_ca_certificate"})

    async def _async_use_token(
        self, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Handle the token form."""
        if user_input is None:
            return self._async_show_form(self._errors)
        self._user_input = user_input
        try:
            self._setup.set_secret(read_token(user_input))
        except InvalidFieldError as err:
            return self._async_show_form(err.errors)
        return await self._async_probe()

    async def _async_probe(self) -> ConfigFlowResult:
        self._probe_result = await self._setup.async_probe_candidates()
        return await self._async_step_for_probe_result()

    async def _async_step_for_probe_result(self) -> ConfigFlowResult:
        match self._probe_result.error:
            case CertificateError():
                return await self.async_step_certificate()
            case InsecureTransportError():
                return await self.async_step_insecure()
            case SignInRequiredError():
                return await self.async_step_sign_in()
            case None:
                self._abort_if_address_configured()
                return await self._async_log_in()
            case _ if self._setup.bootstrap_token:
                return await self.async_step_link_address()
            case error:
                return self._async_show_error(error)

    async def async_step_certificate(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for confirmation of an untrusted certificate."""
        result = self._probe_result
        if user_input is not None:
            self._probe_result = await self._setup.async_trust_certificate(result)
            return await self._async_step_for_probe_result()
        return self.async_show_form(
            step_id="certificate",
            data_schema=EMPTY_SCHEMA,
            errors={"base": certificate_error(result, self._discovered_fingerprint)},
            description_placeholders={
                "address": result.candidate.url,
                "fingerprint": format_fingerprint(result.fingerprint or ""),
                "lacks": lacking(result.error),
            },
        )

    async def async_step_sign_in(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Handle headers for a sign-in page."""
        setup, candidate = self._setup, self._probe_result.candidate
        error, line = ("sign_in_required" if setup.headers else ""), 0
        if user_input is not None:
            # Without headers, back to where the address can be changed.
            if not (lines := user_input.get(CONF_HEADERS)):
                return self._async_show_form({"base": "sign_in_required"})
            try:
                setup.set_headers(candidate, read_headers(lines, setup.headers))
            except InvalidHeaderError as err:
                error, line = err.key, err.line
            else:
                return await self._async_probe()
        return self.async_show_form(
            step_id="sign_in",
            data_schema=self.add_suggested_values_to_schema(
                HEADERS_SCHEMA, user_input or shown_headers(setup.headers)
            ),
            errors={"base": error} if error else {},
            description_placeholders={"address": candidate.url, "line": str(line)},
        )

    async def async_step_link_address(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Handle another address for a setup link."""
        error = self._probe_result.error
        errors = form_errors(error, {CONF_ADDRESS}) if error else {}
        if user_input is not None:
            try:
                address = parse_address(user_input[CONF_ADDRESS])
            except ValueError:
                errors = {CONF_ADDRESS: "invalid_address"}
            else:
                if address.bootstrap_token:
                    self._placeholders["address"] = address.candidates[0].url
                    self._setup.use_address(address)
                self._setup.candidates = address.candidates
                return await self._async_probe()
        values = {CONF_ADDRESS: self._probe_result.candidate.url}
        return self.async_show_form(
            step_id="link_address",
            data_schema=self.add_suggested_values_to_schema(
                LINK_ADDRESS_SCHEMA, user_input or values
            ),
            errors=errors,
            description_placeholders=self._placeholders,
        )

    async def async_step_insecure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Handle consent to an insecure connection."""
        if user_input is not None:
            self._probe_result = await self._setup.async_allow_insecure()
            return await self._async_step_for_probe_result()
        return self.async_show_form(
            step_id="insecure",
            data_schema=EMPTY_SCHEMA,
            description_placeholders={"address": self._probe_result.candidate.url},
        )

    async def _async_log_in(self) -> ConfigFlowResult:
        self._login_result = await self._setup.async_log_in()
        return await self._async_step_for_login_result()

    async def _async_step_for_login_result(self) -> ConfigFlowResult:
        if info := self._login_result.info:
            return await self._async_create_or_update_entry(info)
        match self._login_result.error:
            case PairingRequiredError():
                return await self.async_step_pairing()
            case SignInRequiredError():
                return await self.async_step_sign_in()
            case error:
                if TYPE_CHECKING:
                    assert error
                return self._async_show_error(error)

    async def async_step_pairing(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Wait for approval of this device."""
        self._asked_owner = True
        if self._approval is None:
            self._approval = self.hass.async_create_background_task(
                self._setup.async_wait_for_approval(self._login_result), PAIRING_TASK
            )
        if not self._approval.done():
            page = self._probe_result.candidate.control_ui_url
            return self.async_show_progress(
                step_id="pairing",
                progress_action="wait_for_approval",
                description_placeholders={
                    **approval_placeholders(self._login_result.error),
                    "devices_url": f"{page}/nodes",
                },
                progress_task=self._approval,
            )
        self._login_result = self._approval.result()
        self._approval = None
        return self.async_show_progress_done(next_step_id="approved")

    async def async_step_approved(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Handle the result of the approval."""
        if self._login_result.refused:
            return await self.async_step_refused()
        return await self._async_step_for_login_result()

    async def async_step_refused(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer another attempt after a refusal."""
        if user_input is not None:
            return await self._async_log_in()
        return self.async_show_form(step_id="refused", data_schema=EMPTY_SCHEMA)

    async def _async_create_or_update_entry(
        self, info: GatewayInfo
    ) -> ConfigFlowResult:
        if self.source == SOURCE_REAUTH:
            entry = self._get_reauth_entry()
            return await self._async_update_entry(entry, info, "reauth_successful")
        if self.source == SOURCE_RECONFIGURE:
            entry = self._get_reconfigure_entry()
            return await self._async_update_entry(entry, info, "reconfigure_successful")
        # This flow has logged in, so it does not give way to another one in progress.
        await self.async_set_unique_id(info.gateway_id, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        self._info = info
        if takes_tools(info.hello) and info.agents.get(info.agents.default):
            return await self.async_step_home()
        return await self.async_step_assistant()

    async def async_step_home(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose the agent's access to the home."""
        loopback = address_class(self._info.peer.address) is AddressClass.LOOPBACK
        # A Gateway that asked its owner takes us for another machine.
        local = loopback and not self._asked_owner
        if user_input is None:
            default = HomeAccess.CONTROL if local else HomeAccess.NONE
            return self.async_show_form(
                step_id="home", data_schema=home_access_schema(default)
            )
        self._access = HomeAccess(user_input[CONF_HOME_ACCESS])
        # On this machine, the node is approved by itself once it is set up.
        if local or self._access is HomeAccess.NONE:
            return await self.async_step_assistant()
        self._node = await NodeSetup.async_create(self.hass, self._setup)
        return await self.async_step_node_approval()

    async def async_step_node_approval(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose the way to approve the node."""
        node = self._require_node()
        commands = ["node_commands"] if node.has_gateway_secret else []
        return self.async_show_menu(
            step_id="node_approval",
            menu_options=["node_link", *commands, "node_later"],
        )

    async def async_step_node_link(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Handle a node link."""
        errors: dict[str, str] = {}
        if user_input is not None:
            if not (link := user_input.get(CONF_NODE_LINK)):
                return await self.async_step_node_approval()
            use = self._require_node().async_use_link(link)
            if not (error := await async_node_link_error(use)):
                return await self.async_step_node_done()
            errors = {CONF_NODE_LINK: error}
        return self.async_show_form(
            step_id="node_link", data_schema=NODE_LINK_SCHEMA, errors=errors
        )

    async def async_step_node_commands(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Wait for approval by the commands shown."""
        node = self._require_node()
        if self._node_wait is None:
            await node.async_connect()
        elif not self._node_wait.done():
            return self._async_show_node_progress(self._node_wait)
        if node.ended and self._node_wait is None:
            return await self.async_step_node_done()
        if node.ended:
            return self.async_show_progress_done(next_step_id="node_done")
        self._node_wait = self.hass.async_create_background_task(
            node.async_wait(), PAIRING_TASK
        )
        return self._async_show_node_progress(self._node_wait)

    async def async_step_node_later(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Leave the approval to the repair."""
        return await self.async_step_assistant()

    async def async_step_node_done(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Keep the node's key."""
        await self._require_node().async_store()
        return await self.async_step_assistant()

    @callback
    def _async_show_node_progress(self, wait: asyncio.Task[None]) -> ConfigFlowResult:
        node = self._require_node()
        return self.async_show_progress(
            step_id="node_commands",
            progress_action="wait_for_node",
            description_placeholders=node_approval_placeholders(node.request),
            progress_task=wait,
        )

    @callback
    @override
    def async_remove(self) -> None:
        """End the node's connection with the flow."""
        if self._node:
            self._node.async_stop()

    def _require_node(self) -> NodeSetup:
        assert self._node is not None  # noqa: S101 - set before each of its steps
        return self._node

    async def async_step_assistant(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer an assistant with the agent."""
        agents = self._info.agents
        agent = agents.get(agents.default)
        if user_input is None and agent and can_create_assistant(self.hass):
            return self.async_show_form(
                step_id="assistant",
                data_schema=ASSISTANT_SCHEMA,
                description_placeholders={"agent": agent.name},
            )
        create = user_input is not None and user_input[CONF_CREATE_ASSISTANT]
        return await self._async_create_entry(create_assistant=create)

    async def _async_create_entry(self, *, create_assistant: bool) -> ConfigFlowResult:
        info = self._info
        # Another flow may have been faster while this one was open.
        self._abort_if_unique_id_configured()
        await self._async_finish_setup(info)
        agent = info.agents.get(info.agents.default)
        return self.async_create_entry(
            title=self._title,
            data=self._setup.entry_data,
            options=self._setup.options,
            subentries=new_subentries(
                agent, self._access, create_assistant=create_assistant
            ),
        )

    async def _async_update_entry(
        self, entry: ConfigEntry, info: GatewayInfo, reason: str
    ) -> ConfigFlowResult:
        """Update and reload an existing entry."""
        if entry.unique_id and not info.matches_id(entry.unique_id):
            return self.async_abort(reason="wrong_gateway")
        await self._async_finish_setup(info)
        async_update_entry(self.hass, entry, self._setup, info.gateway_id)
        return self.async_abort(reason=reason)

    async def _async_finish_setup(self, info: GatewayInfo) -> None:
        await self._setup.async_store_device_token(info)
        candidate = self._probe_result.candidate
        async_abort_discovery_flows(self.hass, candidate, self.flow_id)

    def _abort_if_address_configured(self) -> None:
        # No need to log in, only to learn from its id that the Gateway is known.
        if self.source in (SOURCE_USER, SOURCE_ZEROCONF) and any(
            Candidate.from_entry_data(entry.data) == self._probe_result.candidate
            for entry in self._async_current_entries(include_ignore=False)
        ):
            raise AbortFlow("already_configured")

    @callback
    def _async_show_error(self, error: GatewayError) -> ConfigFlowResult:
        fields = {str(field) for field in self._schema.schema}
        self._placeholders["lacks"] = lacking(error)
        return self._async_show_form(form_errors(error, fields))

    @callback
    def _async_show_form(self, errors: dict[str, str]) -> ConfigFlowResult:
        """Show the form with the last input."""
        self._errors = errors
        values = {**self._user_input, SECTION_SECURITY: self._user_input}
        return self.async_show_form(
            step_id=self._step_id,
            data_schema=self.add_suggested_values_to_schema(self._schema, values),
            errors=errors,
            description_placeholders=self._placeholders,
        )
