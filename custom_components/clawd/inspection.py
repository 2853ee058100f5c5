"""What may be shown of an entry, section by section, and nothing else."""

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
    CONF_INSTRUCTIONS,
    CONF_SESSION_NAME,
    CONF_SESSION_SCOPE,
    CONF_SHARE_USER_NAME,
    CONF_SILENCE,
    CONF_SPEECH_CLEANUP,
    CONF_THINKING,
    CONF_TOOL_PROGRESS,
    VERSION,
)
from .gateway import address_class
from .selftest.history import BAD, failed_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from homeassistant.core import HomeAssistant

    from .coordinator import ClawdConfigEntry, ClawdRuntime
    from .gateway import GatewayClient, GatewayError, Hello
    from .selftest.history import Report

# What the Gateway names may be of any length.
LONGEST_NAME: Final = 64
MOST_NAMES: Final = 32
DIGEST: Final = ("status", "liveness", "readiness", "mode", "started_at", "summary")

# Settings of an agent that say nothing of its user, and those that may.
PLAIN: Final = (
    *(CONF_SESSION_SCOPE, CONF_SHARE_USER_NAME, CONF_SILENCE, CONF_DEADLINE),
    *(CONF_SPEECH_CLEANUP, CONF_TOOL_PROGRESS),
)
OWN: Final = (CONF_INSTRUCTIONS, CONF_MODEL, CONF_SESSION_NAME, CONF_THINKING)

# Checks whose messages name entities and devices, as their agent or host is called.
NAMING: Final = ("entity_availability", "registry")

# What the client asks a Gateway for, here or in the glue.
METHODS: Final = (
    *("agent", "agent.wait", "agents.list", "chat.abort", "chat.history"),
    *("chat.send", "health", "models.list", "sessions.patch"),
)

type Section = Callable[[Inspection], object]


@dataclass(frozen=True, slots=True)
class Inspection:
    """An entry, its runtime if it is loaded, and a device if only that counts.

    An entry that is not loaded has nothing but its stored reports.
    """

    hass: HomeAssistant
    entry: ClawdConfigEntry
    runtime: ClawdRuntime | None
    device_id: str | None = None
    stored_reports: tuple[Report, ...] = ()

    @property
    def reports(self) -> tuple[Report, ...]:
        """Return the last reports of self-tests, oldest first."""
        return self.runtime.reports.reports if self.runtime else self.stored_reports


def inspect_entry(inspection: Inspection) -> dict[str, object]:
    """Return every section; one that fails holds the type of its error."""
    return {name: _inspect(section, inspection) for name, section in SECTIONS.items()}


def _inspect(section: Section, inspection: Inspection) -> object:
    try:
        value = section(inspection)
        json.dumps(value)
    except Exception as err:  # noqa: BLE001 - the other sections survive it
        return {"error": type(err).__name__}
    return value


def _versions(inspection: Inspection) -> object:
    hello = _hello(inspection)
    return {
        "integration": VERSION,
        "home_assistant": ha_version,
        "python": sys.version.split(maxsplit=1)[0],
        "websockets": websockets_version,
        "gateway": _short(hello.server_version) if hello else None,
        "protocol": hello.protocol if hello else None,
    }


def _entry(inspection: Inspection) -> object:
    entry = inspection.entry
    return {
        "state": entry.state.value,
        "reason": entry.error_reason_translation_key,
        "disabled_by": entry.disabled_by,
        "version": f"{entry.version}.{entry.minor_version}",
    }


def _endpoint(inspection: Inspection) -> object:
    data = inspection.entry.data
    return {
        "address": address_class(data[CONF_HOST]),
        "transport": "wss" if data[CONF_SSL] else "ws",
        "trust": _trust(data),
        "insecure_allowed": inspection.entry.options.get(CONF_ALLOW_INSECURE, False),
    }


