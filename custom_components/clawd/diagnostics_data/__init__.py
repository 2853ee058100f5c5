"""Content of the diagnostics, section by section."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from .automation import (
    agent_questions_section,
    announcements_section,
    asked_by_assistants_section,
    started_tasks_section,
)
from .client import (
    counters_section,
    faults_section,
    listeners_section,
    requests_section,
    tasks_section,
    trace_section,
)
from .connection import (
    attempts_section,
    connection_section,
    describe_hellos,
    transitions_section,
)
from .home import home_section, node_section
from .media import media_section, speech_section
from .runs import (
    first_words_section,
    handoffs_section,
    questions_section,
    runs_section,
    sessions_section,
)
from .self_test import self_test_section, suspects_section
from .settings import endpoint_section, entry_section, settings_section
from .source import of_history
from .system import (
    entities_section,
    event_loop_section,
    stores_section,
    versions_section,
)
from .values import to_json

if TYPE_CHECKING:
    from .source import DiagnosticsSource, Section

SECTIONS: Final[Mapping[str, Section]] = {
    "suspects": suspects_section,
    "versions": versions_section,
    "entry": entry_section,
    "endpoint": endpoint_section,
    "settings": settings_section,
    "connection": connection_section,
    "attempts": attempts_section,
    "transitions": transitions_section,
    "hellos": of_history(describe_hellos),
    "counters": counters_section,
    "faults": faults_section,
    "requests": requests_section,
    "questions": questions_section,
    "sessions": sessions_section,
    "trace": trace_section,
    "tasks": tasks_section,
    "listeners": listeners_section,
    "runs": runs_section,
    "announcements": announcements_section,
    "handoffs": handoffs_section,
    "started_tasks": started_tasks_section,
    "stores": stores_section,
    "event_loop": event_loop_section,
    "entities": entities_section,
    "home": home_section,
    "agent_questions": agent_questions_section,
    "node": node_section,
    "asked_by_assistants": asked_by_assistants_section,
    "first_words": first_words_section,
    "speech": speech_section,
    "media": media_section,
    "self_test": self_test_section,
}


def build_sections(source: DiagnosticsSource) -> dict[str, object]:
    """Build every section.

    A failed one holds the type of its error.
    """
    return {name: _build_section(section, source) for name, section in SECTIONS.items()}


def _build_section(section: Section, source: DiagnosticsSource) -> object:
    try:
        return to_json(section(source))
    except Exception as err:  # noqa: BLE001 - the other sections survive it
        return {"error": type(err).__name__}
