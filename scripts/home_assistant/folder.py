"""Config folder with the component."""

from collections.abc import Sequence
import json
from pathlib import Path
from shutil import unpack_archive
from typing import Any

ROOT = Path(__file__).parents[2]
COMPONENT = ROOT / "custom_components" / "clawd"
HOST = "127.0.0.1"
ALL_BUT_THE_USER = ("core_config", "analytics", "integration")
CONFIGURATION = """\
frontend:
config:
my:
recorder:
history:
logbook:
conversation:
assist_pipeline:
diagnostics:
system_health:
repairs:
zeroconf:
logger:
  default: warning
  logs:
    custom_components.clawd: info
    haffmpeg: critical
    homeassistant.components.camera.img_util: critical
"""
HTTP = """\
http:
  server_host: {host}
  server_port: {port}
"""


def prepare_folder(
    folder: Path,
    port: int,
    package: Path | None = None,
    *,
    http_in_yaml: bool = False,
) -> None:
    """Create or complete a config folder.

    The component is the repository's, or a package unpacked as HACS does. The port is
    in the storage, or in configuration.yaml for an older Home Assistant.
    """
    installed = folder / "custom_components" / COMPONENT.name
    installed.parent.mkdir(parents=True, exist_ok=True)
    if package:
        unpack_archive(package, installed)
    else:
        installed.unlink(missing_ok=True)
        installed.symlink_to(COMPONENT)
    configuration = folder / "configuration.yaml"
    if not configuration.exists():
        configuration.write_text(CONFIGURATION)
        if http_in_yaml:
            with configuration.open("a") as file:
                file.write(HTTP.format(host=HOST, port=port))
    if not http_in_yaml:
        _store(folder, "http", version=3, data=_http(port))


def skip_onboarding_steps(
    folder: Path, steps: Sequence[str] = ALL_BUT_THE_USER
) -> None:
    """Mark steps of the onboarding as done."""
    _store(folder, "onboarding", version=4, data={"done": list(steps)})


def _store(folder: Path, key: str, *, version: int, data: dict[str, Any]) -> None:
    storage = folder / ".storage"
    storage.mkdir(exist_ok=True)
    envelope = {"version": version, "minor_version": 1, "key": key, "data": data}
    (storage / key).write_text(json.dumps(envelope))


def _http(port: int) -> dict[str, Any]:
    stable = {
        "server_port": port,
        "server_host": [HOST],
        "cors_allowed_origins": ["https://cast.home-assistant.io"],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": "2026-01-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    return {"stable": stable, "pending": None, "yaml_migration_done": True}
