"""Fixtures: a real Home Assistant."""

from collections.abc import AsyncIterator
import os

import pytest

from scripts.home_assistant import home
from scripts.home_assistant.api import HomeAssistantApi, connect_new_user
from scripts.home_assistant.boot import NEWEST, Installation, boot
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


@pytest.fixture
async def api() -> AsyncIterator[HomeAssistantApi]:
    """Run a fresh Home Assistant."""
    async with (
        boot(installation=installation(), configuration=home.CONFIGURATION) as running,
        connect_new_user(running.url) as (api, _),
    ):
        yield api
