"""Action `clawd.cancel_task`."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.core import SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..assist.errors import translated_error
from ..assist.stop import agent_of_task, async_cancel, raise_if_unstopped
from ..const import DOMAIN
from .common import async_require_agent_control

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse

    from ..coordinator import ClawdConfigEntry

SERVICE_CANCEL_TASK: Final = "cancel_task"
ATTR_TASK_ID: Final = "task_id"

SCHEMA: Final = vol.Schema({vol.Required(ATTR_TASK_ID): cv.string})


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the action."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_CANCEL_TASK,
        partial(_async_cancel_task, hass),
        SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def _async_cancel_task(hass: HomeAssistant, call: ServiceCall) -> ServiceResponse:
    """Cancel a task and stop its run.

    Raises:
        ServiceValidationError: no task with this id is at work.
        Unauthorized: the user may not control its agent.
        HomeAssistantError: something of it may go on.

    """
    task_id = call.data[ATTR_TASK_ID]
    entries: list[ClawdConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        if started := entry.runtime_data.started_tasks.get(task_id):
            await async_require_agent_control(hass, call, started.subentry_id)
            started.task.cancel()
            await asyncio.wait([started.task])
            if started.unstopped:
                raise translated_error(started.unstopped[0])
            return {"task_id": task_id}
    # Afterwards: another entry may be unloaded meanwhile.
    for entry in entries:
        if agent := agent_of_task(entry, task_id):
            await async_require_agent_control(hass, call, agent)
        if report := await async_cancel(hass, entry, task_id):
            raise_if_unstopped(report)
            return {"task_id": task_id}
    raise ServiceValidationError(
        translation_domain=DOMAIN, translation_key="no_such_task"
    )
