"""Content of the diagnostics, section by section."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import isfinite
from statistics import median
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.homeassistant import async_should_expose
from homeassistant.const import (
    CONF_HOST,
    CONF_MODEL,
    CONF_SSL,
    __version__ as ha_version,
)
from homeassistant.helpers import entity_registry as er
from websockets.version import version as websockets_version

from .assist.agent_questions import get_agent_questions
from .assist.ask_tool import get_asked
from .assist.handoff_store import get_handoffs
from .assist.listeners import get_listeners
from .assist.media_cache import MEDIA_CACHE
from .assist.ongoing import get_ongoing
from .assist.rights import Permissions
from .assist.session import Scope
from .assist.sessions import get_sessions
from .assist.throwaway import count_in_use
from .assist.warm_up import get_warm_ups
from .client_factory import get_history
from .const import (
    CONF_AGENT,
    CONF_AGENT_TOOLS,
    CONF_ALLOW_INSECURE,
    CONF_ASK_QUESTIONS,
    CONF_CA_CERTIFICATE,
    CONF_DEADLINE,
    CONF_FAST_VOICE,
    CONF_FINGERPRINT,
    CONF_FROM_ELSEWHERE,
    CONF_HANDOFF_AFTER,
    CONF_HANDOFF_SENTENCE,
    CONF_HEADERS,
    CONF_HOME_ACCESS,
    CONF_IDLE_TIMEOUT,
    CONF_INSTRUCTIONS,
    CONF_KEEP_RUN,
    CONF_OFFER_TO_AGENTS,
    CONF_PERMISSIONS,
    CONF_QUIET_END,
    CONF_QUIET_START,
    CONF_SELF_TEST_SCHEDULE,
    CONF_SENSITIVE,
    CONF_SENSITIVE_LABEL,
    CONF_SESSION_NAME,
    CONF_SESSION_SCOPE,
    CONF_SHARE_USER_NAME,
    CONF_SPEECH_CLEANUP,
    CONF_SPOKEN_PART,
    CONF_THINKING,
    CONF_TOOL_PREFIX,
    CONF_TOOL_PROGRESS,
    CONF_TRACE_LENGTH,
    CONF_WARM_UP,
    VERSION,
)
from .gateway import REQUIRED_METHODS, address_class, valid_headers
from .home.apis import ASSISTANT
from .home.cameras import find_cameras
from .home.quiet_hours import is_quiet
from .home.service import get_home
from .home.settings import HomeAccess, SensitiveActions, agent_homes
from .home.voice_devices import ANNOUNCE, START_CONVERSATION, find_voice_devices
from .reports import FAILED_STATUSES, Schedule, failed_checks
from .storage import unwritten_stores
from .util.glossary import meaning

if TYPE_CHECKING:
    from collections.abc import Callable

    from homeassistant.core import HomeAssistant
    from homeassistant.util.json import JsonValueType

    from .coordinator import ClawdConfigEntry, ClawdRuntime
    from .gateway import (
        AddressInfo,
        ClientHistory,
        CredentialRefusal,
        GatewayClient,
        GatewayError,
        Hello,
    )
    from .reports import Report

# Names from the Gateway may be of any length.
MAX_NAME_LENGTH: Final = 64
MAX_NAMES: Final = 32
MAX_LINES: Final = 40
MAX_LAGS: Final = 5
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
    CONF_AGENT_TOOLS,
    CONF_SESSION_SCOPE,
    CONF_PERMISSIONS,
    CONF_SHARE_USER_NAME,
    CONF_IDLE_TIMEOUT,
    CONF_DEADLINE,
    CONF_SPEECH_CLEANUP,
    CONF_HANDOFF_AFTER,
    CONF_TOOL_PROGRESS,
    CONF_HOME_ACCESS,
    CONF_FROM_ELSEWHERE,
    CONF_SENSITIVE,
    CONF_SPOKEN_PART,
    CONF_FAST_VOICE,
    CONF_OFFER_TO_AGENTS,
)
PERSONAL_SETTINGS: Final = (
    CONF_HANDOFF_SENTENCE,
    CONF_INSTRUCTIONS,
    CONF_MODEL,
    CONF_SESSION_NAME,
    CONF_THINKING,
    CONF_SENSITIVE_LABEL,
)

# Checks whose messages hold names of entities and devices, chosen by the user.
CHECKS_WITH_NAMES: Final = ("entity_availability", "registry")

# Options that are shown.
SHOWN_OPTIONS: Final = (
    CONF_QUIET_END,
    CONF_QUIET_START,
    CONF_SELF_TEST_SCHEDULE,
    CONF_KEEP_RUN,
    CONF_TRACE_LENGTH,
    CONF_ASK_QUESTIONS,
    CONF_WARM_UP,
    CONF_ALLOW_INSECURE,
)
# Texts of settings that are no one's own words; of others only the type is shown.
SHOWN_TEXTS: Final = (*Schedule, *Scope, *Permissions, *HomeAccess, *SensitiveActions)
# Levels of what is shown; data that were edited by hand may be nested deeply.
MAX_DEPTH: Final = 12

type Section = Callable[[DiagnosticsSource], object]


@dataclass(frozen=True, slots=True)
class DiagnosticsSource:
    """Entry, its runtime if loaded, and the device if limited to one.

    Attributes:
        suspects: sentences of the self-test on the present state of the client.

    """

    hass: HomeAssistant
    entry: ClawdConfigEntry
    runtime: ClawdRuntime | None
    device_id: str | None = None
    stored_reports: tuple[Report, ...] = ()
    suspects: tuple[str, ...] = ()

    @property
    def reports(self) -> tuple[Report, ...]:
        """Return the last reports, oldest first."""
        return self.runtime.reports.reports if self.runtime else self.stored_reports

    @property
    def history(self) -> ClientHistory:
        """Return the evidence of the entry's clients."""
        return get_history(self.hass, self.entry.entry_id)

    @property
    def client(self) -> GatewayClient | None:
        """Return the client, if loaded."""
        return self.runtime.client if self.runtime else None


