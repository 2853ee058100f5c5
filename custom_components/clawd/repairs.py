"""Fix flows of the repair issues."""

from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
import voluptuous as vol

from . import selftest
from .client_factory import get_history
from .const import CONF_FROM_ELSEWHERE, CONF_HOME_ACCESS, DOMAIN
from .flows.agent_schema import access_selector
from .flows.certificate import async_trust_certificate
from .flows.node_setup import (
    CONF_NODE_LINK,
    NODE_LINK_SCHEMA,
    NodeSetup,
    async_node_link_error,
    home_access_schema,
)
from .gateway import read_fingerprint
from .home.approval import async_check_approval
from .home.offer import async_decide_on_home
from .home.settings import HomeAccess, agent_homes
from .home.visibility import async_check_visible
from .issues.registry import Issue
from .reports import Mode
from .storage import async_remove_node_identity, async_write_again

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from homeassistant.components.repairs import RepairsFlowResult

    from .coordinator import ClawdConfigEntry

type Shown = Mapping[str, str]
type Retry = Callable[[Shown], Awaitable[str | None]]

# Nothing is offered that would change nothing.
ELSEWHERE_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_FROM_ELSEWHERE, default=HomeAccess.READ.value): (
            access_selector(CONF_FROM_ELSEWHERE, HomeAccess.READ, HomeAccess.CONTROL)
        )
    }
)

HOME_ACCESS_SCHEMA: Final = home_access_schema(HomeAccess.CONTROL)


async def async_create_fix_flow(
    hass: HomeAssistant, _issue_id: str, data: dict[str, str]
) -> RepairsFlow:
    """Create the fix flow; for `data` see `issues.async_create_issue`."""
    entry = hass.config_entries.async_get_known_entry(data["entry_id"])
    match data["issue"]:
        case Issue.HOME_REFUSED:
            return AllowElsewhereFlow(entry, data["agent"])
        case Issue.HOME_OFFERED:
            return OfferHomeFlow(entry)
        case Issue.NODE_NOT_APPROVED | Issue.NODE_LINK_REQUIRED:
            return ApproveNodeFlow(entry)
    return RetryFlow(_retry_of(hass, entry, data))


def _retry_of(
    hass: HomeAssistant, entry: ClawdConfigEntry, data: dict[str, str]
) -> Retry:
    if data["issue"] == Issue.SELF_TEST_FAILED:
        return partial(_async_self_test, hass, entry, Mode(data["mode"]))
    replace_key = partial(_async_replace_node_key, hass, entry)
    retries: Mapping[str, Retry] = {
        Issue.CERTIFICATE_CHANGED: partial(_async_trust_certificate, hass, entry),
        Issue.STORE_NOT_WRITTEN: partial(_async_write_stores, hass),
        Issue.HOME_TOOLS_HIDDEN: partial(_async_check_visible, hass, entry),
        Issue.NODE_TAKEN_OVER: replace_key,
        Issue.NODE_KEY_UNREADABLE: replace_key,
        Issue.QUESTIONS_NOT_APPROVED: _async_look_again,
        Issue.QUESTIONS_DENIED: partial(_async_ask_again, hass, entry),
    }
    return retries.get(data["issue"], partial(_async_reload, hass, entry))


class IssueFlow(RepairsFlow):
    """Flow whose form shows the placeholders of its issue."""

    _shown: dict[str, str] | None = None

    @property
    def _issue(self) -> ir.IssueEntry | None:
        return ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)

    @property
    def _placeholders(self) -> dict[str, str] | None:
        # While the issue is gone, its last placeholders fill the form.
        if issue := self._issue:
            self._shown = issue.translation_placeholders
        return self._shown


class RetryFlow(IssueFlow):
    """Flow that retries until the issue is gone."""

    def __init__(self, retry: Retry) -> None:
        """Initialize with a callback that returns an error key."""
        self._retry = retry

    async def async_step_init(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show the form."""
        return self._async_show_form(None)

    async def async_step_confirm(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Retry, and see if the issue is gone."""
        error = await self._retry(self._shown or {})
        if self._issue:
            return self._async_show_form({"base": "not_fixed"})
        if error:
            return self._async_show_form({"base": error})
        return self.async_create_entry(data={})

    def _async_show_form(self, errors: dict[str, str] | None) -> RepairsFlowResult:
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            errors=errors,
            description_placeholders=self._placeholders,
        )


