"""Installations of Home Assistant."""

import os

from scripts.home_assistant.boot import NEWEST, Installation
from scripts.home_assistant.folder import ROOT

VERSIONS = {
    "2026.3.1": Installation(
        ROOT / ".cache" / "ha-2026.3.1" / "bin" / "hass", http_in_yaml=True
    ),
    "2026.11.0": NEWEST,
}


def installation() -> Installation:
    """Return the chosen Home Assistant."""
    return VERSIONS[os.environ.get("CLAWD_HA", "2026.11.0")]
