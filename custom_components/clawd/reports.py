"""Vocabulary of the self-test for everyone else."""

from enum import StrEnum
from typing import Any, Final

type Report = dict[str, Any]


class Status(StrEnum):
    """Status of a check.

    `error` means that the check itself broke.
    """

    SKIP = "skip"
    PASS = "pass"  # noqa: S105 - a status
    WARN = "warn"
    ERROR = "error"
    FAIL = "fail"


class Origin(StrEnum):
    """Origin of a result's cause.

    Attributes:
        INTEGRATION: in this integration; only this makes liveness fail.
        HOME_ASSISTANT: in Home Assistant or its machine.
        NETWORK: between the two machines.
        GATEWAY: in the Gateway, its machine or its settings.

    """

    INTEGRATION = "integration"
    HOME_ASSISTANT = "home_assistant"
    NETWORK = "network"
    GATEWAY = "gateway"


class Mode(StrEnum):
    """Mode of a self-test, each including the previous.

    Attributes:
        PASSIVE: only reads.
        ACTIVE: also sends a few harmless requests.
        DRILL: also interrupts the connection and reloads the entry.

    """

    PASSIVE = "passive"
    ACTIVE = "active"
    DRILL = "drill"

    def includes(self, other: Mode) -> bool:
        """Return whether a mode includes another."""
        modes = list(Mode)
        return modes.index(other) <= modes.index(self)


class Schedule(StrEnum):
    """Schedule of the self-test."""

    OFF = "off"
    DAILY = "daily"
    WEEKLY = "weekly"


DEFAULT_SCHEDULE: Final = Schedule.DAILY
FAILED_STATUSES: Final = (Status.FAIL, Status.ERROR)


def failed_checks(report: Report) -> list[dict[str, Any]]:
    """Return the failed checks of a report."""
    return [check for check in report["checks"] if check["status"] in FAILED_STATUSES]


def is_report(value: object) -> bool:
    """Return whether a stored value is a report."""
    match value:
        case {
            "status": str(status),
            "liveness": str(),
            "readiness": str(),
            "mode": str(),
            "started_at": str(),
            "summary": dict(),
            "checks": list(checks),
        }:
            return status in list(Status) and all(map(_is_check, checks))
    return False


def _is_check(value: object) -> bool:
    match value:
        case {"id": str(), "status": str(), "observed_value": _}:
            return True
    return False


def suspects_of(report: Report) -> list[str]:
    """Return the suspects of a report.

    Earlier versions stored none.
    """
    return list(report.get("suspects", ()))
