"""Counts of a client that the self-test compares."""

from dataclasses import fields
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..gateway import GatewayClient

TASK_PREFIX: Final = "task "


def count_listeners(client: GatewayClient) -> dict[str, int]:
    """Count listeners by event."""
    listeners = client.introspection.listeners
    return {event: len(found) for event, found in listeners.items()}


def count_events(client: GatewayClient) -> dict[str, int]:
    """Count events of a client.

    Failed tasks count as `task run`.
    """
    statistics = client.statistics
    values = {f.name: getattr(statistics, f.name) for f in fields(statistics)}
    failures = client.introspection.task_failures
    return {
        **{name: value for name, value in values.items() if isinstance(value, int)},
        **{f"{TASK_PREFIX}{name}": count for name, count in failures.items()},
        "store_errors": client.introspection.store_errors.count,
    }
