"""Journey through real Home Assistants, with each protocol."""

import pytest

from scripts.home_assistant import home, journey
from scripts.home_assistant.api import HomeAssistantApi
from scripts.home_assistant.gateway import Gateway
from scripts.home_assistant.reply import ReplyError, ask
from scripts.home_assistant.report import passed
from tests.simulator import GatewaySimulator, Reply

ENTRY = "config_entries/get"
# Of what is not set up by default, or not after each start.
OPTIONAL = {"questions", "text_to_speech", "warm_up"}


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


async def test_the_flow_creates_an_assistant(api: HomeAssistantApi) -> None:
    async with GatewaySimulator(protocol=4) as gateway:
        config = Gateway(gateway.host, gateway.port, ssl=False, token=gateway.token)
        await journey.add_gateway(api, config.fields, print, "control", assistant=True)

        pipelines = (await api.command("assist_pipeline/pipeline/list"))["pipelines"]
        [assistant] = [item for item in pipelines if item["prefer_local_intents"]]
        assert assistant["conversation_engine"] == "conversation.main"

        pipeline = assistant["id"]
        # Home Assistant answers this one itself, and streams nothing.
        with pytest.raises(ReplyError):
            await ask(api, pipeline, "What time is it?", lambda _: None)
        assert not gateway.received("agent")
        gateway.script(Reply("Rather well."))
        reply = await ask(api, pipeline, "How are you feeling?", lambda _: None)
        assert reply.text == "Rather well."


async def test_agent_controls_the_home_and_asks_first(api: HomeAssistantApi) -> None:
    async with GatewaySimulator(protocol=4) as gateway:
        config = Gateway(gateway.host, gateway.port, ssl=False, token=gateway.token)
        entry = await journey.add_gateway(api, config.fields, print, "control")
        entry_id = entry["entry_id"]
        _, pipeline = await journey.create_assistant(api, entry_id)

        done = await home.use_home(api, entry_id, pipeline, print)

        assert "Front door" in done["asked"]["text"]
        [main] = await api.command(ENTRY, domain=journey.DOMAIN)
        assert main["state"] == "loaded"
        for mode in ("active", "drill"):
            report = await journey.self_test(api, entry_id, mode)
            assert passed(report), report
            skipped = {c["id"] for c in report["checks"] if c["status"] == "skip"}
            assert skipped == OPTIONAL
