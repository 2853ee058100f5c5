"""Counters, requests and tasks of the client."""

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from .source import DiagnosticsSource, of_client, of_history
from .values import MAX_NAMES, shorten

if TYPE_CHECKING:
    from ..gateway import ClientHistory, GatewayClient

MAX_LINES: Final = 40


@of_history
def counters_section(history: ClientHistory) -> object:
    """Return the counters of the client."""
    statistics = history.statistics
    values = {
        field.name: getattr(statistics, field.name) for field in fields(statistics)
    }
    return {
        **{name: value for name, value in values.items() if isinstance(value, int)},
        "closes": {f"{by} {code}": n for (by, code), n in statistics.closes.items()},
        "store_errors": statistics.store_errors.count,
    }


@of_history
def faults_section(history: ClientHistory) -> object:
    """Return the failures of this integration."""
    statistics, failure = history.statistics, history.failure
    return {
        "store": statistics.store_errors.last,
        "tasks": dict(statistics.task_failures),
        "exception": failure.text.splitlines()[-MAX_LINES:] if failure else None,
    }


def requests_section(source: DiagnosticsSource) -> object:
    """Return counts of requests, and those that are open."""
    statistics, client = source.history.statistics, source.client
    return {
        "ended": {
            f"{name} {outcome}": n for (name, outcome), n in statistics.outcomes.items()
        },
        "errors": {
            f"{shorten(name)} {shorten(code)}": n
            for (name, code), n in statistics.errors.items()
        },
        "open": [
            request.method
            for request in (client.introspection.pending[:MAX_NAMES] if client else ())
        ],
    }


@of_history
def trace_section(history: ClientHistory) -> object:
    """Return the last frames, without their content."""
    return [
        {
            "at": round(frame.at, 3),
            "direction": frame.direction,
            "kind": frame.kind,
            "name": shorten(frame.name),
            "bytes": frame.size,
        }
        for frame in history.statistics.trace
    ]


@of_client
def tasks_section(client: GatewayClient) -> object:
    """Return the names of the client's tasks."""
    return [
        shorten(name)
        for name in sorted(client.introspection.tasks.values())[:MAX_NAMES]
    ]


@of_client
def listeners_section(client: GatewayClient) -> object:
    """Return the number of listeners by event."""
    return {
        shorten(event): len(found)
        for event, found in client.introspection.listeners.items()
    }
