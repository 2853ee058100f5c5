"""Untrusted and renewed certificates."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ..client_factory import async_get_endpoint
from ..const import CONF_FINGERPRINT
from ..storage import DeviceTokenStore
from .form_errors import LACKS, form_error_key

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from ..gateway import GatewayError
    from .probe import ProbeResult


def certificate_error(result: ProbeResult, discovered: str | None) -> str:
    """Return the translation key of a certificate error.

    `discovered` is the fingerprint that the Gateway was advertised with.
    """
    if TYPE_CHECKING:
        assert result.error
    key = form_error_key(result.error)
    # A changed certificate is the graver one: the user trusted another before.
    if key != "certificate_changed" and discovered not in (None, result.fingerprint):
        return "certificate_not_announced"
    return key


def lacking(error: GatewayError | None) -> str:
    """Return the missing certificate extension, if any."""
    return LACKS.get(error.code, "") if error else ""


async def async_trust_certificate(
    hass: HomeAssistant, entry: ConfigEntry, fingerprint: str
) -> None:
    """Pin a new certificate and unload the entry."""
    await hass.config_entries.async_unload(entry.entry_id)
    endpoint = await async_get_endpoint(hass, entry.data, entry.options)
    renewed = replace(endpoint, fingerprint=fingerprint)
    old, new = (
        DeviceTokenStore(hass, entry.entry_id, origin)
        for origin in (endpoint.origin, renewed.origin)
    )
    # Confirmed by the user: this Gateway issued the token.
    if token := await old.async_load():
        await new.async_try_to_save(token)
    data = {**entry.data, CONF_FINGERPRINT: fingerprint}
    hass.config_entries.async_update_entry(entry, data=data)
