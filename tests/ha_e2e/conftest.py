"""Fixtures: a real Home Assistant, and a real OpenClaw."""

from collections.abc import AsyncIterator, Iterator
import os

import pytest

from scripts.home_assistant import home
from scripts.home_assistant.api import HomeAssistantApi, connect_new_user
from scripts.home_assistant.boot import NEWEST, Installation, boot
from scripts.home_assistant.folder import ROOT
from tests.gateway_e2e.clients import serve_ready_gateway
from tests.gateway_e2e.gateways import Gateway

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


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    """Run OpenClaw, which makes images, for the homes of all tests in turn."""
    # A start takes half a minute on a busy machine, and so does the first run.
    with serve_ready_gateway(4, images=True) as gateway:
        yield gateway
