"""Questions of the Ollama agent to OpenClaw."""

from typing import Any

import pytest

from scripts.benchmarks.ollama import add_ollama
from scripts.home_assistant import journey
from scripts.home_assistant.api import HomeAssistantApi, connect_new_user
from scripts.home_assistant.boot import boot
from scripts.home_assistant.folder import ROOT
from tests.gateway_e2e.gateways import serve_gateway

from .installations import installation
from .resident import agents_of
from .small_model import ASK, SmallModel
from .waiting import until

# Two programs start, and three entries are set up.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

# Seconds of a reload on a busy machine.
RELOAD = 150.0
# The requirement of Home Assistant's integration; `scripts/setup bench .cache/ollama`
# makes it, as scripts/test does.
OLLAMA = ROOT / ".cache" / "ollama"


async def say(api: HomeAssistantApi, agent: str, text: str) -> str:
    """Talk to an agent."""
    message = {"text": text, "language": "en", "agent_id": agent}
    answer = await api.post("conversation/process", message)
    return str(answer["response"]["speech"]["plain"]["speech"])


async def offer(api: HomeAssistantApi, entry_id: str) -> None:
    """Offer the agent of an entry to other assistants."""
    subentries = await api.command("config_entries/subentries/list", entry_id=entry_id)
    [agent] = [one for one in subentries if one["subentry_type"] == "conversation"]
    path = "config/config_entries/subentries/flow"
    start = {
        "handler": [entry_id, "conversation"],
        "subentry_id": agent["subentry_id"],
    }
    flow = await api.post(path, start)
    path = f"{path}/{flow['flow_id']}"
    await api.post(path, {"agent": "main"})
    settings: dict[str, Any] = {
        "session_scope": "device_or_user",
        "home": {},
        "voice": {},
        "advanced": {"offer_to_agents": True},
    }
    changed = await api.post(path, settings)
    assert changed["reason"] == "reconfigure_successful", changed


async def test_a_small_model_hands_a_hard_question_on() -> None:
    [packages] = OLLAMA.glob("lib/python3*/site-packages")
    environment = {"PYTHONPATH": str(packages)}
    model = SmallModel((), 0.0)
    with serve_gateway(4) as gateway:
        async with (
            model.listening(),
            boot(environment, installation=installation()) as running,
            connect_new_user(running.url) as (api, _),
        ):
            fields = {"address": gateway.url, "token": gateway.token}
            entry = await journey.add_gateway(api, fields, print, "control")
            other = await add_ollama(api, model.url, llm_hass_api=["assist"])
            # Its entry reloads with the agent.
            agents = await until(lambda: agents_of(api, other), bool, RELOAD)
            [ollama] = agents.values()

            text = "say Because of Rayleigh."
            refused = await say(api, ollama, text)
            assert "not found" in refused
            assert ASK not in model.offered[0]

            await offer(api, entry["entry_id"])
            # Our entry reloads with the setting.
            told = await until(
                lambda: say(api, ollama, text),
                lambda told: "not found" not in told,
                RELOAD,
            )
            assert "Because of Rayleigh." in told
            assert ASK in model.offered[-1]
            log = (running.folder / "console.log").read_text()
            assert "Traceback" not in log
            assert "clawd' provides" not in log
