"""Image generation by an agent's tool."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..const import (
    CONF_AGENT,
    CONF_DEADLINE,
    DEFAULT_DEADLINE,
    LOGGER,
    TASK_SESSION_PREFIX,
)
from ..coordinator import async_create_background_task, find_runtime, get_runtime
from ..gateway import (
    GatewayConnectionError,
    GatewayError,
    MediaError,
    ModelUsage,
    RequestFailedError,
    TaskStatus,
    provider_message,
)
from .errors import translated_error
from .image_tasks import following_images
from .media_cache import MAX_FILE_SIZE
from .media_view import PICTURE_TYPES
from .requirements import async_ask_error, async_require_agent, async_require_hello
from .throwaway import CLEANUP_TASK, async_delete_later, throwaway_session

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant
    from homeassistant.exceptions import HomeAssistantError

    from ..coordinator import ClawdConfigEntry, ClawdCoordinator, ClawdRuntime
    from ..gateway import Artifact, Task

IMAGE_TOOL: Final = "image_generate"
# Code of the Gateway's error for a tool that is not there.
NO_TOOL: Final = "not_found"
# Seconds to wait for an image that cannot be cancelled.
MAX_LATENESS: Final = 600.0


@dataclass(frozen=True, slots=True)
class GeneratedImage:
    """Image made by a tool.

    Attributes:
        usage: of the agent's run that announced the image; that of the image model is
            not known.

    """

    mime_type: str
    content: bytes = field(repr=False)
    usage: ModelUsage


async def async_offers_images(entry: ClawdConfigEntry, agent: str) -> bool | None:
    """Return whether an agent can generate images.

    None if the Gateway did not say.
    """
    client = entry.runtime_data.client
    if client.hello is None or not client.hello.can_invoke_tools:
        return False
    # `tools.effective` takes only sessions that are there.
    key = f"agent:{agent.lower()}:{TASK_SESSION_PREFIX}tools"
    try:
        await client.tools.invoke(IMAGE_TOOL, {"action": "list"}, key)
    except GatewayError as err:
        LOGGER.debug("No image tool: %s", err.code)
        # The traceback would keep a lost connection alive.
        err.with_traceback(None)
        return False if err.code == NO_TOOL else None
    return True


async def async_generate_image(
    hass: HomeAssistant,
    coordinator: ClawdCoordinator,
    subentry: ConfigSubentry,
    prompt: str,
) -> GeneratedImage:
    """Return a new picture.

    The task at the Gateway is cancelled when the caller is, or when it takes longer
    than the timeout of the subentry.

    Raises:
        HomeAssistantError: no picture could be made.

    """
    entry = coordinator.config_entry
    try:
        await async_require_hello(entry)
        # The entry has none when it is unloaded meanwhile.
        runtime = entry.runtime_data
        await async_require_agent(runtime.coordinator, subentry)
        agent = subentry.data[CONF_AGENT]
        async with throwaway_session(hass, entry, agent) as key:
            timeout = subentry.data.get(CONF_DEADLINE, DEFAULT_DEADLINE)
            async with asyncio.timeout(timeout):
                await _async_make(hass, entry, key, prompt)
            artifact, content = await _async_fetch(hass, runtime, key)
            usage = await _async_fetch_usage(runtime, key, artifact)
            return GeneratedImage(artifact.mime_type, content, usage)
    except TimeoutError:
        raise translated_error("run_stopped") from None
    except MediaError as err:
        raise translated_error("image_failed") from err
    except GatewayConnectionError as err:
        raise translated_error("run_lost") from err
    except GatewayError as err:
        raise await async_ask_error(coordinator, subentry, err) from err


async def _async_make(
    hass: HomeAssistant, entry: ClawdConfigEntry, key: str, prompt: str
) -> None:
    """Start the task and wait for its end."""
    runtime = get_runtime(entry)
    # Before the request: the events of a fast task come with its response.
    with following_images(runtime, key) as tasks:
        task_id = await _async_start(runtime, key, prompt)
        try:
            task = await tasks.wait(task_id)
        except asyncio.CancelledError:
            # By the caller, or the timeout.
            ended = False
            with suppress(GatewayError):
                ended = await runtime.client.tasks.cancel(task_id)
            if not ended and find_runtime(entry) is runtime:
                late = _async_delete_late(hass, entry, key, task_id)
                async_create_background_task(hass, entry, late, CLEANUP_TASK)
            raise
    if task.status is not TaskStatus.COMPLETED:
        raise _failure(task)


async def _async_delete_late(
    hass: HomeAssistant, entry: ClawdConfigEntry, key: str, task_id: str
) -> None:
    """Delete the session of a task once the task has ended.

    OpenClaw makes the image all the same, and its agent tells of it in the session,
    which is there again.
    """
    with following_images(get_runtime(entry), key) as tasks:
        waiting = tasks.wait(task_id)
        with suppress(GatewayError, TimeoutError):
            await asyncio.wait_for(waiting, MAX_LATENESS)
    async_delete_later(hass, entry, (key,))


async def _async_start(runtime: ClawdRuntime, key: str, prompt: str) -> str:
    try:
        output = await runtime.client.tools.invoke(IMAGE_TOOL, {"prompt": prompt}, key)
    except RequestFailedError as err:
        if err.code == NO_TOOL:
            raise translated_error("image_tool_missing") from err
        raise
    match output.details:
        case {"taskId": str(task_id)}:
            return task_id
    raise translated_error("image_failed")


def _failure(task: Task) -> HomeAssistantError:
    if task.status is TaskStatus.CANCELLED:
        return translated_error("agent_aborted")
    if reason := provider_message(task.error):
        return translated_error("image_failed_because", reason=reason)
    return translated_error("image_failed")


async def _async_fetch(
    hass: HomeAssistant, runtime: ClawdRuntime, key: str
) -> tuple[Artifact, bytes]:
    """Download the picture of a session."""
    for artifact in await runtime.client.artifacts.list(key):
        # An SVG may hold scripts, and Home Assistant's media would show it.
        if artifact.mime_type in PICTURE_TYPES:
            media = await runtime.client.media.fetch_artifact(
                async_get_clientsession(hass), artifact.id, key, MAX_FILE_SIZE
            )
            # A sign-in page in front of the Gateway is an answer, too.
            if media.mime_type in PICTURE_TYPES:
                return artifact, media.content
    raise translated_error("image_failed")


async def _async_fetch_usage(
    runtime: ClawdRuntime, key: str, artifact: Artifact
) -> ModelUsage:
    """Return the usage of the run that announced an image."""
    # It ends before the task: image_generate:39254929-b189-…:ok:agent-loop
    with suppress(GatewayError):
        return await runtime.client.fetch_usage(key, artifact.run_id)
    return ModelUsage()
