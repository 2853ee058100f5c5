"""Home Assistant process with a browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
import os
from pathlib import Path

from playwright.async_api import BrowserContext, Page, ViewportSize, async_playwright

from scripts.home_assistant.api import HomeAssistantApi, connect_new_user
from scripts.home_assistant.boot import boot
from scripts.home_assistant.home import CONFIGURATION

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWPORT: ViewportSize = {"width": 1280, "height": 860}
TIMEOUT = 30_000
SKIPPED_STEPS = ["core_config"]  # looks up the location on the Internet


@dataclass(frozen=True)
class Home:
    """Running Home Assistant and a browser page."""

    url: str
    page: Page
    context: BrowserContext


@asynccontextmanager
async def open_home(folder: Path) -> AsyncIterator[Home]:
    """Run Home Assistant, without a user, and the browser $CHROMIUM.

    `scripts/test` finds a browser, or downloads it.
    """
    async with (
        boot(skipped=SKIPPED_STEPS, configuration=CONFIGURATION) as running,
        async_playwright() as playwright,
    ):
        context = await playwright.chromium.launch_persistent_context(
            folder / "profile",
            executable_path=os.environ["CHROMIUM"],
            args=FLAGS,
            viewport=VIEWPORT,
        )
        context.set_default_timeout(TIMEOUT)
        yield Home(running.url, await context.new_page(), context)
        await context.close()


@asynccontextmanager
async def log_in(home: Home) -> AsyncIterator[HomeAssistantApi]:
    """Create the user; log in frontend and API."""
    async with connect_new_user(home.url) as (api, token):
        client = {"client_id": f"{home.url}/", "redirect_uri": f"{home.url}/"}
        await api.post("onboarding/analytics", {})
        await api.post("onboarding/integration", client)
        await home.context.add_init_script(_keep_login(home.url, token))
        yield api


def _keep_login(url: str, token: str) -> str:
    tokens = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 1800,
        "hassUrl": url,
        "clientId": f"{url}/",
        "expires": 4_102_444_800_000,
        "refresh_token": "",
    }
    return f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(tokens))})"
