"""Repair dialogs whose entry was removed meanwhile."""

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.issues.registry import Issue, async_create_issue

from .repair import Repair, open_issues

FIXABLE = [issue for issue in Issue if issue is not Issue.INSECURE_TRANSPORT]
ANSWERS = {"choose": {"home_access": "control"}, "allow": {"from_elsewhere": "read"}}


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize("issue", FIXABLE)
async def test_it_ends(
    hass: HomeAssistant, entry: MockConfigEntry, repair: Repair, issue: Issue
) -> None:
    async_create_issue(hass, entry, issue, {}, agent="main", mode="passive")
    step = await repair.open(entry, issue)
    assert step["type"] == "form"

    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    step = await repair.submit(**ANSWERS.get(step["step_id"], {}))

    assert step["type"] == "create_entry"
    assert open_issues(hass) == {}
