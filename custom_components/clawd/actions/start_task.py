"""Action `clawd.start_task`."""

import asyncio
from functools import partial
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry
import voluptuous as vol

from ..assist.errors import log_unexpected, translated_error
from ..assist.generation import async_generate, max_duration
from ..const import DOMAIN, LOGGER
from ..coordinator import StartedTask, async_create_background_task
from ..device_automation.events import (
    AgentEvent,
    async_fire_agent_event,
    describe_results,
)
from ..error_mapping import action_error
from ..gateway import NotConnectedError
from ..util.drill_lock import drill_lock
from .common import (
    ATTR_AGENT,
    QUESTION,
    answer_response,
    async_get_agent,
    async_read_question,
)

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import ServiceResponse

    from ..assist.turns import Task
    from ..coordinator import ClawdConfigEntry

SERVICE_START_TASK: Final = "start_task"
ATTR_NAME: Final = "name"
EVENT_TASK_FINISHED: Final = f"{DOMAIN}_task_finished"
# Characters of a name, which the recorder stores.
MAX_NAME: Final = 255
# Tasks of a Gateway at a time; an automation that runs wild starts more.
MAX_TASKS: Final = 32
# Seconds before a task begins: even if it fails at once, the caller first gets the
# id and can wait for the event.
HEAD_START: Final = 0.1
# Seconds; an entry is unloaded within one.
STOP_TIMEOUT: Final = 0.5

SCHEMA: Final = vol.Schema(
    {**QUESTION, vol.Optional(ATTR_NAME): vol.All(cv.string, vol.Length(max=MAX_NAME))}
)


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the action."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_START_TASK,
        partial(_async_start_task, hass),
        SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def _async_start_task(hass: HomeAssistant, call: ServiceCall) -> ServiceResponse:
    """Start a task and return its id.

    Raises:
        ServiceValidationError: too many tasks are at work, or the Gateway is not
            loaded any more.
        HomeAssistantError: the Gateway is not connected.

    """
    entry, subentry = await async_get_agent(hass, call)
    # Fail before files are read; checked again below: others may start meanwhile.
    _require_room(entry)
    task = await async_read_question(hass, entry, subentry, call)
    # The entry may be unloaded while a camera takes a picture.
    async_get_config_entry(hass, DOMAIN, entry.entry_id)
    # Refuse without a connection, as `clawd.ask` does; a drill reconnects.
    if not (entry.runtime_data.client.hello or drill_lock(entry).drilling):
        raise action_error(NotConnectedError("the Gateway is not connected"))
    _require_room(entry)
    tasks = entry.runtime_data.started_tasks
    task_id = uuid4().hex
    deadline = time.monotonic() + HEAD_START + max_duration(subentry, task)
    started = async_create_background_task(
        hass,
        entry,
        _async_run_task(hass, entry, subentry, task, call, task_id),
        f"{DOMAIN} task",
    )
    LOGGER.debug("Task %s started", task_id)
    tasks[task_id] = StartedTask(
        started, deadline, subentry.subentry_id, task.unstopped
    )
    # The sensor of tasks counts them.
    update = entry.runtime_data.coordinator.async_update_listeners

    @callback
    def end(_: asyncio.Task[None]) -> None:
        tasks.pop(task_id, None)
        update()

    started.add_done_callback(end)
    update()
    return {"task_id": task_id}


def _require_room(entry: ClawdConfigEntry) -> None:
    count = len(entry.runtime_data.started_tasks)
    if count >= MAX_TASKS:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="too_many_tasks",
            translation_placeholders={"count": str(count)},
        )


async def _async_run_task(  # noqa: PLR0913, PLR0917 - what the event tells
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    task: Task,
    call: ServiceCall,
    task_id: str,
) -> None:
    """Run a task and fire its events.

    A cancelled task fires no event of the agent.
    """
    # Keep the runtime: a reload replaces the entry's.
    runtime = entry.runtime_data
    task_data = {"task_id": task_id, "name": call.data.get(ATTR_NAME)}
    event: dict[str, Any] = {**task_data, "agent": call.data[ATTR_AGENT]}
    end = AgentEvent.TASK_FAILED
    result: dict[str, Any] = {}
    try:
        await asyncio.sleep(HEAD_START)
        answer = await async_generate(hass, runtime.coordinator, subentry, task)
        event |= {"status": "completed", **answer_response(answer)}
        end = AgentEvent.TASK_FINISHED
        result = describe_results(*answer.results)
    except HomeAssistantError as err:
        event |= {"status": "failed", "error": str(err)}
    except asyncio.CancelledError:
        event["status"] = "cancelled"
        raise
    except Exception as err:  # noqa: BLE001 - automations wait for the event
        log_unexpected(err)
        error = translated_error("unexpected_error")
        event |= {"status": "failed", "error": str(error)}
    finally:
        LOGGER.debug("Task %s ended: %s", task_id, event.get("status"))
        runtime.count_task_end(task_id)
        hass.bus.async_fire(EVENT_TASK_FINISHED, event, context=call.context)
    data = {**task_data, **result}
    async_fire_agent_event(hass, entry, subentry, end, data, context=call.context)


async def async_cancel_all(entry: ClawdConfigEntry) -> None:
    """Cancel all tasks and stop their runs."""
    # Before the client disconnects: the runs would go on at the Gateway.
    if tasks := [s.task for s in entry.runtime_data.started_tasks.values()]:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=STOP_TIMEOUT)
