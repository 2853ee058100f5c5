"""Repair issue for failed checks."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import callback

from ..issues.registry import Issue, async_create_issue, async_delete_issue
from ..reports import FAILED_STATUSES, Mode, Status, suspects_of
from .registry import CHECKS
from .resources import async_get_tracker

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from ..reports import Report

# Checks whose failure has an issue of its own; see `issues`.
CHECKS_WITH_OWN_ISSUE: Final = (
    "clock_skew",
    "home_approval",
    "home_holder",
    "home_method",
    "home_visible",
    "protocol",
    "storage_writes",
)


@callback
def async_track_issue(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Update the issue after each report."""
    reports = entry.runtime_data.reports
    failed: dict[str, dict[str, Any]] = {}

    @callback
    def async_handle_report() -> None:
        report = reports.reports[-1]
        _update_failed(failed, report)
        _async_update_issue(hass, entry, failed, suspects_of(report))

    unsubscribe = reports.async_add_listener(async_handle_report)
    async_get_tracker(entry).async_track(entry, "report listener", unsubscribe)


def _update_failed(failed: dict[str, dict[str, Any]], report: Report) -> None:
    for check in report["checks"]:
        check_id, status = check["id"], check["status"]
        if status in FAILED_STATUSES and check_id not in CHECKS_WITH_OWN_ISSUE:
            failed[check_id] = check
        # A skipped check may still fail: keep the issue.
        elif status != Status.SKIP:
            failed.pop(check_id, None)


@callback
def _async_update_issue(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    failed: dict[str, dict[str, Any]],
    suspects: list[str],
) -> None:
    if not failed:
        async_delete_issue(hass, entry, Issue.SELF_TEST_FAILED)
        return
    lines = [f"- {check['message']} {check['hint']}" for check in failed.values()]
    async_create_issue(
        hass,
        entry,
        Issue.SELF_TEST_FAILED,
        {"suspects": " ".join(suspects), "failed_checks": "\n".join(lines)},
        mode=_mode_of(failed),
    )


def _mode_of(failed: dict[str, dict[str, Any]]) -> Mode:
    """Return the mode of failed checks."""
    modes = [check.mode for check in CHECKS if check.id in failed]
    return max((Mode.ACTIVE, *modes), key=list(Mode).index)