def _settings(inspection: Inspection) -> object:
    """Return what was set; of texts only whether there are any."""
    known = inspection.runtime.coordinator.agents if inspection.runtime else None
    entry = inspection.entry
    return {
        "options": dict(entry.options),
        "agents": [
            {
                **{key: subentry.data.get(key) for key in PLAIN},
                "own": [key for key in OWN if subentry.data.get(key)],
                "known": known and known.get(subentry.data[CONF_AGENT]) is not None,
            }
            for subentry in entry.subentries.values()
        ],
    }


def _connection(inspection: Inspection) -> object:
    if inspection.runtime is None:
        return None
    client = inspection.runtime.client
    return {
        "state": client.state,
        "error": _error(client.last_error),
        "agreed": _agreed(client.hello) if client.hello else None,
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
        for transition in client.transitions
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
        "under_way": [request.method for request in client.pending[:MOST_NAMES]],
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
    return [_short(name) for name in sorted(client.tasks.values())[:MOST_NAMES]]


def _listeners(client: GatewayClient) -> object:
    return {_short(event): len(found) for event, found in client.listeners.items()}


def _runs(client: GatewayClient) -> object:
    return [
        {
            "age": round(run.age, 3),
            "accepted": run.accepted,
            "ended": run.ended,
            "characters": run.size,
        }
        for run in client.runs[:MOST_NAMES]
    ]


def _entities(inspection: Inspection) -> object:
    registry = er.async_get(inspection.hass)
    entry_id, device_id = inspection.entry.entry_id, inspection.device_id
    states = inspection.hass.states
    return [
        {
            "domain": entity.domain,
            "state": state.state if (state := states.get(entity.entity_id)) else None,
        }
        for entity in er.async_entries_for_config_entry(registry, entry_id)
        if device_id in {None, entity.device_id}
    ]


def _self_test(inspection: Inspection) -> object:
    """Return the last report, and of those before it what was wrong."""
    if not inspection.reports:
        return None
    *earlier, last = inspection.reports
    return {"last": _nameless(last), "earlier": [_digest(r) for r in earlier]}


def _nameless(report: Report) -> object:
    """Return a report without the messages that name what has a name of its own."""
    return {
        **report,
        "checks": [
            {**check, "message": None}
            if check["id"] in NAMING and check["status"] in BAD
            else check
            for check in report["checks"]
        ],
    }


def _digest(report: Report) -> object:
    failed = {check["id"]: check["observed_value"] for check in failed_checks(report)}
    return {**{key: report[key] for key in DIGEST}, "failed_checks": failed}


def _of_client(section: Callable[[GatewayClient], object]) -> Section:
    def inspect(inspection: Inspection) -> object:
        return section(inspection.runtime.client) if inspection.runtime else None

    return inspect


SECTIONS: Final[Mapping[str, Section]] = {
    "versions": _versions,
    "entry": _entry,
    "endpoint": _endpoint,
    "settings": _settings,
    "connection": _connection,
    "transitions": _of_client(_transitions),
    "counters": _of_client(_counters),
    "requests": _of_client(_requests),
    "trace": _of_client(_trace),
    "tasks": _of_client(_tasks),
    "listeners": _of_client(_listeners),
    "runs": _of_client(_runs),
    "entities": _entities,
    "self_test": _self_test,
}


def _hello(inspection: Inspection) -> Hello | None:
    return inspection.runtime.client.hello if inspection.runtime else None


def _agreed(hello: Hello) -> object:
    return {
        "role": _short(hello.role),
        "scopes": [_short(scope) for scope in hello.scopes[:MOST_NAMES]],
        "max_payload": hello.policy.max_payload,
        "tick_interval": hello.policy.tick_interval,
        "clock_skew": round(hello.clock_skew, 3),
        "missing_methods": [name for name in METHODS if name not in hello.methods],
    }


def _error(err: GatewayError | None) -> object:
    return {"type": type(err).__name__, "code": _short(err.code)} if err else None


def _trust(data: Mapping[str, Any]) -> str | None:
    """Return by what the Gateway's certificate is known, if there is one."""
    if not data[CONF_SSL]:
        return None
    if CONF_FINGERPRINT in data:
        return "fingerprint"
    return "ca" if CONF_CA_CERTIFICATE in data else "system"


def _short(name: str) -> str:
    return name[:LONGEST_NAME]
