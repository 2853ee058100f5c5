"""Fix flows of the repair issues."""

from functools import partial
from typing import TYPE_CHECKING

from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.exceptions import ServiceValidationError
import voluptuous as vol

from . import selftest
from .client_factory import get_history
from .flows.certificate import async_trust_certificate
from .flows.repair import AllowElsewhereFlow, ApproveNodeFlow, IssueFlow, OfferHomeFlow
from .gateway import read_fingerprint
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


async def async_create_fix_flow(
    hass: HomeAssistant, _issue_id: str, data: dict[str, str]
) -> RepairsFlow:
    """Create the fix flow; for `data` see `async_create_issue`."""
    entry = hass.config_entries.async_get_known_entry(data["entry_id"])
    match data["issue"]:
        case Issue.HOME_REFUSED:
            return AllowElsewhereFlow(entry, data["agent"])
        case Issue.HOME_OFFERED:
            return OfferHomeFlow(entry)
        case Issue.NODE_NOT_APPROVED | Issue.NODE_LINK_REQUIRED:
            return ApproveNodeFlow(entry)
    return RetryFlow(entry, _retry_of(hass, entry, data))


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
        Issue.QUESTIONS_NOT_APPROVED: _async_await_deletion,
        Issue.QUESTIONS_DENIED: partial(_async_request_scopes, hass, entry),
    }
    return retries.get(data["issue"], partial(_async_reload, hass, entry))


class RetryFlow(IssueFlow):
    """Fix flow that retries an operation."""

    def __init__(self, entry: ClawdConfigEntry, retry: Retry) -> None:
        """Initialize with the operation.

        It returns an error key, or None.
        """
        super().__init__(entry)
        self._retry = retry

    async def async_step_init(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show the form."""
        return self._async_show_form(None)

    async def async_step_confirm(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Retry and check the issue."""
        if self._is_over:
            return self.async_create_entry(data={})
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


async def _async_await_deletion(_shown: Shown) -> None:
    """Wait for the issue's deletion."""


async def _async_request_scopes(
    hass: HomeAssistant, entry: ClawdConfigEntry, shown: Shown
) -> str | None:
    """Request the refused scopes."""
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
    """Trust the shown certificate and reload."""
    # The Gateway may show another one by now: trust only the displayed one.
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
