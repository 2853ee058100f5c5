"""Fix flows of the repair issues."""

from functools import partial
from typing import TYPE_CHECKING

from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
import voluptuous as vol

from . import selftest
from .const import DOMAIN
from .flows.certificate import async_trust_certificate
from .gateway import read_fingerprint
from .issues import Issue
from .reports import Mode
from .storage import async_write_again

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from homeassistant.components.repairs import RepairsFlowResult
    from homeassistant.core import HomeAssistant

    from .coordinator import ClawdConfigEntry

type Shown = Mapping[str, str]
type Retry = Callable[[Shown], Awaitable[str | None]]


async def async_create_fix_flow(
    hass: HomeAssistant, _issue_id: str, data: dict[str, str]
) -> RepairsFlow:
    """Create the fix flow; for `data` see `issues.async_create_issue`."""
    entry = hass.config_entries.async_get_known_entry(data["entry_id"])
    match data["issue"]:
        case Issue.SELF_TEST_FAILED:
            mode = Mode(data["mode"])
            return RetryFlow(partial(_async_self_test, hass, entry, mode))
        case Issue.CERTIFICATE_CHANGED:
            return RetryFlow(partial(_async_trust_certificate, hass, entry))
        case Issue.STORE_NOT_WRITTEN:
            return RetryFlow(partial(_async_write_stores, hass))
    return RetryFlow(partial(_async_reload, hass, entry))


class RetryFlow(RepairsFlow):
    """Flow that retries until the issue is gone."""

    def __init__(self, retry: Retry) -> None:
        """Initialize with a callback that returns an error key."""
        self._retry = retry
        self._placeholders: dict[str, str] | None = None

    async def async_step_init(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show the form."""
        return self._async_show_form(None)

    async def async_step_confirm(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Retry, and see if the issue is gone."""
        error = await self._retry(self._placeholders or {})
        if self._issue:
            return self._async_show_form({"base": "not_fixed"})
        if error:
            return self._async_show_form({"base": error})
        return self.async_create_entry(data={})

    @property
    def _issue(self) -> ir.IssueEntry | None:
        return ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)

    def _async_show_form(self, errors: dict[str, str] | None) -> RepairsFlowResult:
        # While the issue is gone, its last placeholders fill the form.
        if self._issue:
            self._placeholders = self._issue.translation_placeholders
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            errors=errors,
            description_placeholders=self._placeholders,
        )


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
