"""Validation of stored entry data.

Users edit `.storage/core.config_entries` by hand, and restore it from backups. Repair
errors without a loss; name the others.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import (
    CONF_HOST,
    CONF_LLM_HASS_API,
    CONF_MODEL,
    CONF_PASSWORD,
    CONF_PATH,
    CONF_PORT,
    CONF_SSL,
    CONF_TOKEN,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError
from homeassistant.util import dt as dt_util

from .assist.rights import Permissions
from .assist.session import Scope, is_reserved_name
from .assist.spoken import SpokenPart
from .client_factory import certificates_in
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
    CONF_TOOL_PROGRESS,
    CONF_TRACE_LENGTH,
    CONF_WARM_UP,
    DOMAIN,
    LOGGER,
    MAX_HANDOFF_AFTER,
    MAX_KEEP_RUN,
    MAX_TRACE_LENGTH,
    SUBENTRY_AI_TASK,
    SUBENTRY_CONVERSATION,
)
from .flows.agent_schema import DEFAULTS, MAX_TIMEOUT
from .flows.ai_task import AI_TASK_DEFAULTS
from .gateway import read_fingerprint, valid_headers
from .home.settings import HomeAccess, SensitiveActions, read_apis
from .reports import Schedule

if TYPE_CHECKING:
    from .coordinator import ClawdConfigEntry

MAX_PORT: Final = 65_535

type Settings = dict[str, Any]
type Read = Callable[[Any], Any]


def _text(value: object) -> str:
    """Coerce a value to text.

    A token of digits may have become a number.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError
    if not (text := str(value)):
        raise ValueError
    return text


def _session_name(value: object) -> str:
    if is_reserved_name(name := _text(value)):
        raise ValueError
    return name


def _any_text(value: object) -> str:
    return "" if value == "" else _text(value)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _number(minimum: int, maximum: int) -> Read:
    """Return a reader of integers.

    It accepts texts and 5.0.
    """

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise TypeError
        number = int(value)
        if not minimum <= number <= maximum or float(value) != number:
            raise ValueError
        return number

    return read


def _seconds(value: object) -> float:
    """Read a timeout; the form stores 300.0."""
    if isinstance(value, float) and 0 < value <= MAX_TIMEOUT:
        return value
    return _number(1, MAX_TIMEOUT)(value)  # type: ignore[no-any-return]


def _handoff_after(value: object) -> float:
    """Read the seconds until a hand-off.

    0 is never.
    """
    if isinstance(value, float) and 0 <= value <= MAX_HANDOFF_AFTER:
        return value
    return _number(0, MAX_HANDOFF_AFTER)(value)  # type: ignore[no-any-return]


def _path(value: object) -> str:
    text = _any_text(value)
    return f"/{text.lstrip('/')}" if text else ""


def _certificates(value: object) -> str:
    if not certificates_in(text := _text(value)):
        raise ValueError
    return text


def _headers(value: object) -> dict[str, str]:
    """Read headers and drop invalid ones."""
    if not (headers := valid_headers(value)):
        raise ValueError
    return headers


def _time(value: object) -> str:
    """Read a time of day."""
    if (found := dt_util.parse_time(_text(value))) is None:
        raise ValueError
    return found.isoformat("seconds")


