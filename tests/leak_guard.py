"""Leak checks of the tests."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import gc
import os
from pathlib import Path
import stat
import threading
from typing import Any

from hypothesis import given, strategies as st

from custom_components.clawd.selftest import detectors

SETTLING_STEPS = 20
# While something is left: the other end of a connection closes late on a busy machine.
MAX_STEPS = 2_000


@asynccontextmanager
async def no_leaks() -> AsyncGenerator[None]:
    """Fail if the body leaks resources.

    These are tasks, timers, sockets, threads and unhandled exceptions, unless they end
    within some iterations of the event loop.
    """
    loop = asyncio.get_running_loop()
    unhandled: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    tasks, timers, sockets = _other_tasks(), _timers(), open_sockets()
    threads = set(threading.enumerate())
    yield
    await loop.shutdown_default_executor()
    for step in range(MAX_STEPS):
        await asyncio.sleep(0)
        settled = _other_tasks() <= tasks and _timers() <= timers
        if step >= SETTLING_STEPS and settled and open_sockets() <= sockets:
            break
    gc.collect()
    assert not _other_tasks() - tasks, "a task was left behind"
    assert not (left := _timers() - timers), f"a timer was left behind: {left}"
    assert not open_sockets() - sockets, "a socket was left behind"
    assert not set(threading.enumerate()) - threads, "a thread was left behind"
    assert not unhandled, "an exception was not seen"


def leave_out_imports() -> None:
    """Exclude imported objects from later garbage collections."""
    _start_hypothesis()
    gc.collect()
    gc.freeze()


@given(st.none())
def _start_hypothesis(_: None) -> None:
    """Let Hypothesis create its random generator.

    Hypothesis looks for the owner of a generator, and does not find a frozen one.
    """


def _other_tasks() -> set[asyncio.Task[Any]]:
    """Return all tasks but the current one.

    A fixture's setup and teardown may run in different tasks.
    """
    return asyncio.all_tasks() - {asyncio.current_task()}


def _timers() -> set[asyncio.TimerHandle]:
    """Return the scheduled timers."""
    handles = detectors.scheduled_timers(asyncio.get_running_loop())
    assert handles is not None
    return {handle for handle in handles if not handle.cancelled()}


def open_sockets() -> set[tuple[int, int]]:
    """Return descriptor and inode of each open socket."""
    found = set()
    for descriptor in Path("/dev/fd").iterdir():
        try:
            status = os.fstat(int(descriptor.name))
        except OSError:
            continue
        if stat.S_ISSOCK(status.st_mode):
            found.add((int(descriptor.name), status.st_ino))
    return found
