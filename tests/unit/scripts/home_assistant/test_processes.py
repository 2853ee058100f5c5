"""Processes and signals of the demo."""

import asyncio
import os
from pathlib import Path
import signal
from subprocess import PIPE
import sys

import pytest

from scripts.home_assistant.processes import SIGNALLED, child, until_signalled

WAITING = [sys.executable, "-c", "import signal; signal.pause()"]
IGNORE_TERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
UNSTOPPABLE = [
    sys.executable,
    "-c",
    f"{IGNORE_TERM}; print('ready', flush=True); signal.pause()",
]
ENVIRONMENT = [sys.executable, "-c", "import os; print(*os.environ)"]


async def test_child_ends_with_context(tmp_path: Path) -> None:
    async with child(WAITING, tmp_path) as process:
        assert process.returncode is None
    assert process.returncode == -signal.SIGTERM


async def test_child_ends_with_failed_context(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        async with child(WAITING, tmp_path) as process:
            raise ConnectionError
    assert process.returncode == -signal.SIGTERM


async def test_child_is_killed_when_stop_is_cancelled(tmp_path: Path) -> None:
    stopped = []

    async def stop_unstoppable_child() -> None:
        async with (
            asyncio.timeout(None) as deadline,
            child(UNSTOPPABLE, tmp_path, PIPE) as process,
        ):
            stopped.append(process)
            assert process.stdout is not None
            await process.stdout.readline()
            deadline.reschedule(0)

    with pytest.raises(TimeoutError):
        await stop_unstoppable_child()
    assert stopped[0].returncode == -signal.SIGKILL


async def test_child_does_not_inherit_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAWD_TOKEN", "secret")
    async with child(ENVIRONMENT, tmp_path, PIPE) as process:
        assert process.stdout is not None
        names = (await process.stdout.read()).decode().split()
    assert "PATH" in names
    assert "CLAWD_TOKEN" not in names


async def test_exit_status_is_returned() -> None:
    async def work() -> int:
        return 3

    assert await until_signalled(work()) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_signals_cancel_once(number: signal.Signals) -> None:
    cleaned = []
    own = os.getpid()

    async def work() -> int:
        seen = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, seen.set)
        try:
            os.kill(own, number)
            await asyncio.Event().wait()
        finally:
            os.kill(own, number)
            os.kill(own, signal.SIGUSR1)
            await seen.wait()
            cleaned.append(True)
        return 0

    assert await until_signalled(work()) == SIGNALLED + number
    assert cleaned == [True]
