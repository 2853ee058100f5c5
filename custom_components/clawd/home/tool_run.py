"""Run of a tool of Home Assistant, and its result."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import intent, llm
from homeassistant.helpers.json import json_dumps
import voluptuous as vol

from ..gateway import NodeCallError
from .apis import result_data
from .arguments import INVALID_ARGUMENTS, MAX_ERROR
from .text import one_line

if TYPE_CHECKING:
    from .statistics import HomeStatistics
    from .tools import HomeTool

FAILED: Final = "FAILED"
# OpenClaw cuts results after 64,000 characters.
MAX_RESULT: Final = 60_000


async def async_run_tool(
    statistics: HomeStatistics, tool: HomeTool, arguments: dict[str, Any]
) -> str:
    """Run a tool and return its result.

    Raises:
        NodeCallError: it failed, or its result is too long.

    """
    call = llm.ToolInput(tool_name=tool.name, tool_args=arguments)
    try:
        result = await tool.instance.async_call_tool(call)
        text = json_dumps({"home_data": result_data(result)})
    except intent.MatchFailedError as err:
        reason = err.result.no_match_reason
        raise NodeCallError(
            FAILED,
            "No exposed entity matches "
            f"({reason.name.lower() if reason else 'unknown'}).",
        ) from err
    except vol.Invalid as err:
        raise NodeCallError(INVALID_ARGUMENTS, one_line(str(err), MAX_ERROR)) from err
    except HomeAssistantError as err:
        raise NodeCallError(FAILED, one_line(str(err), MAX_ERROR)) from err
    except Exception as err:
        statistics.exceptions[type(err).__name__] += 1
        raise NodeCallError(
            FAILED, "The tool failed in Home Assistant. Its log may say why."
        ) from err
    if len(text) <= MAX_RESULT:
        return text
    if tool.read_only:
        raise NodeCallError(
            FAILED, "The result is too long. Ask for less: by name, area or domain."
        )
    return json_dumps({"home_data": "done; the result is too long to show"})
