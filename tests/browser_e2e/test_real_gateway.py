"""User journey with a real OpenClaw; requires the option --real."""

import asyncio
from collections.abc import AsyncIterator
import re

import pytest

from custom_components.clawd.gateway import Endpoint, RunRequest
from scripts.home_assistant.api import HomeAssistantApi
from scripts.home_assistant.journey import DOMAIN, create_assistant
from tests.gateway_e2e.clients import client_at, new_credentials, running
from tests.gateway_e2e.gateways import Gateway, serve_gateway

from .frontend import Frontend, integration_data

# Only the round trip may fail: it depends on the machine's speed.
FAST_OR_SLOW = re.compile(
    r"\bfail: 0\b|\bfail: 1\b.*\bid: round_trip\s+status: fail\b", re.DOTALL
)


@pytest.fixture
async def openclaw() -> AsyncIterator[Gateway]:
    """Run OpenClaw; its first run may take half a minute."""
    serving = serve_gateway(4)
    gateway = await asyncio.to_thread(serving.__enter__)
    endpoint = Endpoint("127.0.0.1", gateway.port)
    async with running(client_at(endpoint, new_credentials(gateway.token))) as client:
        run = await client.start_run(RunRequest("Wake up.", "agent:main:first"))
        await run.result()
    yield gateway
    await asyncio.to_thread(serving.__exit__, None, None, None)


async def test_setup_conversation_self_test_and_diagnostics(
    api: HomeAssistantApi, frontend: Frontend, openclaw: Gateway
) -> None:
    await frontend.choose_integration()
    await frontend.submit(address=openclaw.url, token=openclaw.token)
    await frontend.finish()
    [entry] = await api.command("config_entries/get", domain=DOMAIN)
    await create_assistant(api, entry["entry_id"])

    await frontend.ask("count 25 every 200")
    await frontend.expect_reply(re.compile(r"^0 1 2\b(?!.*\b24\b)"))
    await frontend.expect_reply(" ".join(map(str, range(25))))

    await frontend.open_action({"action": "clawd.self_test"})
    report = await frontend.perform()
    assert "liveness: pass" in report
    assert FAST_OR_SLOW.search(report)

    await frontend.open_integration()
    text = await frontend.download_diagnostics()
    assert integration_data(text)["connection"]["state"] == "connected"
    assert openclaw.token not in text
    assert "count 25" not in text
