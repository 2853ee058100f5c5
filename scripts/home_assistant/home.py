"""Home of the demo."""

import asyncio
from collections.abc import Callable
import json
from time import perf_counter
from typing import Any

from .api import HomeAssistantApi
from .journey import JourneyError, self_test
from .reply import Reply, ask

LIGHT = "light.kitchen_light"
LOCK = "lock.front_door"
CONFIGURATION = """\
input_boolean:
  bolt:
    initial: true
template:
  - light:
      - name: Kitchen light
        unique_id: kitchen_light
        turn_on: []
        turn_off: []
    lock:
      - name: Front door
        unique_id: front_door
        state: "{{ is_state('input_boolean.bolt', 'on') }}"
        lock:
          action: input_boolean.turn_on
          target: {entity_id: input_boolean.bolt}
        unlock:
          action: input_boolean.turn_off
          target: {entity_id: input_boolean.bolt}
"""
TURN_ON = {"action": "HassTurnOn", "name": "Kitchen light"}
UNLOCK = {"action": "HassTurnOff", "name": "Front door", "domain": ["lock"]}
POLL_INTERVAL = 0.3
TIMEOUT = 60.0

type Phrase = Callable[[str, dict[str, Any]], str]


def simulated_call(tool: str, arguments: dict[str, Any]) -> str:
    """Return a message that makes the simulated agent call a tool.

    It has no model, and repeats the result.
    """
    return f"node:{tool} {json.dumps(arguments)}"


async def use_home(
    api: HomeAssistantApi,
    entry_id: str,
    pipeline: str,
    write: Callable[[str], None],
    phrase: Phrase = simulated_call,
) -> dict[str, Any]:
    """Let the agent turn on a light, and unlock a door after a question.

    `phrase` returns the message that makes the agent call a tool.

    Raises:
        JourneyError: the home did not do what the agent said, or the agent not ask.
        TimeoutError: the Gateway did not take the tools.

    """
    started = perf_counter()
    await expose(api, LOCK)
    await wait_until_visible(api, entry_id)
    seconds = perf_counter() - started

    async def call(
        arguments: dict[str, Any], conversation_id: str | None = None
    ) -> Reply:
        message = phrase("home_control", arguments)
        write(f"  You:   {message}\n  Clawd: ")
        reply = await ask(api, pipeline, message, write, conversation_id)
        write("\n")
        return reply

    light = await call(TURN_ON)
    await _require(api, LIGHT, "on")
    asked = await call(UNLOCK)
    if "CONFIRMATION_REQUIRED" not in asked.text:
        raise JourneyError("the agent was not told to ask")
    await _require(api, LOCK, "locked")
    confirmed = await call(UNLOCK, asked.conversation_id)
    await _require(api, LOCK, "unlocked")
    return {
        "seconds_until_visible": round(seconds, 2),
        "light": light.as_dict(),
        "asked": asked.as_dict(),
        "confirmed": confirmed.as_dict(),
    }


async def expose(api: HomeAssistantApi, *entity_ids: str, exposed: bool = True) -> None:
    """Expose entities to the agents, or withdraw them."""
    # Lights are exposed by default, locks are not.
    await api.command(
        "homeassistant/expose_entity",
        assistants=["conversation"],
        entity_ids=[*entity_ids],
        should_expose=exposed,
    )


async def wait_until_visible(api: HomeAssistantApi, entry_id: str) -> None:
    """Wait until the agents of the Gateway see the tools."""
    async with asyncio.timeout(TIMEOUT):
        while True:
            report = await self_test(api, entry_id, "active", "home_visible")
            if report["checks"][0]["status"] == "pass":
                return
            await asyncio.sleep(POLL_INTERVAL)


async def _require(api: HomeAssistantApi, entity_id: str, state: str) -> None:
    found = (await api.get(f"states/{entity_id}"))["state"]
    if found != state:
        raise JourneyError(f"{entity_id} is {found}, not {state}")