def build_sections(source: DiagnosticsSource) -> dict[str, object]:
    """Return every section; a failed one holds the type of its error."""
    return {name: _build_section(section, source) for name, section in SECTIONS.items()}


def _build_section(section: Section, source: DiagnosticsSource) -> object:
    try:
        return _plain(section(source))
    except Exception as err:  # noqa: BLE001 - the other sections survive it
        return {"error": type(err).__name__}


def _plain(value: object, depth: int = 0) -> JsonValueType:
    """Return a value as JSON that every reader takes."""
    match value:
        case Mapping() | list() | tuple() if depth > MAX_DEPTH:
            return _type_of(value)
        case Mapping():
            return {
                _well_formed(str(key)): _plain(inner, depth + 1)
                for key, inner in value.items()
            }
        case list() | tuple():
            return [_plain(inner, depth + 1) for inner in value]
        case str():
            return _well_formed(value)
        case float() if not isfinite(value):
            value = str(value)
        case None | bool() | int() | float():
            pass
        case _:
            value = _type_of(value)
    return value


def _well_formed(text: str) -> str:
    """Return a text without halves of surrogate pairs."""
    return text.encode(errors="replace").decode()


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
    data, host = source.entry.data, source.entry.data.get(CONF_HOST)
    allowed = source.entry.options.get(CONF_ALLOW_INSECURE, False)
    return {
        "address": address_class(host) if isinstance(host, str) else _type_of(host),
        "transport": "wss" if data.get(CONF_SSL) else "ws",
        "trust": _trust(data),
        "insecure_allowed": _shown(allowed),
    }


