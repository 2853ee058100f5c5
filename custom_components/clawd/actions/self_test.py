"""Action `clawd.self_test`."""

from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.core import SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, service
import voluptuous as vol

from .. import selftest
from ..const import DOMAIN
from ..reports import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
    from homeassistant.util.json import JsonValueType

    from ..coordinator import ClawdConfigEntry

SERVICE_SELF_TEST: Final = "self_test"

ATTR_CONFIG_ENTRY: Final = "config_entry"
ATTR_MODE: Final = "mode"
ATTR_CHECKS: Final = "checks"

SCHEMA: Final = vol.Schema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY): cv.string,
        vol.Optional(ATTR_MODE, default=Mode.ACTIVE): vol.In(tuple(Mode)),
        vol.Optional(ATTR_CHECKS): vol.All(cv.ensure_list, [cv.string]),
    }
)


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the action."""
    service.async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_SELF_TEST,
        partial(_async_self_test, hass),
        SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def _async_self_test(hass: HomeAssistant, call: ServiceCall) -> ServiceResponse:
    """Run self-tests and return the reports.

    Raises:
        ServiceValidationError: no entry can be tested.

    """
    reports: list[JsonValueType] = []
    refusal: ServiceValidationError | None = None
    mode, checks = Mode(call.data[ATTR_MODE]), call.data.get(ATTR_CHECKS)
    for entry in _entries(hass, call.data.get(ATTR_CONFIG_ENTRY)):
        # An entry may have been unloaded since, or be under test.
        try:
            reports.append(await selftest.async_run(hass, entry, mode, checks))
        except ServiceValidationError as err:
            refusal = refusal or err
    if refusal and not reports:
        raise refusal
    return {"reports": reports}


def _entries(hass: HomeAssistant, entry_id: str | None) -> Sequence[ClawdConfigEntry]:
    """Return the entries to test.

    All loaded ones without an id.

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
