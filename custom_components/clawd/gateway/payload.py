"""Values of payloads, which may be of any type."""

from typing import Any, TypeIs


def is_number(value: object) -> TypeIs[float]:
    """Return whether a value is a number, and no boolean."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def read_count(payload: dict[str, Any], key: str) -> int | None:
    """Return an integer; None if it is none."""
    value = payload.get(key)
    return value if type(value) is int else None


def read_mapping(payload: dict[str, Any], key: str) -> dict[str, Any]:
    """Return an object; an empty one if it is none."""
    value = payload.get(key)
    return value if isinstance(value, dict) else {}


def read_text(payload: dict[str, Any], key: str) -> str | None:
    """Return a string; None if it is none."""
    value = payload.get(key)
    return value if isinstance(value, str) else None


def read_seconds(payload: dict[str, Any], key: str) -> float | None:
    """Return milliseconds as seconds; None if they are no number."""
    value = payload.get(key)
    return value / 1000 if is_number(value) else None


def read_strings(payload: dict[str, Any], key: str) -> list[str]:
    """Return the strings of a list; none if it is none."""
    value = payload.get(key)
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, str)]
