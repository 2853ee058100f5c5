"""Fix flows with a form of their own."""

from typing import TYPE_CHECKING, Final

from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import callback
from homeassistant.helpers import issue_registry as ir
import voluptuous as vol

from ..const import CONF_FROM_ELSEWHERE, CONF_HOME_ACCESS, DOMAIN
from ..home.approval import async_check_approval
from ..home.offer import async_set_home_access
from ..home.settings import HomeAccess, agent_homes
from .agent_schema import choice_selector
from .node_setup import (
    CONF_NODE_LINK,
    NODE_LINK_SCHEMA,
    NodeSetup,
    async_node_link_error,
    home_access_schema,
)

if TYPE_CHECKING:
    from homeassistant.components.repairs import RepairsFlowResult

    from ..coordinator import ClawdConfigEntry

# Offer only choices with an effect.
ELSEWHERE_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_FROM_ELSEWHERE, default=HomeAccess.READ.value): (
            choice_selector(CONF_FROM_ELSEWHERE, (HomeAccess.READ, HomeAccess.CONTROL))
        )
    }
)
HOME_ACCESS_SCHEMA: Final = home_access_schema(HomeAccess.CONTROL)


class IssueFlow(RepairsFlow):
    """Fix flow with the issue's placeholders."""

    _shown: dict[str, str] | None = None

    def __init__(self, entry: ClawdConfigEntry) -> None:
        """Initialize for an entry."""
        self._entry = entry

    @property
    def _is_over(self) -> bool:
        """Return whether the entry was removed, and its issues with it."""
        entries = self.hass.config_entries
        return entries.async_get_entry(self._entry.entry_id) is None

    @property
    def _issue(self) -> ir.IssueEntry | None:
        return ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)

    @property
    def _placeholders(self) -> dict[str, str] | None:
        # While the issue is gone, its last placeholders fill the form.
        if issue := self._issue:
            self._shown = issue.translation_placeholders
        return self._shown


class AllowElsewhereFlow(IssueFlow):
    """Fix flow to allow calls from elsewhere."""

    def __init__(self, entry: ClawdConfigEntry, agent: str) -> None:
        """Initialize for an agent of the Gateway."""
        super().__init__(entry)
        self._agent = agent

    async def async_step_init(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show the form."""
        return await self.async_step_allow()

    async def async_step_allow(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Choose the agent's access from elsewhere."""
        if self._is_over:
            return self.async_create_entry(data={})
        if user_input is not None:
            self._async_allow(HomeAccess(user_input[CONF_FROM_ELSEWHERE]))
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="allow",
            data_schema=ELSEWHERE_SCHEMA,
            description_placeholders=self._placeholders,
        )

    @callback
    def _async_allow(self, access: HomeAccess) -> None:
        for home in agent_homes(self._entry):
            if home.agent == self._agent:
                subentry = self._entry.subentries[home.subentry_id]
                self.hass.config_entries.async_update_subentry(
                    self._entry,
                    subentry,
                    data={**subentry.data, CONF_FROM_ELSEWHERE: access.value},
                )


class OfferHomeFlow(IssueFlow):
    """Fix flow to offer the home."""

    async def async_step_init(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show the form."""
        return await self.async_step_choose()

    async def async_step_choose(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Choose the agents' access to the home."""
        if self._is_over:
            return self.async_create_entry(data={})
        if user_input is not None:
            access = HomeAccess(user_input[CONF_HOME_ACCESS])
            async_set_home_access(self.hass, self._entry, access)
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="choose",
            data_schema=HOME_ACCESS_SCHEMA,
            description_placeholders={"title": self._entry.title},
        )


class ApproveNodeFlow(IssueFlow):
    """Fix flow to approve the node."""

    async def async_step_init(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show the form."""
        return await self.async_step_approve()

    async def async_step_approve(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Use a node link and check the issue."""
        if self._is_over:
            return self.async_create_entry(data={})
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = await self._async_approve(user_input.get(CONF_NODE_LINK, ""))
            if not errors and self._issue is None:
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="approve",
            data_schema=NODE_LINK_SCHEMA,
            errors=errors or ({"base": "not_fixed"} if user_input is not None else {}),
            description_placeholders=self._placeholders,
        )

    async def _async_approve(self, link: str) -> dict[str, str]:
        """Return the errors of the form."""
        loaded = self._entry.state is ConfigEntryState.LOADED
        node = self._entry.runtime_data.node if loaded else None
        if node is None:
            return {"base": "not_connected"}
        if not link:
            # The client asks again by itself, but not at once.
            node.client.resume()
            await async_check_approval(self.hass, self._entry)
            return {}
        setup = NodeSetup(self.hass, node.client.endpoint, self._entry.data)
        if error := await async_node_link_error(setup.async_use_link(link)):
            return {CONF_NODE_LINK: error}
        await setup.async_store(self._entry.entry_id)
        await self.hass.config_entries.async_reload(self._entry.entry_id)
        return {}
