"""Self-test of a running entry; `async_run` is its only door."""

from .runner import async_run, is_running

__all__ = ["async_run", "is_running"]
