"""The report of a self-test, after the IETF's draft for health checks."""

from collections import Counter
from typing import TYPE_CHECKING

from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN, VERSION
from ..redaction import known_secrets, withhold_texts
from .model import Aspect, Status, worst

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from homeassistant.util.json import JsonObjectType

    from .model import Answer, CheckContext, CheckResult

type Texts = Mapping[str, str]


async def async_build_report(
    context: CheckContext, started_at: datetime, duration: float
) -> JsonObjectType:
    """Return the report in the user's language; see `build_report`."""
    hass = context.hass
    texts = await async_get_translations(
        hass, hass.config.language, "exceptions", {DOMAIN}
    )
    return build_report(context, texts, started_at, duration)


def build_report(
    context: CheckContext, texts: Texts, started_at: datetime, duration: float
) -> JsonObjectType:
    """Return the report, without any secret; `duration` in seconds.

    `texts` are the translated ones, see `text_key`.
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
        "checks": [_check(answer, texts) for answer in context.answers],
    }
    secrets = known_secrets(context.entry.data, context.runtime.credentials)
    return {key: withhold_texts(value, secrets) for key, value in report.items()}


def _liveness(context: CheckContext) -> Status:
    """Return how well the integration is, whatever its Gateway does."""
    return worst(_statuses(context, Aspect.LIVENESS))


def _readiness(context: CheckContext) -> Status:
    """Return whether the Gateway can be used."""
    link = Status.PASS if context.connected else Status.FAIL
    return worst((link, *_statuses(context, Aspect.READINESS)))


def _statuses(context: CheckContext, aspect: Aspect) -> list[Status]:
    return [
        answer.result.status
        for answer in context.answers
        if answer.check.aspect is aspect
    ]


def _gateway(context: CheckContext) -> JsonObjectType:
    hello = context.runtime.client.hello
    return {
        "version": hello.server_version if hello else None,
        "protocol": hello.protocol if hello else None,
    }


def _summary(context: CheckContext) -> JsonObjectType:
    counts = Counter(answer.result.status for answer in context.answers)
    return {status: counts[status] for status in Status}


def _check(answer: Answer, texts: Texts) -> JsonObjectType:
    """Return the report on one check; `details` only where there are any."""
    check, result = answer.check, answer.result
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
        "duration_ms": _milliseconds(answer.duration),
        "hint": None if passed else _text(texts, f"{subject}_hint", result),
    }
    if result.details:
        report["details"] = list(result.details)
    return report


def _text(texts: Texts, key: str, result: CheckResult) -> str:
    """Return a text in the user's language, or its key where it has none."""
    text = texts.get(text_key(f"check_{key}"), key)
    return text.format(**result.facts)


def text_key(key: str) -> str:
    """Return the key under which Home Assistant keeps a text of ours."""
    return f"component.{DOMAIN}.exceptions.{key}.message"


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
