"""Steps for the home access of the agents."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.core import callback

from ..const import CONF_HOME_ACCESS, PAIRING_TASK
from ..error_mapping import node_approval_placeholders
from ..gateway import AddressClass, address_class
from ..home.settings import HomeAccess
from .node_setup import (
    CONF_NODE_LINK,
    NODE_LINK_SCHEMA,
    NodeSetup,
    async_node_link_error,
    home_access_schema,
)

if TYPE_CHECKING:
    import asyncio

    from ..gateway import GatewayInfo
    from .setup import GatewaySetup


class HomeStepsMixin(ConfigFlow):
    """Steps of the config flow from the login to the assistant.

    home: access of the agents
      node_approval: node_link | node_commands | node_later
        node_done
    assistant
    """

    _setup: GatewaySetup
    _info: GatewayInfo

    def __init__(self) -> None:
        """Initialize without access."""
        self._asked_owner = False
        self._access = HomeAccess.NONE
        self._node: NodeSetup | None = None
        self._node_wait: asyncio.Task[None] | None = None

    @abstractmethod
    async def async_step_assistant(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on with the assistant."""

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
