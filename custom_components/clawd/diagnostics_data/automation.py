"""Announcements, tasks and questions without a conversation."""

import time
from typing import TYPE_CHECKING

from ..assist.agent_questions import get_agent_questions
from ..assist.ask_tool import get_asked
from ..assist.listeners import get_listeners
from ..assist.throwaway import count_in_use
from ..home.quiet_hours import is_quiet
from .source import DiagnosticsSource, of_runtime
from .values import MAX_NAMES

if TYPE_CHECKING:
    from ..coordinator import ClawdRuntime


@of_runtime
def announcements_section(source: DiagnosticsSource, runtime: ClawdRuntime) -> object:
    """Count unsolicited messages."""
    listeners = get_listeners(source.entry)
    return {
        "delivered": dict(runtime.deliveries.outcomes),
        "failures": dict(runtime.deliveries.failures),
        "pending": len(runtime.deliveries.pending),
        "sessions": len(listeners.owners),
        "sub_agents": len(listeners.spawns),
        "unfinished": len(listeners.unfinished),
        "quiet": is_quiet(source.hass, source.entry),
    }


@of_runtime
def started_tasks_section(source: DiagnosticsSource, runtime: ClawdRuntime) -> object:
    """Return the tasks and their sessions."""
    now, started = time.monotonic(), runtime.started_tasks.values()
    return {
        "seconds_left": [round(one.deadline - now) for one in started][:MAX_NAMES],
        "ends": sum(runtime.task_ends.values()),
        "sessions_in_use": count_in_use(source.entry),
        "sessions_to_delete": len(runtime.ended_sessions),
    }


def agent_questions_section(source: DiagnosticsSource) -> object:
    """Return the questions without content."""
    scopes = source.client.optional_scopes.status if source.client else None
    questions = get_agent_questions(source.entry)
    if questions is None:
        return {"scopes": scopes}
    return {
        "scopes": scopes,
        "open": [
            {
                "expires_in": round(-one.late),
                "items": len(one.request.items),
                "answers": len(one.answers),
                "asked": one.asked_at is not None,
                "repeated": one.repeated,
            }
            for one in list(questions.open.values())[:MAX_NAMES]
        ],
        "outcomes": dict(questions.outcomes),
        "others": questions.others,
    }


def asked_by_assistants_section(source: DiagnosticsSource) -> object:
    """Return counts of questions of other assistants."""
    asked = get_asked(source.entry)
    return {"open": asked.open, "outcomes": dict(asked.outcomes)}
