"""The places in Home Assistant's frontend where a user meets the integration."""

import json
import re
from typing import Any

from playwright.async_api import Locator, Page, expect

TIMEOUT = 30_000


class Frontend:
    """What a user does and sees; selectors stand nowhere else."""

    def __init__(self, url: str, page: Page) -> None:
        """Look at a Home Assistant through a page."""
        self._url = url
        self._page = page
        self._flow = page.locator("dialog-data-entry-flow")
        self._entry = page.locator("ha-config-entry-row")

    async def onboard(self, username: str, password: str) -> None:
        """Create the first user and go on to the first page."""
        await self._go("/")
        await self._button("Create my smart home").click()
        form = self._page.locator("onboarding-create-user")
        for name, value in {
            "name": username.capitalize(),
            "username": username,
            "password": password,
            "password_confirm": password,
        }.items():
            await form.locator(f"input[name={name}]").fill(value)
        for button in ("Create account", "Next", "Finish"):
            await self._button(button).click()
        await self._see(self._page.locator("home-assistant"))

    async def choose_integration(self) -> None:
        """Open the form by which the integration is added."""
        await self._go("/config/integrations/dashboard")
        await self._button("Add integration").first.click()
        search = self._page.locator("dialog-add-integration ha-input-search input")
        await search.fill("openclaw")
        await self._page.locator("ha-integration-list-item").first.click()

    async def submit(self, **fields: str) -> None:
        """Fill in fields of a form and send it."""
        for name, value in fields.items():
            await self._flow.locator(f"input[name={name}]").last.fill(value)
        await self._button(re.compile("^Submit$")).last.click()

    async def choose(self, option: str) -> None:
        """Choose an option of a form by its text."""
        await self._flow.get_by_text(option, exact=True).first.click()

    async def expect_in_form(self, text: str) -> None:
        """Wait until a form says something."""
        await self._see(self._flow.get_by_text(text).last)

    async def finish(self) -> None:
        """Wait until a flow has done what it is for, and close its dialog."""
        await self._see(self._flow.locator("step-flow-create-entry").last)
        await self._button(re.compile("finish|Close")).last.click()

    async def open_integration(self) -> None:
        """Open the page of the integration."""
        await self._go("/config/integrations/integration/clawd")
        await self._see(self._entry.first)

    async def open_options(self) -> None:
        """Open the form of the entry's options."""
        await self.open_integration()
        await self._entry.get_by_role("button", name="Configure").first.click()

    async def remove_entry(self) -> None:
        """Remove the entry and confirm it."""
        await self._choose("delete")
        await self._button(re.compile("^Delete$")).last.click()
        await expect(self._entry).to_have_count(0, timeout=TIMEOUT)

    async def download_diagnostics(self) -> str:
        """Return what the downloaded file holds."""
        async with self._page.expect_download() as download:
            await self._choose("diagnostics")
        return (await (await download.value).path()).read_text("utf-8")

    async def open_repair(self, title: str) -> None:
        """Open the dialog of a repair, once there is one of this title."""
        await self._go("/config/repairs")
        await self._repair(title).click()

    async def expect_no_repair(self, title: str) -> None:
        """Wait until there is no repair of this title among the repairs."""
        await expect(self._repair(title)).to_have_count(0, timeout=TIMEOUT)

    async def ask(self, text: str) -> None:
        """Ask something in the dialog of Assist."""
        await self._go("/")
        await self._button(re.compile("^Assist")).first.click()
        dialog = self._page.locator("ha-voice-command-dialog")
        await dialog.locator("#message-input input").fill(text)
        await self._page.keyboard.press("Enter")

    async def expect_reply(self, text: str | re.Pattern[str]) -> None:
        """Wait until the last reply in Assist is just this text."""
        reply = self._page.locator(".message-container.hass ha-markdown-element").last
        await expect(reply).to_have_text(text, timeout=TIMEOUT)

    async def perform(self, action: str) -> str:
        """Perform an action in the tools; return what it answers."""
        await self._go(f"/config/tools/action?service={action}")
        await self._button("Perform action").click()
        response = self._page.locator(".cm-content").last
        await expect(response).to_contain_text("reports", timeout=TIMEOUT)
        return await response.inner_text()

    async def _choose(self, item: str) -> None:
        await self._entry.get_by_role("button", name="Menu").first.click()
        chosen = self._page.locator(f"ha-dropdown-item[value={item}]:visible")
        await chosen.first.click()

    def _repair(self, title: str) -> Locator:
        return self._page.locator("ha-config-repairs").get_by_text(title)

    def _button(self, name: str | re.Pattern[str]) -> Locator:
        return self._page.get_by_role("button", name=name)

    async def _go(self, path: str) -> None:
        await self._page.goto(self._url + path)

    async def _see(self, place: Locator) -> None:
        await expect(place).to_be_visible(timeout=TIMEOUT)


def data_of(diagnostics: str) -> dict[str, Any]:
    """Return the integration's part of downloaded diagnostics."""
    return dict(json.loads(diagnostics)["data"])
