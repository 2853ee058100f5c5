"""Content of the diagnostics, section by section."""

from dataclasses import dataclass, fields
import json
import sys
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import (
    CONF_HOST,
    CONF_MODEL,
    CONF_SSL,
    __version__ as ha_version,
)
from homeassistant.helpers import entity_registry as er
from websockets.version import version as websockets_version

from .const import (
    CONF_AGENT,
    CONF_ALLOW_INSECURE,
    CONF_CA_CERTIFICATE,
    CONF_DEADLINE,
    CONF_FINGERPRINT,
    CONF_IDLE_TIMEOUT,
    CONF_INSTRUCTIONS,
    CONF_SESSION_NAME,
    CONF_SESSION_SCOPE,
    CONF_SHARE_USER_NAME,
    CONF_SPEECH_CLEANUP,
    CONF_THINKING,
    CONF_TOOL_PROGRESS,
    VERSION,
)
from .gateway import REQUIRED_METHODS, address_class
from .reports import FAILED_STATUSES, failed_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from homeassistant.core import HomeAssistant

    from .coordinator import ClawdConfigEntry, ClawdRuntime
    from .gateway import GatewayClient, GatewayError, Hello
    from .reports import Report

# Names from the Gateway may be of any length.
MAX_NAME_LENGTH: Final = 64
MAX_NAMES: Final = 32
DIGEST_KEYS: Final = (
    "status",
    "liveness",
    "readiness",
    "mode",
    "started_at",
    "summary",
)

# Settings of an agent that are shown, and those of which only the presence is.
SHOWN_SETTINGS: Final = (
    CONF_SESSION_SCOPE,
    CONF_SHARE_USER_NAME,
    CONF_IDLE_TIMEOUT,
    CONF_DEADLINE,
    CONF_SPEECH_CLEANUP,
    CONF_TOOL_PROGRESS,
)
PERSONAL_SETTINGS: Final = (
    CONF_INSTRUCTIONS,
    CONF_MODEL,
    CONF_SESSION_NAME,
    CONF_THINKING,
)

# Checks whose messages hold names of entities and devices, chosen by the user.
CHECKS_WITH_NAMES: Final = ("entity_availability", "registry")

type Section = Callable[[DiagnosticsSource], object]


@dataclass(frozen=True, slots=True)
class DiagnosticsSource:
    """Entry, its runtime if loaded, and the device if limited to one."""

    hass: HomeAssistant
    entry: ClawdConfigEntry
    runtime: ClawdRuntime | None
    device_id: str | None = None
    stored_reports: tuple[Report, ...] = ()

    @property
    def reports(self) -> tuple[Report, ...]:
        """Return the last reports, oldest first."""
        return self.runtime.reports.reports if self.runtime else self.stored_reports


def build_sections(source: DiagnosticsSource) -> dict[str, object]:
    """Return every section; a failed one holds the type of its error."""
    return {name: _build_section(section, source) for name, section in SECTIONS.items()}


def _build_section(section: Section, source: DiagnosticsSource) -> object:
    try:
        value = section(source)
        json.dumps(value)
    except Exception as err:  # noqa: BLE001 - the other sections survive it
        return {"error": type(err).__name__}
    return value


def _versions(source: DiagnosticsSource) -> object:
    hello = _hello(source)
    return {
        "integration": VERSION,
        "home_assistant": ha_version,
        "python": sys.version.split(maxsplit=1)[0],
        "websockets": websockets_version,
        "gateway": _short(hello.server_version) if hello else None,
        "protocol": hello.protocol if hello else None,
    }


def _entry(source: DiagnosticsSource) -> object:
    entry = source.entry
    return {
        "state": entry.state.value,
        "reason": entry.error_reason_translation_key,
        "disabled_by": entry.disabled_by,
        "version": f"{entry.version}.{entry.minor_version}",
    }


def _endpoint(source: DiagnosticsSource) -> object:
    data = source.entry.data
    return {
        "address": address_class(data[CONF_HOST]),
        "transport": "wss" if data[CONF_SSL] else "ws",
        "trust": _trust(data),
        "insecure_allowed": source.entry.options.get(CONF_ALLOW_INSECURE, False),
    }


def _settings(source: DiagnosticsSource) -> object:
    """Return the settings; of personal ones only the presence."""
    known = source.runtime.coordinator.agents if source.runtime else None
    entry = source.entry
    return {
        "options": dict(entry.options),
        "agents": [
            {
                **{key: subentry.data.get(key) for key in SHOWN_SETTINGS},
                "own": [key for key in PERSONAL_SETTINGS if subentry.data.get(key)],
                "known": known and known.get(subentry.data[CONF_AGENT]) is not None,
            }
            for subentry in entry.subentries.values()
        ],
    }


