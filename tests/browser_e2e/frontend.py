"""Page object of Home Assistant's frontend."""

import json
from pathlib import Path
import re
from typing import Any

from homeassistant.util.yaml import dump
from playwright.async_api import Locator, Page, expect

# Milliseconds, also on a busy machine.
TIMEOUT = 60_000
# An agent may take long on a busy machine.
RUN_TIMEOUT = 90_000


class Frontend:
    """Actions and expectations of a user; all selectors are here."""

    def __init__(self, url: str, page: Page) -> None:
        """Use a page of a Home Assistant."""
        self._url = url
        self._page = page
        self._flow = page.locator("dialog-data-entry-flow")
        self._entry = page.locator("ha-config-entry-row")
        self._assist = page.locator("ha-voice-command-dialog")
        self._tools = page.locator("tools-action")
        self._inputs = page.locator("blueprint-automation-editor ha-settings-row")

    async def onboard(self, username: str, password: str) -> None:
        """Complete the onboarding with a new user."""
        await self._open("/")
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
        await self._expect_visible(self._page.locator("home-assistant"))

    async def choose_integration(self) -> None:
        """Open the integration's setup form."""
        await self._open("/config/integrations/dashboard")
        await self._button("Add integration").first.click()
        search = self._page.locator("dialog-add-integration ha-input-search input")
        await search.fill("openclaw")
        await self._page.locator("ha-integration-list-item").first.click()

    async def submit(self, **fields: str) -> None:
        """Fill in fields of a form and submit it."""
        for name, value in fields.items():
            await self._flow.locator(f"input[name={name}]").last.fill(value)
        await self._button(re.compile("^Submit$")).last.click()

    async def choose_option(self, option: str) -> None:
        """Choose a form option by its text."""
        await self._flow.get_by_text(option, exact=True).first.click()

    async def expect_in_form(self, text: str) -> None:
        """Wait until a form shows a text."""
        await self._expect_visible(self._flow.get_by_text(text).last)

    async def finish(self) -> None:
        """Wait for a completed flow and close its dialog."""
        await self._expect_visible(self._flow.locator("step-flow-create-entry").last)
        await self._button(re.compile("finish|Close")).last.click()

    async def open_integration(self) -> None:
        """Open the integration's page."""
        await self._open("/config/integrations/integration/clawd")
        await self._expect_visible(self._entry.first)

    async def expect_agents(self, *names: str) -> None:
        """Wait until the integration's page shows agents and their devices."""
        for name in names:
            shown = self._page.get_by_text(name, exact=True)
            await self._expect_visible(shown.nth(1))

    async def open_device(self, device_id: str, shown: str) -> None:
        """Open a device's page and wait until it shows a text."""
        await self._open(f"/config/devices/device/{device_id}")
        await self._expect_visible(self._page.get_by_text(shown).first)

    async def open_options(self) -> None:
        """Open the entry's options form."""
        await self.open_integration()
        await self._entry.get_by_role("button", name="Configure").first.click()

    async def remove_entry(self) -> None:
        """Remove the entry and confirm."""
        await self._choose_menu_item("delete")
        await self._button(re.compile("^Delete$")).last.click()
        await expect(self._entry).to_have_count(0, timeout=TIMEOUT)

    async def download_diagnostics(self) -> str:
        """Download the diagnostics and return their text."""
        async with self._page.expect_download() as download:
            await self._choose_menu_item("diagnostics")
        return (await (await download.value).path()).read_text("utf-8")

    async def open_repair(self, title: str) -> None:
        """Wait for a repair with a title and open it."""
        await self._open("/config/repairs")
        await self._repair(title).click()

    async def expect_no_repair(self, title: str) -> None:
        """Wait until no repair has a title."""
        await expect(self._repair(title)).to_have_count(0, timeout=TIMEOUT)

    async def ask(self, text: str) -> None:
        """Open the Assist dialog and send a message."""
        await self._open("/")
        await self._button(re.compile("^Assist")).first.click()
        await self.say(text)

    async def say(self, text: str) -> None:
        """Send a message in the open Assist dialog."""
        await self._assist.locator("#message-input input").fill(text)
        await self._page.keyboard.press("Enter")

    async def expect_note_without_control(self, *, shown: bool) -> None:
        """Wait until the Assist dialog says that it cannot control the home, or not."""
        note = self._assist.get_by_text("This assistant cannot control your home.")
        await expect(note).to_have_count(int(shown), timeout=TIMEOUT)

    async def picture_assist(self, path: Path) -> None:
        """Save a picture of the Assist dialog."""
        await self._assist.locator("dialog").first.screenshot(path=path)

    async def expect_reply(self, text: str | re.Pattern[str]) -> None:
        """Wait until the last Assist reply equals a text."""
        await expect(self._reply).to_have_text(text, timeout=TIMEOUT)

    async def expect_in_reply(self, text: str) -> None:
        """Wait until the last Assist reply contains a text."""
        await expect(self._reply).to_contain_text(text, timeout=TIMEOUT)

    async def picture_size(self) -> tuple[int, int]:
        """Wait for a picture in the last Assist reply; return its size in pixels."""
        picture = self._reply.locator("img")
        await self._expect_visible(picture)
        await picture.evaluate("image => image.decode()")
        width, height = await picture.evaluate("i => [i.naturalWidth, i.naturalHeight]")
        return width, height

    async def download_link(self, name: str) -> tuple[str, bytes]:
        """Follow a link in the last Assist reply; return the downloaded file."""
        async with self._page.expect_download() as downloading:
            await self._reply.get_by_role("link", name=name).click()
        download = await downloading.value
        path = await download.path()
        return download.suggested_filename, path.read_bytes()

    async def open_action(self, action: dict[str, Any]) -> None:
        """Fill in an action in the developer tools, as YAML."""
        await self._open("/config/tools/action")
        await self._button("YAML mode").click()
        await self._tools.locator(".cm-content").first.fill(dump(action))

    async def expect_fields(self, fields: list[tuple[str, str]]) -> None:
        """Change to the form, and wait until it shows fields: names, descriptions."""
        await self._button("UI mode").click()
        rows = self._tools.locator("ha-service-control ha-settings-row")
        # Rendered Markdown.
        texts = [
            re.compile(rf"{re.escape(name)}\s*{re.escape(text.replace('`', ''))}")
            for name, text in fields
        ]
        await expect(rows).to_have_text(texts, timeout=TIMEOUT)
        selectors = rows.locator("ha-selector > #selector")
        await expect(selectors).to_have_count(len(fields), timeout=TIMEOUT)

    async def perform(self) -> str:
        """Perform the action in the developer tools; return its response."""
        await self._button("Perform action").click()
        response = self._tools.locator(".response .cm-content")
        await expect(response).to_be_visible(timeout=RUN_TIMEOUT)
        return await response.inner_text()

    async def perform_in_vain(self) -> str:
        """Perform an action that fails in the developer tools; return its error."""
        await self._button("Perform action").click()
        error = self._tools.locator("ha-alert[alert-type=error]")
        await self._expect_visible(error)
        return await error.inner_text()

    async def picture_page(self, path: Path, height: int) -> None:
        """Save a picture of a page of this height."""
        await self._page.set_viewport_size({"width": 1280, "height": height})
        await self._page.screenshot(path=path)

    async def import_blueprint(self, url: str, name: str) -> None:
        """Import a blueprint from a page."""
        await self._open("/config/blueprint/dashboard")
        await self._button("Import blueprint").first.click()
        dialog = self._page.locator("ha-dialog-import-blueprint")
        await dialog.locator("input").first.fill(url)
        await dialog.get_by_role("button", name="Preview").click()
        # Its name is in the shown YAML, too.
        await self._expect_visible(dialog.locator("b").filter(has_text=name))
        await dialog.get_by_role("button", name="Import blueprint").click()
        await self._expect_visible(self._blueprint(name))

    async def open_blueprint(self, name: str) -> None:
        """Open the form of a new automation from a blueprint."""
        await self._blueprint(name).click()
        await self._expect_visible(self._inputs.first)

    async def choose_input(self, name: str, entity: str) -> None:
        """Choose an entity for an input of the blueprint."""
        title = self._page.get_by_text(name, exact=True)
        await self._inputs.filter(has=title).get_by_role("button").first.click()
        picker = self._page.locator("ha-picker-combo-box:visible")
        await picker.locator("input").fill(entity)
        option = picker.locator("ha-list-item-option").filter(has_text=entity)
        await option.first.click()

    async def save_automation(self) -> None:
        """Save the new automation."""
        await self._button("Save").click()
        await self._expect_visible(self._page.get_by_text("Traces", exact=True))

    async def _choose_menu_item(self, item: str) -> None:
        await self._entry.get_by_role("button", name="Menu").first.click()
        chosen = self._page.locator(f"ha-dropdown-item[value={item}]:visible")
        await chosen.first.click()

    @property
    def _reply(self) -> Locator:
        return self._page.locator(".message-container.hass ha-markdown-element").last

    def _blueprint(self, name: str) -> Locator:
        return self._page.locator("button.row-button").filter(has_text=name)

    def _repair(self, title: str) -> Locator:
        return self._page.locator("ha-config-repairs").get_by_text(title)

    def _button(self, name: str | re.Pattern[str]) -> Locator:
        return self._page.get_by_role("button", name=name)

    async def _open(self, path: str) -> None:
        await self._page.goto(self._url + path)

    async def _expect_visible(self, element: Locator) -> None:
        await expect(element).to_be_visible(timeout=TIMEOUT)


def integration_data(diagnostics: str) -> dict[str, Any]:
    """Return the integration's data of downloaded diagnostics."""
    return dict(json.loads(diagnostics)["data"])
