"""Events of the integration that were captured."""

from typing import Any

from homeassistant.core import Event


def types(events: list[Event[Any]]) -> list[str]:
    """Return the types of events."""
    return [event.data["type"] for event in events]
