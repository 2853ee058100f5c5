"""LLM APIs of Home Assistant."""

import asyncio
from importlib import import_module
import time
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import MAJOR_VERSION, MINOR_VERSION
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import intent, llm
import voluptuous as vol

from ..const import DOMAIN, LOGGER
from .settings import ADMIN_API

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Assistant of the exposure settings and of target matching.
ASSISTANT: Final = "conversation"
# Home Assistant 2026.10 has LLM platforms, annotations of tools, and typed results.
HAS_PLATFORMS: Final = (MAJOR_VERSION, MINOR_VERSION) >= (2026, 10)
# Maximum seconds of one slice of the event loop.
MAX_SLICE: Final = 0.002
# Platform whose tools come with a prompt of every exposed entity.
OVERVIEW_PLATFORM: Final = "homeassistant"
# Tools without annotations (before 2026.10) that change nothing.
READ_ONLY_TOOLS: Final = frozenset(
    {
        "GetDateTime",
        "GetLiveContext",
        "HassTimerStatus",
        "calendar_get_events",
        "todo_get_items",
    }
)


class LoopSlices:
    """Time slices that yield to the event loop."""

    def __init__(self) -> None:
        """Start a slice."""
        self._ends = time.perf_counter() + MAX_SLICE

    async def async_yield(self) -> None:
        """Yield if the slice is over."""
        if time.perf_counter() > self._ends:
            await asyncio.sleep(0)
            self._ends = time.perf_counter() + MAX_SLICE


def llm_context(
    hass: HomeAssistant,
    context: Context | None = None,
    language: str | None = None,
    device_id: str | None = None,
) -> llm.LLMContext:
    """Return the LLM context of a call."""
    return llm.LLMContext(
        platform=DOMAIN,
        context=context,
        language=language or hass.config.language,
        assistant=ASSISTANT,
        device_id=device_id,
    )


def available_apis(hass: HomeAssistant, api_ids: Iterable[str]) -> Iterator[llm.API]:
    """Yield the registered APIs, without admin ones."""
    registered = {api.id: api for api in llm.async_get_apis(hass)}
    for api_id in api_ids:
        api = registered.get(api_id)
        # Home Assistant 2026.11 marks APIs that only admins may use.
        if api and api_id != ADMIN_API and not getattr(api, "requires_admin", False):
            yield api


def api_names(hass: HomeAssistant) -> dict[str, str]:
    """Return the available APIs by id."""
    ids = [api.id for api in llm.async_get_apis(hass)]
    return {api.id: api.name for api in available_apis(hass, ids)}


async def async_get_instances(
    hass: HomeAssistant, api_ids: Iterable[str], context: llm.LLMContext
) -> list[llm.APIInstance]:
    """Return the instances of some APIs.

    A failing one is left out.
    """
    instances = []
    for api in available_apis(hass, api_ids):
        try:
            instances.append(await _async_get_instance(hass, api, context))
        except Exception as err:  # noqa: BLE001 - other integrations raise anything
            LOGGER.debug("LLM API left out: %s", type(err).__name__)
    return instances


async def async_get_prompt(
    hass: HomeAssistant, api_ids: Iterable[str], context: llm.LLMContext
) -> str:
    """Return the prompt of some APIs.

    Empty if one of them fails.
    """
    ids = [api.id for api in available_apis(hass, api_ids)]
    if not ids:
        return ""
    try:
        return (await llm.async_get_api(hass, ids, context)).api_prompt
    except Exception as err:  # noqa: BLE001 - other integrations raise anything
        LOGGER.debug("No prompt of the LLM APIs: %s", type(err).__name__)
        return ""


async def _async_get_instance(
    hass: HomeAssistant, api: llm.API, context: llm.LLMContext
) -> llm.APIInstance:
    """Return the instance of an API.

    The prompt of Assist is left out: with 2,000 exposed entities, Home Assistant
    takes 70 ms for it and 3 ms for everything else.
    """
    if HAS_PLATFORMS and api.id == llm.LLM_API_ASSIST:
        return llm.APIInstance(
            api=api,
            api_prompt="",
            llm_context=context,
            tools=await _async_get_assist_tools(hass, context),
            custom_serializer=llm.selector_serializer,
        )
    return await llm.async_get_api(hass, api.id, context)


async def _async_get_assist_tools(
    hass: HomeAssistant, context: llm.LLMContext
) -> list[llm.Tool]:
    """Return the tools of Assist.

    As `homeassistant.components.llm` does.
    """
    # New in Home Assistant 2026.10.
    from homeassistant.components.homeassistant import llm as overview  # noqa: PLC0415
    from homeassistant.components.llm import DATA_PLATFORMS  # noqa: PLC0415

    tools: list[llm.Tool] = []
    slices = LoopSlices()
    for domain, platform in sorted(
        (await hass.data[DATA_PLATFORMS].async_get_platforms()).items()
    ):
        if domain == OVERVIEW_PLATFORM:
            tools.append(overview.GetLiveContextTool())
        elif found := platform.async_get_tools(hass, context, llm.LLM_API_ASSIST):
            tools.extend(found.tools)
        await slices.async_yield()
    return tools


def is_read_only(tool: llm.Tool) -> bool:
    """Return whether a tool is read-only."""
    if HAS_PLATFORMS:
        return tool.annotations.read_only
    # A script may have any name, even one of these.
    return tool.name in READ_ONLY_TOOLS and not isinstance(tool, llm.ActionTool)


def is_additive(tool: llm.Tool) -> bool:
    """Return whether a tool is not destructive."""
    return HAS_PLATFORMS and not tool.annotations.destructive


def intent_type(tool: llm.Tool) -> str | None:
    """Return the intent of a tool, if any."""
    if not isinstance(tool, llm.IntentTool):
        return None
    return tool.intent_type if HAS_PLATFORMS else tool.name


def intent_handler(hass: HomeAssistant, name: str) -> intent.IntentHandler | None:
    """Return the handler of an intent."""
    handlers = {handler.intent_type: handler for handler in intent.async_get(hass)}
    return handlers.get(name)


def result_data(result: object) -> object:
    """Return the data of a result.

    An error of a tool is data, too.
    """
    # Home Assistant before 2026.10 returns the bare data.
    return getattr(result, "data", result)


def parameter_schema(tool: llm.Tool, instance: llm.APIInstance) -> Mapping[str, Any]:
    """Return the JSON schema of the parameters.

    Home Assistant's converters raise any exception for a schema they cannot express.
    """
    if HAS_PLATFORMS:
        import probatio  # noqa: PLC0415 - new in 2026.10

        schema = probatio.to_openapi(
            tool.parameters,
            custom_serializer=instance.custom_serializer,
            openapi_version="3.1.0",
        )
    else:
        # Home Assistant's converter until 2026.9.
        schema = import_module("voluptuous_openapi").convert(
            tool.parameters, custom_serializer=instance.custom_serializer
        )
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise vol.Invalid("the parameters are no object")
    return schema
