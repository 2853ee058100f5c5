"""Self-test of a running entry."""

from .report import async_find_suspects
from .runner import async_run, is_running

__all__ = ["async_find_suspects", "async_run", "is_running"]
