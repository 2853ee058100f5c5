"""Repair issues and their dialogs."""

from http import HTTPStatus
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_translations
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.clawd.const import DOMAIN

URL = "/api/repairs/issues/fix"

type Step = dict[str, Any]


class Repair:
    """The dialogue of an issue, one at a time."""

    def __init__(self, new_browser: ClientSessionGenerator) -> None:
        """Speak through a browser of its own."""
        self._new_browser = new_browser
        self._browser: TestClient[Any, Any] | None = None
        self._flow_id = ""

    async def open(self, entry: MockConfigEntry, issue: str, suffix: str = "") -> Step:
        """Open the dialogue of an issue and return its first step."""
        issue_id = f"{issue}_{entry.entry_id}{suffix}"
        step = await self._post(URL, {"handler": DOMAIN, "issue_id": issue_id})
        self._flow_id = step["flow_id"]
        return step

    async def submit(self, **answers: str) -> Step:
        """Select Submit and return the next step."""
        return await self._post(f"{URL}/{self._flow_id}", answers)

    async def _post(self, url: str, body: object) -> Step:
        self._browser = self._browser or await self._new_browser()
        response = await self._browser.post(url, json=body)
        assert response.status == HTTPStatus.OK
        return dict(await response.json())


def open_issues(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """Return the active issues by translation key."""
    return {
        str(issue.translation_key): issue
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue.active
    }


async def texts_of(hass: HomeAssistant, issue: ir.IssueEntry) -> str:
    """Return every text of an issue, filled in; a missing placeholder is an error."""
    texts = await async_get_translations(hass, "en", "issues", {DOMAIN})
    prefix = f"component.{DOMAIN}.issues.{issue.translation_key}."
    found = [text for key, text in texts.items() if key.startswith(prefix)]
    return "\n".join(found).format(**issue.translation_placeholders or {})
