"""Child processes that end with the command."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
import ctypes
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
from typing import IO, Any

from .folder import HOST

# A real Gateway's own command gives it 10 s, and then kills it.
STOP_DEADLINE = 20.0
SIGNALLED = 128
_PR_SET_PDEATHSIG = 1
_NOT_FOR_CHILDREN = frozenset({"CLAWD_TOKEN", "PYTHONDONTWRITEBYTECODE"})
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def free_port() -> int:
    """Return a free loopback port."""
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
    return port


@asynccontextmanager
async def child(
    command: Sequence[str | Path],
    cwd: Path,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command in its own process group.

    The environment is added to this process's.
    """
    inherited = {k: v for k, v in os.environ.items() if k not in _NOT_FOR_CHILDREN}
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=inherited | dict(environment or {}),
        start_new_session=True,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )
    try:
        yield process
    finally:
        await _stop(process, Path(command[0]).name)


async def until_signalled(work: Coroutine[Any, Any, int]) -> int:
    """Run work that the first signal cancels.

    Return its result, or SIGNALLED plus the signal's number.
    """
    task = asyncio.ensure_future(work)
    received: list[int] = []

    def stop(number: int) -> None:
        if not received:  # later signals must not interrupt the cleanup
            task.cancel()
        received.append(number)

    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not received:
            raise
        return SIGNALLED + received[0]


async def _stop(process: asyncio.subprocess.Process, name: str) -> None:
    """Terminate a process, or kill its group."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_DEADLINE):
            await process.wait()
    except TimeoutError:
        sys.stderr.write(f"{name} did not end in {STOP_DEADLINE:.0f} s: killed\n")
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _end_with_parent() -> None:
    """Let the kernel terminate an orphan."""
    # A command that is killed cannot stop its children itself.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