# Of the data, only what is not needed to connect safely may be dropped.
REQUIRED: Final[Mapping[str, Read]] = {
    CONF_HOST: _text,
    CONF_PORT: _number(1, MAX_PORT),
    CONF_SSL: _switch,
}
OPTIONAL: Final[Mapping[str, Read]] = {
    CONF_TOKEN: _any_text,
    CONF_PASSWORD: _any_text,
    CONF_PATH: _path,
    CONF_FINGERPRINT: lambda value: read_fingerprint(_text(value)),
    CONF_CA_CERTIFICATE: _certificates,
}
# Options that are dropped fall back to their defaults.
OPTIONS: Final[Mapping[str, Read]] = {
    CONF_SELF_TEST_SCHEDULE: lambda value: Schedule(value).value,
    CONF_KEEP_RUN: _number(0, MAX_KEEP_RUN),
    CONF_QUIET_START: _time,
    CONF_QUIET_END: _time,
    CONF_TRACE_LENGTH: _number(0, MAX_TRACE_LENGTH),
    CONF_ASK_QUESTIONS: _switch,
    CONF_WARM_UP: _switch,
    CONF_ALLOW_INSECURE: _switch,
    CONF_HEADERS: _headers,
}
AGENT_SETTINGS: Final[Mapping[str, Read]] = {
    CONF_AGENT: _text,
    CONF_SESSION_SCOPE: lambda value: Scope(value).value,
    CONF_PERMISSIONS: lambda value: Permissions(value).value,
    CONF_INSTRUCTIONS: _any_text,
    CONF_SHARE_USER_NAME: _switch,
    CONF_IDLE_TIMEOUT: _seconds,
    CONF_DEADLINE: _seconds,
    CONF_SPEECH_CLEANUP: _switch,
    CONF_HANDOFF_AFTER: _handoff_after,
    CONF_HANDOFF_SENTENCE: _text,
    CONF_TOOL_PROGRESS: _switch,
    CONF_MODEL: _text,
    CONF_THINKING: _text,
    CONF_SESSION_NAME: _session_name,
    CONF_HOME_ACCESS: lambda value: HomeAccess(value).value,
    CONF_FROM_ELSEWHERE: lambda value: HomeAccess(value).value,
    CONF_SENSITIVE: lambda value: SensitiveActions(value).value,
    CONF_SENSITIVE_LABEL: _text,
    CONF_LLM_HASS_API: read_apis,
    CONF_SPOKEN_PART: lambda value: SpokenPart(value).value,
    CONF_FAST_VOICE: _switch,
    CONF_OFFER_TO_AGENTS: _switch,
}
AI_TASK_SETTINGS: Final[Mapping[str, Read]] = {
    CONF_AGENT: _text,
    CONF_AGENT_TOOLS: _switch,
    CONF_DEADLINE: _seconds,
    CONF_MODEL: _text,
    CONF_THINKING: _text,
}
# An agent without an id is shown as one that the Gateway does not have.
AGENT_DEFAULTS: Final[Mapping[str, Any]] = {CONF_AGENT: "", **DEFAULTS}


@callback
def async_validate_entry(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Validate and repair an entry.

    Raises:
        ConfigEntryError: a setting is missing or wrong that has no default.

    """
    entries = hass.config_entries
    update = partial(entries.async_update_entry, entry)
    data, options = _read_data(entry.data), _read(entry.options, OPTIONS, {})
    repaired = _store(entry.data, data, lambda data: update(data=data))
    repaired += _store(entry.options, options, lambda options: update(options=options))
    for subentry in entry.subentries.values():
        if subentry.subentry_type == SUBENTRY_CONVERSATION:
            readers, defaults = AGENT_SETTINGS, AGENT_DEFAULTS
        elif subentry.subentry_type == SUBENTRY_AI_TASK:
            readers, defaults = AI_TASK_SETTINGS, {CONF_AGENT: "", **AI_TASK_DEFAULTS}
        else:
            continue
        settings = _read(subentry.data, readers, defaults)
        save = partial(entries.async_update_subentry, entry, subentry)
        repaired += _store(subentry.data, settings, lambda data: save(data=data))  # noqa: B023 - called at once
    if repaired:
        names = ", ".join(dict.fromkeys(repaired))
        LOGGER.warning("Stored settings were not valid and are repaired: %s", names)


def invalid_entry(field: str) -> ConfigEntryError:
    """Return the error of an invalid setting."""
    return ConfigEntryError(
        translation_domain=DOMAIN,
        translation_key="invalid_entry",
        translation_placeholders={"field": field},
    )


def _read_data(stored: Mapping[str, Any]) -> Settings:
    data = dict(stored)
    for key, read in {**REQUIRED, **OPTIONAL}.items():
        if key in OPTIONAL and data.get(key) is None:
            # A fingerprint that is null would trust every certificate.
            data.pop(key, None)
            continue
        try:
            data[key] = read(data.get(key))
        except (TypeError, ValueError, OverflowError) as err:
            raise invalid_entry(key) from err
    return data


def _read(
    stored: Mapping[str, Any], readers: Mapping[str, Read], defaults: Mapping[str, Any]
) -> Settings:
    """Return settings with defaults for invalid ones."""
    settings = dict(stored)
    for key, read in readers.items():
        try:
            settings[key] = read(settings[key])
        except KeyError, TypeError, ValueError, OverflowError:
            settings.pop(key, None)
            if key in defaults:
                settings[key] = defaults[key]
    return settings


def _store(
    stored: Mapping[str, Any], settings: Settings, save: Callable[[Settings], object]
) -> list[str]:
    """Save repaired settings; return their keys."""
    changed = [
        key
        for key in dict.fromkeys((*stored, *settings))
        if (key in stored) != (key in settings)
        or (type(stored[key]), stored[key]) != (type(settings[key]), settings[key])
    ]
    if changed:
        # Home Assistant takes 18789.0 for the 18789 that it is to be replaced by.
        save({key: settings[key] for key in settings if key not in changed})
        save(settings)
    return changed
