"""Journey through real Home Assistants, with each protocol."""

from collections.abc import AsyncIterator
import os

import pytest

from scripts.home_assistant import journey
from scripts.home_assistant.api import HomeAssistantApi, connect_new_user
from scripts.home_assistant.boot import NEWEST, Installation, boot
from scripts.home_assistant.folder import ROOT
from scripts.home_assistant.gateway import Gateway
from scripts.home_assistant.reply import ask
from scripts.home_assistant.report import passed
from tests.simulator import GatewaySimulator, Reply

VERSIONS = {
    "2026.3.1": Installation(
        ROOT / ".cache" / "ha-2026.3.1" / "bin" / "hass", http_in_yaml=True
    ),
    "2026.11.0": NEWEST,
}
ENTRY = "config_entries/get"


def installation() -> Installation:
    """Return the chosen Home Assistant."""
    return VERSIONS[os.environ.get("CLAWD_HA", "2026.11.0")]


@pytest.fixture
async def api() -> AsyncIterator[HomeAssistantApi]:
    """Run a fresh Home Assistant."""
    async with (
        boot(installation=installation()) as running,
        connect_new_user(running.url) as (api, _),
    ):
        yield api


@pytest.mark.parametrize("protocol", [3, 4])
async def test_setup_conversation_self_test_and_unload(
    api: HomeAssistantApi, protocol: int
) -> None:
    async with GatewaySimulator(protocol=protocol) as gateway:
        config = Gateway(gateway.host, gateway.port, ssl=False, token=gateway.token)
        entry = await journey.add_gateway(api, config.fields, print)
        entry_id = entry["entry_id"]
        _, pipeline = await journey.create_assistant(api, entry_id)

        gateway.script(Reply("It is on."))
        deltas: list[str] = []
        reply = await ask(api, pipeline, "Is it on?", deltas.append)
        assert (reply.text, "".join(deltas)) == ("It is on.", "It is on.")

        assert passed(await journey.self_test(api, entry_id))

        diagnostics = await api.download(f"diagnostics/config_entry/{entry_id}")
        assert b'"connected"' in diagnostics
        assert gateway.token.encode() not in diagnostics

        disable = {"entry_id": entry_id, "disabled_by": "user"}
        await api.command("config_entries/disable", **disable)
        [unloaded] = await api.command(ENTRY, domain=journey.DOMAIN)
        assert unloaded["state"] == "not_loaded"
        assert not gateway.connections
