"""A real Home Assistant with a browser in front of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
import os
from pathlib import Path

from playwright.async_api import BrowserContext, Page, ViewportSize, async_playwright

from scripts.home_assistant.api import HomeAssistantApi, connect_new_user
from scripts.home_assistant.boot import boot

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
SKIPPED = ["core_config"]  # it looks up on the Internet where this machine is


@dataclass(frozen=True)
class Home:
    """A Home Assistant that runs, and a page of a browser that shows it."""

    url: str
    page: Page
    context: BrowserContext


@asynccontextmanager
async def open_home(folder: Path) -> AsyncIterator[Home]:
    """Run a Home Assistant without a user yet, and the browser $CHROMIUM.

    `scripts/test` finds one, or fetches it.
    """
    async with boot(skipped=SKIPPED) as running, async_playwright() as playwright:
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
    """Create the user without the onboarding, logged in to the frontend and the API."""
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
