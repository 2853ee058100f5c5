"""Usage in conversation traces."""

from typing import TYPE_CHECKING

from homeassistant.components.conversation import (
    ConversationTraceEventType,
    async_conversation_trace_append,
)
from homeassistant.core import callback

if TYPE_CHECKING:
    from ..gateway import ModelUsage, RunResult, Usage


def usage_response(usage: Usage) -> dict[str, int | float | None]:
    """Return tokens and cost for a response.

    None if unknown.
    """
    return {
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write,
        "total_tokens": usage.total,
        "cost": usage.cost,
    }


@callback
def async_trace_usage(
    result: RunResult | ModelUsage, usage: Usage | None = None
) -> None:
    """Add tokens, cost and model to a trace.

    Unknown values are left out. `usage` is the sum of several runs, `result` the last
    one. The names are those of Home Assistant's own integrations.
    """
    told = usage or result.usage
    stats = {
        "input_tokens": told.input,
        "cached_input_tokens": told.cache_read,
        "output_tokens": told.output,
        "cost": told.cost,
    }
    known = {name: value for name, value in stats.items() if value is not None}
    if known:
        async_conversation_trace_append(
            ConversationTraceEventType.AGENT_DETAIL,
            {"stats": known, "model": model_ref(result)},
        )


def model_ref(result: RunResult | ModelUsage) -> str | None:
    """Return provider and model of a run, as far as they are known."""
    if not (result.provider and result.model):
        return result.model
    return f"{result.provider}/{result.model}"
