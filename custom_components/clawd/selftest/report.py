"""Report of a self-test.

Its form follows the IETF draft for health checks.
"""

from collections import Counter
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntryState
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.dt import utc_from_timestamp

from ..client_factory import get_history
from ..const import DOMAIN, VERSION
from ..diagnostics_data.connection import describe_hellos
from ..redaction import known_secrets, redact_texts
from ..reports import Origin, Status
from .model import events_since_setup, worst
from .suspects import find_suspects
from .suspects.evidence import Evidence
from .texts import format_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from homeassistant.core import HomeAssistant
    from homeassistant.util.json import JsonObjectType, JsonValueType

    from ..coordinator import ClawdConfigEntry
    from ..reports import Report
    from .model import CheckContext, CheckOutcome
    from .suspects import Suspect
    from .texts import Texts


async def async_build_report(
    context: CheckContext, started_at: datetime, duration: float
) -> Report:
    """Build the report in Home Assistant's language."""
    hass = context.hass
    texts = await async_get_translations(
        hass, hass.config.language, "exceptions", {DOMAIN}
    )
    return build_report(context, texts, started_at, duration)


async def async_find_suspects(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> tuple[str, ...]:
    """Return the suspects of an entry.

    Of its client, or of the failed setup.
    """
    texts = await async_get_translations(
        hass, hass.config.language, "exceptions", {DOMAIN}
    )
    if entry.state is ConfigEntryState.LOADED:
        runtime = entry.runtime_data
        events = events_since_setup(runtime)
        evidence = Evidence.of_client(runtime.client, events)
    else:
        # The client is gone, but its history remains.
        evidence = Evidence.of_history(get_history(hass, entry.entry_id))
    return tuple(suspect_texts(find_suspects(evidence), texts))


def build_report(
    context: CheckContext, texts: Texts, started_at: datetime, duration: float
) -> Report:
    """Build the report, without secrets.

    `texts` are translations by `text_key`, `duration` is in seconds.
    """
    liveness, readiness = _liveness(context), _readiness(context)
    report: JsonObjectType = {
        "status": worst((liveness, readiness)),
        "liveness": liveness,
        "readiness": readiness,
        "version": VERSION,
        "started_at": started_at.isoformat(),
        "duration_ms": _milliseconds(duration),
        "entry": context.entry.entry_id,
        "mode": context.mode,
        "suspects": _suspects(context, texts),
        "gateway": _gateway(context),
        "questions": _questions(context),
        "summary": _summary(context),
        "checks": [_check(outcome, texts) for outcome in context.outcomes],
    }
    secrets = known_secrets(
        context.entry.data, context.entry.options, *context.runtime.all_credentials
    )
    return {key: redact_texts(value, secrets) for key, value in report.items()}


def _liveness(context: CheckContext) -> Status:
    """Return the status of the integration alone."""
    return worst(o.result.status for o in context.outcomes if _is_own(o))


def _readiness(context: CheckContext) -> Status:
    """Return the status of its surroundings."""
    connection = Status.PASS if context.connected else Status.FAIL
    others = (o.result.status for o in context.outcomes if not _is_own(o))
    return worst((connection, *others))


def _is_own(outcome: CheckOutcome) -> bool:
    return outcome.origin is Origin.INTEGRATION


def _gateway(context: CheckContext) -> JsonObjectType:
    hello = context.runtime.client.hello
    return {
        "version": hello.server_version if hello else None,
        "protocol": hello.protocol if hello else None,
        "uptime": hello.uptime if hello else None,
        "reconnects": describe_hellos(context.runtime.client.introspection.history),
    }


def _questions(context: CheckContext) -> list[JsonValueType]:
    """Return the outcomes of the last questions.

    Without their content.
    """
    outcomes = context.runtime.client.introspection.run_outcomes
    return [
        {"at": utc_from_timestamp(o.at).isoformat(timespec="seconds"), "code": o.code}
        for o in outcomes
    ]


def _suspects(context: CheckContext, texts: Texts) -> list[JsonValueType]:
    client, events = context.runtime.client, context.events
    loaded = context.entry.state is ConfigEntryState.LOADED
    evidence = Evidence.of_client(client, events, context.outcomes, loaded=loaded)
    return [*suspect_texts(find_suspects(evidence), texts)]


def suspect_texts(suspects: Iterable[Suspect], texts: Texts) -> list[str]:
    """Return the sentences of suspects."""
    return [
        format_text(texts, f"suspect_{suspect.key}", suspect.placeholders)
        for suspect in suspects
    ]


def _summary(context: CheckContext) -> JsonObjectType:
    counts = Counter(outcome.result.status for outcome in context.outcomes)
    return {status: counts[status] for status in Status}


def _check(outcome: CheckOutcome, texts: Texts) -> JsonObjectType:
    """Return the report of a check."""
    check, result = outcome.check, outcome.result
    subject = result.reason or check.id
    passed = result.status is Status.PASS
    hint = f"check_{result.hint or subject}_hint"
    report: JsonObjectType = {
        "id": check.id,
        "status": result.status,
        "component": check.component,
        "origin": outcome.origin,
        "observed_value": result.observed,
        "observed_unit": result.unit,
        "expected": result.expected,
        "message": format_text(
            texts, f"check_{subject}_{result.status}", result.placeholders
        ),
        "duration_ms": _milliseconds(outcome.duration),
        "hint": None if passed else format_text(texts, hint, result.placeholders),
    }
    if result.details:
        report["details"] = list(result.details)
    return report


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
