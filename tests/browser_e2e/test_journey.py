"""User journeys in a browser."""

import re
from typing import Any

import pytest

from scripts.home_assistant.api import HomeAssistantApi
from scripts.home_assistant.journey import DOMAIN
from tests.simulator import GatewaySimulator, Pause, Reply

from .frontend import Frontend, integration_data

ENTRIES = "config_entries/get"
newest_protocol = pytest.mark.parametrize("gateway", [4], indirect=True)


async def test_new_user_reaches_setup_form(
    frontend: Frontend,
) -> None:
    await frontend.onboard("demo", "a long password")
    await frontend.choose_integration()
    await frontend.expect_in_form("Connect Home Assistant to an OpenClaw Gateway")


@newest_protocol
async def test_integration_is_added_with_valid_token(
    api: HomeAssistantApi, frontend: Frontend, gateway: GatewaySimulator
) -> None:
    await frontend.choose_integration()
    await frontend.submit(
        address=f"http://{gateway.host}:{gateway.port}/chat", token="wrong"
    )
    await frontend.expect_in_form("The Gateway rejected the token.")
    assert not await api.command(ENTRIES, domain=DOMAIN)
    await frontend.submit(token=gateway.token)
    await frontend.expect_in_form("need a confirmation by a person")
    await frontend.submit()
    await frontend.expect_in_form("An assistant makes main available in Assist")
    await frontend.submit()
    await frontend.finish()
    pipelines = (await api.command("assist_pipeline/pipeline/list"))["pipelines"]
    assert "conversation.main" in [item["conversation_engine"] for item in pipelines]
    [entry] = await api.command(ENTRIES, domain=DOMAIN)
    assert entry["state"] == "loaded"


@pytest.mark.usefixtures("entry")
async def test_reply_is_streamed_to_assist(
    frontend: Frontend, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("The light is on. "), Pause(), Reply("Anything else?"))
    await frontend.ask("What about the light?")
    await gateway.wait_paused()
    await frontend.expect_reply(re.compile(r"^The.*…\s*$"))
    gateway.proceed()
    await frontend.expect_reply("The light is on. Anything else?")


@newest_protocol
@pytest.mark.usefixtures("entry")
async def test_self_test_action_reports_pass(
    frontend: Frontend, pytestconfig: pytest.Config
) -> None:
    await frontend.open_action({"action": "clawd.self_test"})
    report = await frontend.perform()
    if pictures := pytestconfig.getoption("--pictures"):
        await frontend.picture_page(pictures / "self-test.png", 960)
    assert "status: pass" in report
    assert "status: fail" not in report


@newest_protocol
@pytest.mark.usefixtures("entry")
async def test_diagnostics_show_state_without_secrets(
    frontend: Frontend, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("canary-reply"))
    await frontend.ask("canary-question")
    await frontend.expect_reply("canary-reply")
    await frontend.open_integration()
    text = await frontend.download_diagnostics()
    assert integration_data(text)["connection"]["state"] == "connected"
    for secret in (gateway.token, "canary-reply", "canary-question"):
        assert secret not in text


@newest_protocol
@pytest.mark.usefixtures("entry")
async def test_repair_flow_waits_for_approval(
    frontend: Frontend, gateway: GatewaySimulator, pytestconfig: pytest.Config
) -> None:
    gateway.pairing = True
    gateway.devices.approved.clear()
    gateway.drop()
    await frontend.open_repair("is waiting for approval")
    await frontend.expect_in_form("openclaw devices approve")
    if pictures := pytestconfig.getoption("--pictures"):
        await frontend.picture_page(pictures / "repair.png", 860)
    await frontend.submit()
    await frontend.expect_in_form("Not approved yet.")
    [request_id] = gateway.devices.pending
    await frontend.expect_in_form(request_id)
    gateway.approve(request_id)
    await frontend.submit()
    await frontend.finish()
    await frontend.expect_no_repair("is waiting for approval")
    assert gateway.connections


@newest_protocol
async def test_option_is_saved(
    api: HomeAssistantApi, frontend: Frontend, entry: dict[str, Any]
) -> None:
    await frontend.open_options()
    await frontend.choose_option("Only on request")
    await frontend.submit()
    await frontend.finish()
    diagnostics = f"diagnostics/config_entry/{entry['entry_id']}"
    settings = integration_data((await api.download(diagnostics)).decode())["settings"]
    assert settings["options"]["self_test_schedule"] == "off"


@newest_protocol
async def test_removing_entry_removes_entities(
    api: HomeAssistantApi, frontend: Frontend, entry: dict[str, Any]
) -> None:
    await frontend.open_integration()
    await frontend.remove_entry()
    assert not await api.command(ENTRIES, domain=DOMAIN)
    entities = await api.command("config/entity_registry/list")
    assert not [e for e in entities if e["config_entry_id"] == entry["entry_id"]]