def _connection(source: DiagnosticsSource) -> object:
    if source.runtime is None:
        return None
    client = source.runtime.client
    return {
        "state": client.state,
        "error": _error(client.last_error),
        "hello": _hello_data(client.hello) if client.hello else None,
    }


def _transitions(client: GatewayClient) -> object:
    return [
        {
            "at": round(transition.at, 3),
            "from": transition.previous,
            "to": transition.state,
            "cause": transition.cause,
            "error": _error(transition.error),
            "pause": transition.pause,
            "delay": transition.delay,
        }
        for transition in client.introspection.transitions
    ]


def _counters(client: GatewayClient) -> object:
    statistics = client.statistics
    values = {
        field.name: getattr(statistics, field.name) for field in fields(statistics)
    }
    return {name: value for name, value in values.items() if isinstance(value, int)}


def _requests(client: GatewayClient) -> object:
    outcomes = client.statistics.outcomes
    return {
        "ended": {f"{name} {outcome}": n for (name, outcome), n in outcomes.items()},
        "open": [
            request.method for request in client.introspection.pending[:MAX_NAMES]
        ],
    }


def _trace(client: GatewayClient) -> object:
    return [
        {
            "at": round(frame.at, 3),
            "direction": frame.direction,
            "kind": frame.kind,
            "name": _short(frame.name),
            "bytes": frame.size,
        }
        for frame in client.statistics.trace
    ]


def _tasks(client: GatewayClient) -> object:
    return [
        _short(name) for name in sorted(client.introspection.tasks.values())[:MAX_NAMES]
    ]


def _listeners(client: GatewayClient) -> object:
    return {
        _short(event): len(found)
        for event, found in client.introspection.listeners.items()
    }


def _runs(client: GatewayClient) -> object:
    return [
        {
            "age": round(run.age, 3),
            "accepted": run.accepted,
            "ended": run.ended,
            "characters": run.size,
        }
        for run in client.introspection.runs[:MAX_NAMES]
    ]


def _entities(source: DiagnosticsSource) -> object:
    registry = er.async_get(source.hass)
    entry_id, device_id = source.entry.entry_id, source.device_id
    states = source.hass.states
    return [
        {
            "domain": entity.domain,
            "state": state.state if (state := states.get(entity.entity_id)) else None,
        }
        for entity in er.async_entries_for_config_entry(registry, entry_id)
        if device_id in {None, entity.device_id}
    ]


def _self_test(source: DiagnosticsSource) -> object:
    """Return the last report, and digests of those before."""
    if not source.reports:
        return None
    *earlier, last = source.reports
    return {"last": _without_names(last), "earlier": [_digest(r) for r in earlier]}


def _without_names(report: Report) -> object:
    """Return a report without names of entities and devices."""
    return {
        **report,
        "checks": [
            {**check, "message": None}
            if check["id"] in CHECKS_WITH_NAMES and check["status"] in FAILED_STATUSES
            else check
            for check in report["checks"]
        ],
    }


def _digest(report: Report) -> object:
    failed = {check["id"]: check["observed_value"] for check in failed_checks(report)}
    return {**{key: report[key] for key in DIGEST_KEYS}, "failed_checks": failed}


def _client_section(section: Callable[[GatewayClient], object]) -> Section:
    def build(source: DiagnosticsSource) -> object:
        return section(source.runtime.client) if source.runtime else None

    return build


SECTIONS: Final[Mapping[str, Section]] = {
    "versions": _versions,
    "entry": _entry,
    "endpoint": _endpoint,
    "settings": _settings,
    "connection": _connection,
    "transitions": _client_section(_transitions),
    "counters": _client_section(_counters),
    "requests": _client_section(_requests),
    "trace": _client_section(_trace),
    "tasks": _client_section(_tasks),
    "listeners": _client_section(_listeners),
    "runs": _client_section(_runs),
    "entities": _entities,
    "self_test": _self_test,
}


def _hello(source: DiagnosticsSource) -> Hello | None:
    return source.runtime.client.hello if source.runtime else None


def _hello_data(hello: Hello) -> object:
    return {
        "role": _short(hello.role),
        "scopes": [_short(scope) for scope in hello.scopes[:MAX_NAMES]],
        "max_payload": hello.policy.max_payload,
        "tick_interval": hello.policy.tick_interval,
        "clock_skew": round(hello.clock_skew, 3),
        "missing_methods": [
            name for name in REQUIRED_METHODS if name not in hello.methods
        ],
    }


def _error(err: GatewayError | None) -> object:
    return {"type": type(err).__name__, "code": _short(err.code)} if err else None


def _trust(data: Mapping[str, Any]) -> str | None:
    """Return the kind of trust in the certificate, if any."""
    if not data[CONF_SSL]:
        return None
    if CONF_FINGERPRINT in data:
        return "fingerprint"
    return "ca" if CONF_CA_CERTIFICATE in data else "system"


def _short(name: str) -> str:
    return name[:MAX_NAME_LENGTH]
