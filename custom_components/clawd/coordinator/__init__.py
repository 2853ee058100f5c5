"""Coordinators and runtime data of an entry."""

from .counts import TASK_PREFIX, count_events, count_listeners
from .node import NodeApproval, NodeRuntime
from .report_history import (
    MAX_REPORTS,
    ReportHistory,
    async_store_report,
    async_stored_reports,
)
from .runtime import (
    ClawdConfigEntry,
    ClawdCoordinator,
    ClawdRuntime,
    DeliveryStatistics,
    StartedTask,
    async_create_background_task,
    find_runtime,
    get_runtime,
    subentries_of_type,
)
from .speech import SpeechCoordinator, SpeechStatistics

__all__ = [
    "MAX_REPORTS",
    "TASK_PREFIX",
    "ClawdConfigEntry",
    "ClawdCoordinator",
    "ClawdRuntime",
    "DeliveryStatistics",
    "NodeApproval",
    "NodeRuntime",
    "ReportHistory",
    "SpeechCoordinator",
    "SpeechStatistics",
    "StartedTask",
    "async_create_background_task",
    "async_store_report",
    "async_stored_reports",
    "count_events",
    "count_listeners",
    "find_runtime",
    "get_runtime",
    "subentries_of_type",
]