def _settings(source: DiagnosticsSource) -> object:
    """Return the settings; of personal ones only the presence."""
    entry = source.entry
    return {
        "options": {
            key: _shown(entry.options[key])
            for key in SHOWN_OPTIONS
            if key in entry.options
        },
        "headers": len(valid_headers(entry.options.get(CONF_HEADERS))),
        "other_options": len(entry.options.keys() - {*SHOWN_OPTIONS, CONF_HEADERS}),
        "agents": [
            {
                **{key: _shown(subentry.data.get(key)) for key in SHOWN_SETTINGS},
                "own": [key for key in PERSONAL_SETTINGS if subentry.data.get(key)],
                "known": _is_known(source, subentry.data.get(CONF_AGENT)),
            }
            for subentry in entry.subentries.values()
        ],
    }


def _is_known(source: DiagnosticsSource, agent: object) -> bool | None:
    """Return whether the Gateway has an agent."""
    if source.runtime is None:
        return None
    agents = source.runtime.coordinator.agents
    return isinstance(agent, str) and agents.get(agent) is not None


def _connection(source: DiagnosticsSource) -> object:
    if source.runtime is None:
        return None
    client = source.runtime.client
    return {
        "state": client.state,
        "error": _error(client.last_error),
        "hello": _hello_data(client.hello) if client.hello else None,
        "peer": _address(client.peer.address_info) if client.peer else None,
    }


def _attempts(history: ClientHistory) -> object:
    """Return tried addresses and refused credentials of the last attempts."""
    return {
        "addresses": [_address(info) for info in history.addresses[:MAX_NAMES]],
        "refusal": _refusal(history.refusal) if history.refusal else None,
    }


def _refusal(refusal: CredentialRefusal) -> object:
    return {
        "at": round(refusal.at, 3),
        "code": _short(refusal.code),
        "shown": refusal.shown,
        "device_token": refusal.device_token,
        "same_peer": refusal.same_peer,
    }


def _address(info: AddressInfo) -> object:
    return {"family": info.family, "class": info.address_class}


def _transitions(history: ClientHistory) -> object:
    return [
        {
            "at": round(transition.at, 3),
            "monotonic": round(transition.monotonic_at, 3),
            "from": transition.previous,
            "to": transition.state,
            "cause": transition.cause,
            "error": _error(transition.error),
            "pause": transition.pause,
            "delay": transition.delay,
            "closed_by": transition.closed_by,
            "close_reason": transition.close_reason or None,
            "drill": transition.drill,
        }
        for transition in history.transitions.snapshot()
    ]


def describe_hellos(history: ClientHistory) -> list[JsonValueType]:
    """Return the changes from one connection to the next."""
    return [
        {
            "at": round(change.at, 3),
            "restarted": change.restarted,
            "uptime_before": change.uptime_before,
            "uptime": change.uptime,
            "changes": {
                name: [_limit(old), _limit(new)]
                for name, (old, new) in change.changes.items()
            },
        }
        for change in history.hello_changes
    ]


def _counters(history: ClientHistory) -> object:
    statistics = history.statistics
    values = {
        field.name: getattr(statistics, field.name) for field in fields(statistics)
    }
    return {
        **{name: value for name, value in values.items() if isinstance(value, int)},
        "closes": {f"{by} {code}": n for (by, code), n in statistics.closes.items()},
        "store_errors": statistics.store_errors.count,
    }


def _faults(history: ClientHistory) -> object:
    """Return the failures of this integration."""
    statistics, failure = history.statistics, history.failure
    return {
        "store": statistics.store_errors.last,
        "tasks": dict(statistics.task_failures),
        "exception": failure.text.splitlines()[-MAX_LINES:] if failure else None,
    }


def _requests(source: DiagnosticsSource) -> object:
    statistics, client = source.history.statistics, source.client
    return {
        "ended": {
            f"{name} {outcome}": n for (name, outcome), n in statistics.outcomes.items()
        },
        "errors": {
            f"{_short(name)} {_short(code)}": n
            for (name, code), n in statistics.errors.items()
        },
        "open": [
            request.method
            for request in (client.introspection.pending[:MAX_NAMES] if client else ())
        ],
    }


