"""The actions of the integration."""

from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, service
import voluptuous as vol

from .const import DOMAIN
from .selftest.model import Mode
from .selftest.registry import CHECKS
from .selftest.runner import async_get_self_tests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
    from homeassistant.util.json import JsonValueType

    from .coordinator import ClawdConfigEntry
    from .selftest.model import Check

SERVICE_SELF_TEST: Final = "self_test"

ATTR_CONFIG_ENTRY: Final = "config_entry"
ATTR_MODE: Final = "mode"
ATTR_CHECKS: Final = "checks"

SELF_TEST_SCHEMA: Final = vol.Schema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY): cv.string,
        vol.Optional(ATTR_MODE, default=Mode.ACTIVE): vol.In(tuple(Mode)),
        vol.Optional(ATTR_CHECKS): vol.All(cv.ensure_list, [cv.string]),
    }
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""

    async def async_self_test(call: ServiceCall) -> ServiceResponse:
        mode = Mode(call.data[ATTR_MODE])
        checks = _checks(call.data.get(ATTR_CHECKS), mode)
        entries = _entries(hass, call.data.get(ATTR_CONFIG_ENTRY))
        return {"reports": await _async_test(hass, entries, mode, checks)}

    service.async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_SELF_TEST,
        async_self_test,
        SELF_TEST_SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def async_run_self_test(
    hass: HomeAssistant, entry: ClawdConfigEntry, mode: Mode, *, blocking: bool = True
) -> None:
    """Call the action on nobody's behalf; see `ClawdRuntime.reports` for what it found.

    Raises:
        ServiceValidationError: the entry cannot be tested now, if `blocking`.

    """
    fields = {ATTR_CONFIG_ENTRY: entry.entry_id, ATTR_MODE: mode}
    await hass.services.async_call(DOMAIN, SERVICE_SELF_TEST, fields, blocking=blocking)


async def _async_test(
    hass: HomeAssistant,
    entries: Sequence[ClawdConfigEntry],
    mode: Mode,
    checks: Sequence[Check],
) -> list[JsonValueType]:
    """Return the reports of the entries that can be tested.

    Raises:
        ServiceValidationError: none can be; it says why of the last.

    """
    self_tests = async_get_self_tests(hass)
    reports: list[JsonValueType] = []
    for entry in entries:
        if entry.state is not ConfigEntryState.LOADED:
            continue
        try:
            reports.append(await self_tests.async_run(hass, entry, mode, checks))
        except ServiceValidationError:
            if entry is entries[-1] and not reports:
                raise
    return reports


def _entries(hass: HomeAssistant, entry_id: str | None) -> list[ClawdConfigEntry]:
    """Return the entry asked for, or every one that is loaded.

    Raises:
        ServiceValidationError: there is none.

    """
    if entry_id is not None:
        return [service.async_get_config_entry(hass, DOMAIN, entry_id)]
    if not (entries := hass.config_entries.async_loaded_entries(DOMAIN)):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_entry_loaded"
        )
    return entries


def _checks(ids: Sequence[str] | None, mode: Mode) -> list[Check]:
    """Return the checks asked for, or those of the mode, in their order.

    Raises:
        ServiceValidationError: there is no such check.

    """
    if not ids:
        return [check for check in CHECKS if mode.includes(check.mode)]
    if unknown := set(ids) - {check.id for check in CHECKS}:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_check",
            translation_placeholders={"checks": ", ".join(sorted(unknown))},
        )
    return [check for check in CHECKS if check.id in ids]
