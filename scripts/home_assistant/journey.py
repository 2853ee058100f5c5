"""Steps of a new user."""

import asyncio
from collections.abc import Callable
import os
from tempfile import mkstemp
from typing import Any

from .api import HomeAssistantApi

DOMAIN = "clawd"
POLL_INTERVAL = 0.5
PIPELINE_KEYS = (
    "stt_engine",
    "stt_language",
    "tts_engine",
    "tts_language",
    "tts_voice",
    "wake_word_entity",
    "wake_word_id",
)


class JourneyError(Exception):
    """A step had an unexpected result."""


async def add_gateway(
    api: HomeAssistantApi,
    fields: dict[str, str],
    on_wait: Callable[[str], None],
    access: str = "none",
    *,
    assistant: bool = False,
) -> dict[str, Any]:
    """Complete the config flow; return the loaded entry.

    If the Gateway requires approval of the device, say so and wait for it. `access` is
    what the agent may do in the home: `none`, `read` or `control`. The flow's assistant
    tries Home Assistant's own commands first; it is created on request only.
    """
    flow = await api.post("config/config_entries/flow", {"handler": DOMAIN})
    path = f"config/config_entries/flow/{flow['flow_id']}"
    result = await api.post(path, fields)
    if result["type"] == "progress":
        on_wait(await _explain(api, result))
    while result["type"] == "progress":
        await asyncio.sleep(POLL_INTERVAL)
        result = await api.get(path)
    if result["type"] == "form" and result["step_id"] == "home":
        result = await api.post(path, {"home_access": access})
    if result["type"] == "form" and result["step_id"] == "assistant":
        result = await api.post(path, {"create_assistant": assistant})
    if result["type"] != "create_entry":
        raise JourneyError(await _explain(api, result))
    entry: dict[str, Any] = result["result"]
    if entry["state"] != "loaded":
        raise JourneyError(f"the entry is {entry['state']}: {entry['reason']}")
    return entry


async def create_assistant(api: HomeAssistantApi, entry_id: str) -> tuple[str, str]:
    """Create the preferred assistant with the agent.

    Return the agent's entity id and the pipeline's id.
    """
    agent = await _conversation_entity(api, entry_id)
    pipeline = await api.command(
        "assist_pipeline/pipeline/create",
        name="Clawd",
        language="en",
        conversation_engine=agent,
        conversation_language="en",
        **dict.fromkeys(PIPELINE_KEYS),
    )
    pipeline_id: str = pipeline["id"]
    await api.command("assist_pipeline/pipeline/set_preferred", pipeline_id=pipeline_id)
    return agent, pipeline_id


async def self_test(
    api: HomeAssistantApi, entry_id: str, mode: str = "active", *checks: str
) -> dict[str, Any]:
    """Run the self-test, or some checks; return its report."""
    fields: dict[str, Any] = {"config_entry": entry_id, "mode": mode}
    if checks:
        fields["checks"] = checks
    answer = await api.post(f"services/{DOMAIN}/self_test?return_response", fields)
    report: dict[str, Any] = answer["service_response"]["reports"][0]
    return report


async def save_diagnostics(api: HomeAssistantApi, entry_id: str) -> tuple[str, int]:
    """Save the diagnostics privately; return path and size."""
    body = await api.download(f"diagnostics/config_entry/{entry_id}")
    descriptor, path = mkstemp(prefix="clawd-diagnostics-", suffix=".json")
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
    return path, len(body)


async def _conversation_entity(api: HomeAssistantApi, entry_id: str) -> str:
    for entity in await api.command("config/entity_registry/list"):
        entity_id: str = entity["entity_id"]
        domain = entity_id.partition(".")[0]
        if entity["config_entry_id"] == entry_id and domain == "conversation":
            return entity_id
    raise JourneyError("the entry has no conversation entity")


async def _explain(api: HomeAssistantApi, result: dict[str, Any]) -> str:
    """Describe a flow without an entry in English."""
    answer = await api.command(
        "frontend/get_translations",
        language="en",
        category="config",
        integration=[DOMAIN],
    )
    texts = answer["resources"]
    placeholders = result.get("description_placeholders") or {}
    keys = _translation_keys(result)
    sentences = [texts.get(f"component.{DOMAIN}.config.{key}", key) for key in keys]
    return " ".join(sentences).format(**placeholders)


def _translation_keys(result: dict[str, Any]) -> list[str]:
    match result["type"]:
        case "abort":
            return [f"abort.{result['reason']}"]
        case "progress":
            return [f"progress.{result['progress_action']}"]
        case _:
            errors = result["errors"] or {}
            description = f"step.{result['step_id']}.description"
            return [f"error.{error}" for error in errors.values()] or [description]
