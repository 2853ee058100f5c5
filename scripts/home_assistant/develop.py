"""Home Assistant that restarts when the component changes."""

import argparse
import asyncio
from pathlib import Path
import sys

from .boot import hass_command
from .folder import COMPONENT, HOST, ROOT, prepare_folder
from .processes import SIGNALLED, child, until_signalled

POLL_INTERVAL = 1.0
RESTART_STATUS = 100

type Snapshot = frozenset[tuple[Path, int]]


def snapshot(folder: Path) -> Snapshot:
    """Return the modification times of source files."""
    return frozenset(
        (path, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


async def develop(folder: Path) -> int:
    """Run Home Assistant; return its exit status."""
    while True:
        async with child(hass_command(folder), folder) as process:
            status = await _ended_or_changed(process)
        if status is None:
            sys.stdout.write("\nThe component has changed: restarting\n")
        elif status != RESTART_STATUS:
            return status


async def _ended_or_changed(process: asyncio.subprocess.Process) -> int | None:
    """Return the exit status, None after a change."""
    before = snapshot(COMPONENT)
    while process.returncode is None:
        await asyncio.sleep(POLL_INTERVAL)
        if _changed_since(before):
            return None
    return process.returncode


def _changed_since(before: Snapshot) -> bool:
    """Return whether the component's files changed."""
    try:
        return snapshot(COMPONENT) != before
    except FileNotFoundError:  # removed between listing and stat
        return True


def main() -> int:
    """Run Home Assistant from the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/develop", description="Run Home Assistant with the component."
    )
    parser.add_argument("--config", type=Path, default=ROOT / "config")
    parser.add_argument("--port", type=int, default=8123)
    options = parser.parse_args()
    folder = options.config.resolve()
    prepare_folder(folder, options.port)
    sys.stdout.write(f"Home Assistant starts on http://{HOST}:{options.port}\n")
    sys.stdout.flush()
    status = asyncio.run(until_signalled(develop(folder)))
    return 0 if status > SIGNALLED else status


if __name__ == "__main__":
    sys.exit(main())
