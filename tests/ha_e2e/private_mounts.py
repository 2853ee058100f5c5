"""Private mounts for one Home Assistant.

Read-only mounts stop root, too; permissions of files do not.
"""

import asyncio
from asyncio.subprocess import DEVNULL
from pathlib import Path
from shutil import which
import subprocess

from scripts.home_assistant.boot import RunningHomeAssistant

UNSHARE = ("unshare", "--map-root-user", "--mount")


def can_mount() -> bool:
    """Return whether this system allows private mounts."""
    if not (which("unshare") and which("nsenter")):
        return False
    tried = subprocess.run([*UNSHARE, "true"], check=False, stderr=DEVNULL)
    return tried.returncode == 0


def storage_of(folder: Path) -> Path:
    """Return the storage in a config folder."""
    return folder / ".storage"


def run_with_own_storage_mount(folder: Path) -> list[str]:
    """Return a command with a private storage mount."""
    storage = str(storage_of(folder))
    script = 'mount --bind "$0" "$0" && exec "$@"'
    return [*UNSHARE, "sh", "-c", script, storage]


async def remount_storage(running: RunningHomeAssistant, mode: str) -> None:
    """Mount the storage `ro` or `rw`."""
    process = await asyncio.create_subprocess_exec(
        *("nsenter", "--target", str(running.process.pid)),
        *("--user", "--mount", "--preserve-credentials"),
        *("mount", "-o", f"remount,bind,{mode}", storage_of(running.folder)),
    )
    assert await process.wait() == 0
