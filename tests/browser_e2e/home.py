"""Home Assistant process with a browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
import os
from pathlib import Path

from playwright.async_api import BrowserContext, Page, ViewportSize, async_playwright
import pytest

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
TIMEOUT = 60_000
ARTIFACTS = Path(".cache/browser_e2e")
REPORTS = pytest.StashKey[pytest.TestReport]()
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
        open_browser(folder) as context,
    ):
        yield Home(running.url, await context.new_page(), context)


@asynccontextmanager
async def open_browser(folder: Path) -> AsyncIterator[BrowserContext]:
    """Run the browser with a profile in a folder."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folder / "profile",
            executable_path=os.environ["CHROMIUM"],
            args=FLAGS,
            viewport=VIEWPORT,
        )
        context.set_default_timeout(TIMEOUT)
        yield context
        await context.close()


async def keep_screenshot(home: Home, node: pytest.Item) -> Path | None:
    """Keep a screenshot of a test that failed; return its folder."""
    report = node.stash.get(REPORTS, None)
    if report is not None and not report.failed:
        return None
    artifacts = ARTIFACTS / node.name
    await home.page.screenshot(path=artifacts / "page.png")
    print(f"artifacts are in {artifacts}")
    return artifacts


@asynccontextmanager
async def log_in(home: Home) -> AsyncIterator[HomeAssistantApi]:
    """Create the user; log in frontend and API."""
    async with connect_new_user(home.url) as (api, token):
        client = {"client_id": f"{home.url}/", "redirect_uri": f"{home.url}/"}
        await api.post("onboarding/analytics", {})
        await api.post("onboarding/integration", client)
        await keep_login(home, token)
        yield api


async def keep_login(home: Home, token: str) -> None:
    """Log in the frontend."""
    await home.context.add_init_script(_login_script(home.url, token))


def _login_script(url: str, token: str) -> str:
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