def _questions(history: ClientHistory) -> object:
    """Return how the last questions ended."""
    return [
        {
            "at": round(outcome.at, 3),
            "code": _short(outcome.code),
            "meaning": meaning(outcome.code),
            "error": outcome.error,
            "accepted": outcome.accepted,
            "seconds": round(outcome.seconds, 3),
            "attempts": outcome.attempts,
        }
        for outcome in history.statistics.run_outcomes
    ]


def _sessions(source: DiagnosticsSource) -> object:
    """Return the number of sessions by the permission mode that was set."""
    if source.runtime is None:
        return None
    known = get_sessions(source.entry).known.values()
    modes = Counter(session.mode or "gateway" for session in known)
    return {"modes": dict(modes)}


def _trace(history: ClientHistory) -> object:
    return [
        {
            "at": round(frame.at, 3),
            "direction": frame.direction,
            "kind": frame.kind,
            "name": _short(frame.name),
            "bytes": frame.size,
        }
        for frame in history.statistics.trace
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


def _announcements(source: DiagnosticsSource) -> object:
    """Return counts of what agents said when nobody waited for it."""
    runtime = source.runtime
    if runtime is None:
        return None
    listeners = get_listeners(source.entry)
    return {
        "delivered": dict(runtime.deliveries.outcomes),
        "failures": dict(runtime.deliveries.failures),
        "pending": len(runtime.deliveries.pending),
        "sessions": len(listeners.owners),
        "sub_agents": len(listeners.spawns),
        "unfinished": len(listeners.unfinished),
        "quiet": is_quiet(source.hass, source.entry),
    }


def _handoffs(source: DiagnosticsSource) -> object:
    """Return the runs that go on though nobody waits, without their content."""
    handoffs = get_handoffs(source.entry)
    return {
        "open": [
            {
                "age": round(handoff.age),
                "state": handoff.state,
                "accepted": handoff.accepted,
                "voice": handoff.question.voice_device is not None,
            }
            for handoff in list(handoffs.open.values())[:MAX_NAMES]
        ],
        "outcomes": dict(handoffs.outcomes),
        "ongoing": len(get_ongoing(source.entry).all),
    }


def _started_tasks(source: DiagnosticsSource) -> object:
    """Return the tasks that actions have started, and the sessions of tasks."""
    runtime = source.runtime
    if runtime is None:
        return None
    now, started = time.monotonic(), runtime.started_tasks.values()
    return {
        "seconds_left": [round(one.deadline - now) for one in started][:MAX_NAMES],
        "ends": sum(runtime.task_ends.values()),
        "sessions_in_use": count_in_use(source.entry),
        "sessions_to_delete": len(runtime.ended_sessions),
    }


def _stores(source: DiagnosticsSource) -> object:
    """Return the stores that could not be written."""
    return unwritten_stores(source.hass)


def _event_loop(source: DiagnosticsSource) -> object:
    """Return the lag of the event loop in the last minutes, in seconds."""
    if source.runtime is None:
        return None
    monitor = source.runtime.loop_monitor
    lags = sorted(monitor.samples)
    return {
        "seconds": round(monitor.seconds, 1),
        "median": round(lags[len(lags) // 2], 3) if lags else None,
        "longest": [round(lag, 3) for lag in lags[-MAX_LAGS:]],
    }


def _suspects(source: DiagnosticsSource) -> object:
    return list(source.suspects)


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


def _agent_questions(source: DiagnosticsSource) -> object:
    """Return the questions of agents, without their content."""
    scopes = source.client.optional_scopes.status if source.client else None
    questions = get_agent_questions(source.entry)
    if questions is None:
        return {"scopes": scopes}
    return {
        "scopes": scopes,
        "open": [
            {
                "expires_in": round(-one.late),
                "items": len(one.request.items),
                "answers": len(one.answers),
                "asked": one.asked_at is not None,
                "repeated": one.repeated,
            }
            for one in list(questions.open.values())[:MAX_NAMES]
        ],
        "outcomes": dict(questions.outcomes),
        "others": questions.others,
    }


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


def _history_section(section: Callable[[ClientHistory], object]) -> Section:
    def build(source: DiagnosticsSource) -> object:
        return section(source.history)

    return build


def _client_section(section: Callable[[GatewayClient], object]) -> Section:
    def build(source: DiagnosticsSource) -> object:
        return section(source.client) if source.client else None

    return build


def _home(source: DiagnosticsSource) -> object:
    """Return counts of the home's tools and calls, without names."""
    home = get_home(source.entry)
    if home is None:
        return None
    properties = [tool.parameters["properties"] for tool in home.tools]
    actions = [len(one["action"]["enum"]) for one in properties if "action" in one]
    return {
        "agents": Counter(agent.access.value for agent in agent_homes(source.entry)),
        "actions": actions,
        "omitted": home.omitted,
        "exposed": _exposed(source.hass),
        "rebuilds": home.rebuilds,
        "rebuild_ms": round(home.rebuild_seconds * 1000, 3),
        "control_calls_of_last_minute": home.limits.recent,
        "messages_of_last_hour": home.messages.recent,
        "looks_of_last_hour": home.looks.recent,
        "cameras": len(find_cameras(source.hass)),
        "voice_devices": {
            "announce": len(find_voice_devices(source.hass, ANNOUNCE)),
            "ask": len(find_voice_devices(source.hass, START_CONVERSATION)),
        },
        "published": len(home.published),
        "outcomes": dict(home.statistics.outcomes),
        "exceptions": dict(home.statistics.exceptions),
        "questions": len(home.confirmations),
        "confirmed": home.statistics.confirmed,
    }


def _exposed(hass: HomeAssistant) -> object:
    """Return the number of exposed entities by domain."""
    return Counter(
        state.domain
        for state in hass.states.async_all()
        if async_should_expose(hass, ASSISTANT, state.entity_id)
    )


def _media(source: DiagnosticsSource) -> object:
    """Return counts of the pictures and files of agents, without names."""
    if (cache := source.hass.data.get(MEDIA_CACHE)) is None:
        return None
    entry_id = source.entry.entry_id
    kept = cache.of_entry(entry_id)
    return {
        "files": len(kept),
        "bytes": sum(media.size for media in kept),
        "bytes_of_all_entries": cache.size,
        "outcomes": dict(cache.outcomes.get(entry_id, {})),
    }


def _node(source: DiagnosticsSource) -> object:
    """Return the state of the node's connection, without names."""
    node = source.runtime.node if source.runtime else None
    if node is None:
        return None
    host = node.host
    return {
        "state": node.client.state,
        "error": _error(node.client.last_error),
        "peer": _address(node.client.peer.address_info) if node.client.peer else None,
        "approval": node.approval,
        "wanted": len(host.wanted),
        "published": len(host.published),
        "publish_error": _short(host.publish_error),
        "method_missing": host.method_missing,
        "displaced": host.displaced,
        "prefix": CONF_TOOL_PREFIX in source.entry.data,
        "ready": host.ready,
        "open_calls": len(host.open_calls),
        "calls": asdict(host.statistics),
        "connects": node.client.statistics.connects,
        "drops": node.client.statistics.drops,
    }


def _asked_by_assistants(source: DiagnosticsSource) -> object:
    """Return counts of questions of other assistants."""
    asked = get_asked(source.entry)
    return {"open": asked.open, "outcomes": dict(asked.outcomes)}


def _first_words(source: DiagnosticsSource) -> object:
    """Return the times to the first words of each agent, without names."""
    if source.runtime is None:
        return None
    warm_ups = get_warm_ups(source.entry)
    return {
        "agents": [
            {
                "questions": len(times),
                "median": round(median(times), 3),
                "longest": round(max(times), 3),
            }
            for times in source.runtime.first_words.values()
        ],
        "warm_ups": {
            "count": len(warm_ups.starts),
            "repeated": warm_ups.repeated,
            "failed": {_short(code): n for code, n in warm_ups.failed.items()},
            "seconds": warm_ups.seconds and round(warm_ups.seconds, 3),
        },
    }


def _speech(source: DiagnosticsSource) -> object:
    """Return counts of what the Gateway has spoken."""
    if source.runtime is None:
        return None
    speech = source.runtime.speech
    statistics = speech.statistics
    return {
        "configured": speech.data.configured,
        "loaded": source.runtime.voice_loaded,
        "spoken": statistics.spoken,
        "failed": {_short(code): n for code, n in statistics.failed.items()},
        "formats": dict(statistics.formats),
        "slowest": round(statistics.slowest, 3),
    }


SECTIONS: Final[Mapping[str, Section]] = {
    "suspects": _suspects,
    "versions": _versions,
    "entry": _entry,
    "endpoint": _endpoint,
    "settings": _settings,
    "connection": _connection,
    "attempts": _history_section(_attempts),
    "transitions": _history_section(_transitions),
    "hellos": _history_section(describe_hellos),
    "counters": _history_section(_counters),
    "faults": _history_section(_faults),
    "requests": _requests,
    "questions": _history_section(_questions),
    "sessions": _sessions,
    "trace": _history_section(_trace),
    "tasks": _client_section(_tasks),
    "listeners": _client_section(_listeners),
    "runs": _client_section(_runs),
    "announcements": _announcements,
    "handoffs": _handoffs,
    "started_tasks": _started_tasks,
    "stores": _stores,
    "event_loop": _event_loop,
    "entities": _entities,
    "home": _home,
    "agent_questions": _agent_questions,
    "node": _node,
    "asked_by_assistants": _asked_by_assistants,
    "first_words": _first_words,
    "speech": _speech,
    "media": _media,
    "self_test": _self_test,
}


def _hello(source: DiagnosticsSource) -> Hello | None:
    return source.client.hello if source.client else None


def _hello_data(hello: Hello) -> object:
    return {
        "role": _short(hello.role),
        "scopes": [_short(scope) for scope in hello.scopes[:MAX_NAMES]],
        "max_payload": hello.policy.max_payload,
        "tick_interval": hello.policy.tick_interval,
        "tick_replaced": hello.policy.tick_replaced or None,
        "clock_skew": round(hello.clock_skew, 3),
        "missing_methods": [
            name for name in REQUIRED_METHODS if name not in hello.methods
        ],
    }


def _error(err: GatewayError | None) -> object:
    if err is None:
        return None
    return {
        "type": type(err).__name__,
        "code": _short(err.code),
        "meaning": meaning(err.code),
    }


def _trust(data: Mapping[str, Any]) -> str | None:
    """Return the kind of trust in the certificate, if any."""
    if not data.get(CONF_SSL):
        return None
    if CONF_FINGERPRINT in data:
        return "fingerprint"
    return "ca" if CONF_CA_CERTIFICATE in data else "system"


def _shown(value: object) -> object:
    """Return a setting, or its type where it may hold the user's own words."""
    if value is None or isinstance(value, bool | int | float) or value in SHOWN_TEXTS:
        return value
    return _type_of(value)


def _type_of(value: object) -> str:
    return f"({type(value).__name__})"


def _short(name: str) -> str:
    return name[:MAX_NAME_LENGTH]


def _limit(value: object) -> JsonValueType:
    """Return a value of a hello, which may be of any length."""
    if isinstance(value, list):
        return [_limit(entry) for entry in value[:MAX_NAMES]]
    return _short(value) if isinstance(value, str) else _plain(value)
