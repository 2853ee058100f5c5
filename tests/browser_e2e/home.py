"""A real Home Assistant with a browser in front of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
import os
from pathlib import Path
import secrets
import shutil

from playwright.async_api import BrowserContext, Page, ViewportSize, async_playwright

from scripts.home_assistant.api import HomeAssistantApi, connect, create_user
from scripts.home_assistant.boot import boot

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
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


@dataclass(frozen=True)
class Home:
    """A Home Assistant that runs, its API and a page of its frontend."""

    url: str
    api: HomeAssistantApi
    page: Page
    context: BrowserContext


def chromium() -> str:
    """Return the browser of this machine: $CHROMIUM, or one on the path."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)))
    return str(found)


@asynccontextmanager
async def open_home(folder: Path) -> AsyncIterator[Home]:
    """Run a fresh Home Assistant, and a browser in which its user is logged in."""
    async with boot() as running, async_playwright() as playwright:
        token = await create_user(running.url, "demo", secrets.token_urlsafe(9))
        async with connect(running.url, token) as api:
            await api.wait_until_running()
            context = await playwright.chromium.launch_persistent_context(
                folder / "profile",
                executable_path=chromium(),
                args=FLAGS,
                viewport=VIEWPORT,
            )
            context.set_default_timeout(TIMEOUT)
            await context.add_init_script(_log_in(running.url, token))
            yield Home(running.url, api, await context.new_page(), context)
            await context.close()


def _log_in(url: str, token: str) -> str:
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
