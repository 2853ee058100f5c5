"""Reports of the self-test."""

from typing import TYPE_CHECKING, Final

from ..reports import FAILED_STATUSES, failed_checks
from .source import DiagnosticsSource

if TYPE_CHECKING:
    from ..reports import Report

DIGEST_KEYS: Final = (
    "status",
    "liveness",
    "readiness",
    "mode",
    "started_at",
    "summary",
)
# Checks whose messages hold names of entities and devices, chosen by the user.
CHECKS_WITH_NAMES: Final = ("entity_availability", "registry")


def suspects_section(source: DiagnosticsSource) -> object:
    """Return the self-test's suspects."""
    return list(source.suspects)


def self_test_section(source: DiagnosticsSource) -> object:
    """Return the last report, and earlier digests."""
    if not source.reports:
        return None
    *earlier, last = source.reports
    return {"last": _without_names(last), "earlier": [_digest(r) for r in earlier]}


def _without_names(report: Report) -> object:
    """Return a report without names."""
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