class AllowElsewhereFlow(IssueFlow):
    """Flow that lets an agent reach the home from other sessions than ours."""

    def __init__(self, entry: ClawdConfigEntry, agent: str) -> None:
        """Initialize for an agent of the Gateway."""
        self._entry = entry
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


class OfferHomeFlow(RepairsFlow):
    """Flow that gives the agents of an entry access to the home."""

    def __init__(self, entry: ClawdConfigEntry) -> None:
        """Initialize for an entry."""
        self._entry = entry

    async def async_step_init(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show the form."""
        return await self.async_step_choose()

    async def async_step_choose(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Choose the agents' access to the home."""
        if user_input is not None:
            access = HomeAccess(user_input[CONF_HOME_ACCESS])
            async_decide_on_home(self.hass, self._entry, access)
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="choose",
            data_schema=HOME_ACCESS_SCHEMA,
            description_placeholders={"title": self._entry.title},
        )


class ApproveNodeFlow(IssueFlow):
    """Flow that waits for the approval of the node, or takes a node link."""

    def __init__(self, entry: ClawdConfigEntry) -> None:
        """Initialize for an entry."""
        self._entry = entry

    async def async_step_init(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show the form."""
        return await self.async_step_approve()

    async def async_step_approve(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Use the node link, if there is one, and see if the issue is gone."""
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
            # It asks again by itself, but not at once.
            node.client.resume()
            await async_check_approval(self.hass, self._entry)
            return {}
        setup = NodeSetup(self.hass, node.client.endpoint, self._entry.data)
        if error := await async_node_link_error(setup.async_use_link(link)):
            return {CONF_NODE_LINK: error}
        await setup.async_store(self._entry.entry_id)
        await self.hass.config_entries.async_reload(self._entry.entry_id)
        return {}


async def _async_check_visible(
    hass: HomeAssistant, entry: ClawdConfigEntry, _shown: Shown
) -> str | None:
    if entry.state is not ConfigEntryState.LOADED:
        return "not_connected"
    await async_check_visible(hass, entry)
    return None


async def _async_replace_node_key(
    hass: HomeAssistant, entry: ClawdConfigEntry, shown: Shown
) -> str | None:
    await async_remove_node_identity(hass, entry.entry_id)
    return await _async_reload(hass, entry, shown)


async def _async_look_again(_shown: Shown) -> None:
    """Do nothing: the issue goes by itself once the request is approved."""


async def _async_ask_again(
    hass: HomeAssistant, entry: ClawdConfigEntry, shown: Shown
) -> str | None:
    """Request the scopes that were refused."""
    get_history(hass, entry.entry_id).scopes_denied = False
    return await _async_reload(hass, entry, shown)


async def _async_reload(
    hass: HomeAssistant, entry: ClawdConfigEntry, _shown: Shown
) -> str | None:
    await hass.config_entries.async_reload(entry.entry_id)
    return None if entry.state is ConfigEntryState.LOADED else "not_connected"


async def _async_trust_certificate(
    hass: HomeAssistant, entry: ClawdConfigEntry, shown: Shown
) -> str | None:
    """Trust the certificate that the form showed, and reload."""
    # Another one may be there by now, which the user has not seen.
    if fingerprint := shown.get("fingerprint"):
        await async_trust_certificate(
            hass, entry, read_fingerprint(fingerprint.replace("\n", ""))
        )
    return await _async_reload(hass, entry, shown)


async def _async_write_stores(hass: HomeAssistant, _shown: Shown) -> None:
    await async_write_again(hass)


async def _async_self_test(
    hass: HomeAssistant, entry: ClawdConfigEntry, mode: Mode, _shown: Shown
) -> None:
    try:
        await selftest.async_run(hass, entry, mode)
    except ServiceValidationError as err:
        raise AbortFlow("not_tested") from err
