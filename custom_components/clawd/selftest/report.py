"""Report of a self-test.

Its form follows the IETF draft for health checks.
"""

from collections import Counter
from typing import TYPE_CHECKING

from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN, VERSION
from ..redaction import known_secrets, redact_texts
from ..reports import Status
from .model import Aspect, worst

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from homeassistant.util.json import JsonObjectType

    from ..reports import Report
    from .model import CheckContext, CheckOutcome, CheckResult

type Texts = Mapping[str, str]


async def async_build_report(
    context: CheckContext, started_at: datetime, duration: float
) -> Report:
    """Build the report in the language of Home Assistant."""
    hass = context.hass
    texts = await async_get_translations(
        hass, hass.config.language, "exceptions", {DOMAIN}
    )
    return build_report(context, texts, started_at, duration)


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
        "gateway": _gateway(context),
        "summary": _summary(context),
        "checks": [_check(outcome, texts) for outcome in context.outcomes],
    }
    secrets = known_secrets(context.entry.data, context.runtime.credentials)
    return {key: redact_texts(value, secrets) for key, value in report.items()}


def text_key(key: str) -> str:
    """Return the key under which Home Assistant keeps a text."""
    return f"component.{DOMAIN}.exceptions.{key}.message"


def _liveness(context: CheckContext) -> Status:
    """Return the status of the integration, regardless of the Gateway."""
    return worst(_statuses(context, Aspect.LIVENESS))


def _readiness(context: CheckContext) -> Status:
    """Return whether the Gateway can be used."""
    connection = Status.PASS if context.connected else Status.FAIL
    return worst((connection, *_statuses(context, Aspect.READINESS)))


def _statuses(context: CheckContext, aspect: Aspect) -> list[Status]:
    return [
        outcome.result.status
        for outcome in context.outcomes
        if outcome.check.aspect is aspect
    ]


def _gateway(context: CheckContext) -> JsonObjectType:
    hello = context.runtime.client.hello
    return {
        "version": hello.server_version if hello else None,
        "protocol": hello.protocol if hello else None,
    }


def _summary(context: CheckContext) -> JsonObjectType:
    counts = Counter(outcome.result.status for outcome in context.outcomes)
    return {status: counts[status] for status in Status}


def _check(outcome: CheckOutcome, texts: Texts) -> JsonObjectType:
    """Return the report of one check."""
    check, result = outcome.check, outcome.result
    subject = result.reason or check.id
    passed = result.status is Status.PASS
    report: JsonObjectType = {
        "id": check.id,
        "status": result.status,
        "component": check.component,
        "observed_value": result.observed,
        "observed_unit": result.unit,
        "expected": result.expected,
        "message": _text(texts, f"{subject}_{result.status}", result),
        "duration_ms": _milliseconds(outcome.duration),
        "hint": None if passed else _text(texts, f"{subject}_hint", result),
    }
    if result.details:
        report["details"] = list(result.details)
    return report


def _text(texts: Texts, key: str, result: CheckResult) -> str:
    """Return a translated text; its key if there is none."""
    text = texts.get(text_key(f"check_{key}"), key)
    return text.format(**result.placeholders)


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
