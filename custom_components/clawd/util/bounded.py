"""Dicts of bounded size."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import OrderedDict


def remember[K, V](kept: OrderedDict[K, V], key: K, value: V, max_size: int) -> None:
    """Set a key as the newest one, and forget the oldest."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > max_size:
        kept.popitem(last=False)
