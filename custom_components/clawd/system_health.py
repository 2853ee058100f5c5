"""System health of the Gateways."""

from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .diagnostics_data.values import MAX_NAME_LENGTH
from .redaction import known_secrets, redact_texts

if TYPE_CHECKING:
    from homeassistant.components.system_health import SystemHealthRegistration

    from .coordinator import ClawdConfigEntry, ClawdRuntime

type Info = dict[str, Any]


@callback
def async_register(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    register: SystemHealthRegistration,
) -> None:
    """Register the system health callback."""
    register.async_register_info(async_system_health_info)


async def async_system_health_info(hass: HomeAssistant) -> Info:
    """Return the info of each entry."""
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    if len(entries) == 1:
        return _entry_info(entries[0])
    texts = await async_get_translations(
        hass, hass.config.language, "system_health", {DOMAIN}
    )
    return {
        f"{entry.title} ({number}): {_label(texts, key)}": value
        for number, entry in enumerate(entries, 1)
        for key, value in _entry_info(entry).items()
    }


def _entry_info(entry: ClawdConfigEntry) -> Info:
    if entry.state is not ConfigEntryState.LOADED:
        return {"connected": False}
    runtime = entry.runtime_data
    info = {
        **_connection_info(runtime),
        "reconnects": runtime.client.statistics.reconnects,
        "last_disconnect": _last_disconnect(runtime),
        "last_self_test": _last_self_test(runtime),
    }
    secrets = known_secrets(entry.data, entry.options, *runtime.all_credentials)
    return {
        name: redact_texts(value, secrets)
        for name, value in info.items()
        if value is not None
    }


def _connection_info(runtime: ClawdRuntime) -> Info:
    """Return the info of the connection."""
    hello = runtime.client.hello
    return {
        "connected": hello is not None,
        "gateway_version": hello.server_version[:MAX_NAME_LENGTH] if hello else None,
        "protocol": hello.protocol if hello else None,
    }


def _last_disconnect(runtime: ClawdRuntime) -> str | None:
    if (lost := runtime.coordinator.last_disconnect) is None:
        return None
    at = dt_util.utc_from_timestamp(lost.at).isoformat(timespec="seconds")
    return f"{lost.error.code if lost.error else ''} ({at})"


def _last_self_test(runtime: ClawdRuntime) -> str | None:
    report = runtime.reports.data
    return f"{report['status']} ({report['started_at']})" if report else None


def _label(texts: dict[str, str], key: str) -> str:
    return texts[f"component.{DOMAIN}.system_health.info.{key}"]
