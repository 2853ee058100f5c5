"""Entry and its settings, without the user's own words."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_MODEL, CONF_SSL

from ..assist.rights import Permissions
from ..assist.session import Scope
from ..const import (
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
    CONF_TOOL_PROGRESS,
    CONF_TRACE_LENGTH,
    CONF_WARM_UP,
)
from ..gateway import address_class, valid_headers
from ..home.settings import HomeAccess, SensitiveActions
from ..reports import Schedule
from .source import DiagnosticsSource
from .values import type_name

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
# Settings with fixed texts; of others only the type is shown.
SHOWN_TEXTS: Final = (*Schedule, *Scope, *Permissions, *HomeAccess, *SensitiveActions)


def entry_section(source: DiagnosticsSource) -> object:
    """Return the state of the entry."""
    entry = source.entry
    return {
        "state": entry.state.value,
        "reason": entry.error_reason_translation_key,
        "disabled_by": entry.disabled_by,
        "version": f"{entry.version}.{entry.minor_version}",
    }


def endpoint_section(source: DiagnosticsSource) -> object:
    """Return the class of the address, and how it is trusted."""
    data, host = source.entry.data, source.entry.data.get(CONF_HOST)
    allowed = source.entry.options.get(CONF_ALLOW_INSECURE, False)
    return {
        "address": address_class(host) if isinstance(host, str) else type_name(host),
        "transport": "wss" if data.get(CONF_SSL) else "ws",
        "trust": _trust(data),
        "insecure_allowed": _shown(allowed),
    }


def settings_section(source: DiagnosticsSource) -> object:
    """Return the settings.

    Of personal ones only the presence.
    """
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


def _trust(data: Mapping[str, Any]) -> str | None:
    """Return the kind of trust, if any."""
    if not data.get(CONF_SSL):
        return None
    if CONF_FINGERPRINT in data:
        return "fingerprint"
    return "ca" if CONF_CA_CERTIFICATE in data else "system"


def _shown(value: object) -> object:
    """Return a setting, or its type if personal."""
    if value is None or isinstance(value, bool | int | float) or value in SHOWN_TEXTS:
        return value
    return type_name(value)
