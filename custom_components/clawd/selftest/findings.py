"""The checks that failed and have not passed since, as a repair issue."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import callback

from ..issues import Issue, async_create_issue, async_delete_issue
from ..ledger import async_get_ledger
from .history import BAD
from .model import Mode, Status
from .registry import CHECKS

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from .history import Report

# The checks whose failure has an issue of its own.
SHOWN_ELSEWHERE: Final = ("clock_skew", "protocol")


@callback
def async_show_findings(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Keep the issue in step with the reports, as long as the entry is loaded."""
    reports = entry.runtime_data.reports
    failed: dict[str, dict[str, Any]] = {}

    @callback
    def update() -> None:
        _learn(failed, reports.reports[-1])
        _async_show(hass, entry, failed)

    unsubscribe = reports.async_add_listener(update)
    async_get_ledger(entry).async_hold(entry, "report listener", unsubscribe)


def _learn(failed: dict[str, dict[str, Any]], report: Report) -> None:
    """Take over what a report says; a check that was skipped says nothing."""
    for check in report["checks"]:
        if check["status"] in BAD and check["id"] not in SHOWN_ELSEWHERE:
            failed[check["id"]] = check
        elif check["status"] != Status.SKIP:
            failed.pop(check["id"], None)


@callback
def _async_show(
    hass: HomeAssistant, entry: ClawdConfigEntry, failed: dict[str, dict[str, Any]]
) -> None:
    if not failed:
        async_delete_issue(hass, entry, Issue.SELF_TEST_FAILED)
        return
    lines = [f"- {check['message']} {check['hint']}" for check in failed.values()]
    async_create_issue(
        hass,
        entry,
        Issue.SELF_TEST_FAILED,
        {"findings": "\n".join(lines)},
        mode=_mode_of(failed),
    )


def _mode_of(failed: dict[str, dict[str, Any]]) -> Mode:
    """Return the mode of a self-test with these checks and whatever is harmless."""
    modes = [check.mode for check in CHECKS if check.id in failed]
    return max((Mode.ACTIVE, *modes), key=list(Mode).index)
