"""Subentry flow and stored settings of AI tasks."""

from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntryState,
    ConfigSubentryData,
    SubentryFlowContext,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.flows.ai_task import new_ai_task

from .ai_tasks import TASK

SETTINGS = {"agent_tools": True, "deadline": 60}


@pytest.fixture
def stored() -> dict[str, Any]:
    """Return stored settings besides the defaults."""
    return {"agent": "kitchen", "thinking": "low"}


@pytest.fixture
def more_subentries(stored: dict[str, Any]) -> list[ConfigSubentryData]:
    """Add an AI task."""
    task = new_ai_task("main", "main")
    return [{**task, "data": {**task["data"], **stored}}]


async def start(
    hass: HomeAssistant, entry: MockConfigEntry, subentry_id: str | None = None
) -> dict[str, Any]:
    """Start the flow of an AI task."""
    context = SubentryFlowContext(source=SOURCE_USER)
    if subentry_id:
        context = SubentryFlowContext(
            source=SOURCE_RECONFIGURE, subentry_id=subentry_id
        )
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "ai_task_data"), context=context
    )
    return dict(result)


async def submit(
    hass: HomeAssistant, form: dict[str, Any], **answers: object
) -> dict[str, Any]:
    """Submit a form."""
    flows = hass.config_entries.subentries
    result = await flows.async_configure(form["flow_id"], answers)
    await hass.async_block_till_done()
    return dict(result)


def names(form: dict[str, Any]) -> set[str]:
    """Return the fields of a form."""
    return {str(name) for name in form["data_schema"].schema}


async def test_an_ai_task_is_added_with_its_entity(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    form = await start(hass, entry)
    assert names(form) == {"agent", "model"}
    form = await submit(hass, form, agent="kitchen")
    assert names(form) == {"agent_tools", "thinking", "deadline"}
    result = await submit(hass, form, **SETTINGS, thinking="high")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    [*_, subentry] = entry.subentries.values()
    assert subentry.title == "Chef AI task"
    assert subentry.data == {"agent": "kitchen", "thinking": "high", **SETTINGS}
    assert hass.states.get("ai_task.chef_ai_task")


async def test_the_defaults_are_those_of_the_first_one(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    form = await submit(hass, await start(hass, entry), agent="main")
    assert names(form) == {"agent_tools", "deadline"}
    await submit(hass, form)
    [*_, subentry] = entry.subentries.values()
    assert subentry.data == new_ai_task("main", "main")["data"]


@pytest.mark.parametrize("agent", ["kitchen", "main"])
async def test_an_ai_task_is_reconfigured(
    hass: HomeAssistant, entry: MockConfigEntry, agent: str
) -> None:
    [*_, subentry_id] = entry.subentries
    form = await submit(hass, await start(hass, entry, subentry_id), agent=agent)
    # The agent without this level must not be suggested it.
    suggested = [
        marker.description["suggested_value"]
        for marker in form["data_schema"].schema
        if str(marker) == "thinking"
    ]
    assert suggested == (["low"] if agent == "kitchen" else [])
    result = await submit(hass, form, **SETTINGS)

    assert result["reason"] == "reconfigure_successful"
    subentry = entry.subentries[subentry_id]
    assert subentry.data == {"agent": agent, **SETTINGS}
    assert subentry.title == ("main AI task")


@pytest.mark.parametrize(
    "stored",
    [
        {"agent_tools": "yes", "deadline": "soon", "thinking": 5.5, "model": None},
        {"agent": 7, "deadline": 60.0},
    ],
)
async def test_settings_that_were_edited_by_hand_are_repaired(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    assert new_entry.state is ConfigEntryState.LOADED
    [*_, subentry] = new_entry.subentries.values()
    assert subentry.data["agent_tools"] is False
    assert subentry.data["deadline"] in (60, 600)
    assert subentry.data["agent"] in ("main", "7")
    assert hass.states.get(TASK)


async def test_a_subentry_of_a_later_version_is_kept(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    [*_, subentry] = new_entry.subentries.values()
    object.__setattr__(subentry, "subentry_type", "later")
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    assert subentry.data["thinking"] == "low"
    assert hass.states.get(TASK) is None
