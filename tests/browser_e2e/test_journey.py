"""What a user does with the integration in a browser."""

import re
from typing import Any

import pytest

from scripts.home_assistant.api import HomeAssistantApi
from scripts.home_assistant.journey import DOMAIN
from tests.simulator import GatewaySimulator, Pause, Reply

from .frontend import Frontend, data_of

ENTRIES = "config_entries/get"
newest = pytest.mark.parametrize("gateway", [4], indirect=True)


async def test_a_new_user_gets_from_the_onboarding_to_the_form(
    frontend: Frontend,
) -> None:
    await frontend.onboard("demo", "a long password")
    await frontend.choose_integration()
    await frontend.expect_in_form("Connect Home Assistant to an OpenClaw Gateway")


@newest
async def test_the_integration_is_added_once_the_token_is_right(
    api: HomeAssistantApi, frontend: Frontend, gateway: GatewaySimulator
) -> None:
    await frontend.choose_integration()
    await frontend.submit(
        address=f"http://{gateway.host}:{gateway.port}/chat", token="wrong"
    )
    await frontend.expect_in_form("The Gateway rejected the token.")
    assert not await api.command(ENTRIES, domain=DOMAIN)
    await frontend.submit(token=gateway.token)
    await frontend.finish()
    [entry] = await api.command(ENTRIES, domain=DOMAIN)
    assert entry["state"] == "loaded"


@pytest.mark.usefixtures("entry")
async def test_a_reply_is_shown_as_it_streams(
    frontend: Frontend, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("The light is on. "), Pause(), Reply("Anything else?"))
    await frontend.ask("What about the light?")
    await gateway.wait_paused()
    await frontend.expect_reply(re.compile(r"^The.*…\s*$"))
    gateway.proceed()
    await frontend.expect_reply("The light is on. Anything else?")


@newest
@pytest.mark.usefixtures("entry")
async def test_the_self_test_reports_in_the_tools(frontend: Frontend) -> None:
    report = await frontend.perform("clawd.self_test")
    assert "status: pass" in report
    assert "status: fail" not in report


@newest
@pytest.mark.usefixtures("entry")
async def test_the_diagnostics_hold_what_a_maintainer_needs_and_no_secret(
    frontend: Frontend, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("canary-reply"))
    await frontend.ask("canary-question")
    await frontend.expect_reply("canary-reply")
    await frontend.open_integration()
    text = await frontend.download_diagnostics()
    assert data_of(text)["connection"]["state"] == "connected"
    for secret in (gateway.token, "canary-reply", "canary-question"):
        assert secret not in text


@newest
@pytest.mark.usefixtures("entry")
async def test_a_repair_asks_for_approval_until_there_is_one(
    frontend: Frontend, gateway: GatewaySimulator
) -> None:
    gateway.pairing = True
    gateway.devices.approved.clear()
    gateway.drop()
    await frontend.open_repair("is waiting for approval")
    await frontend.submit()
    await frontend.expect_in_form("Not approved yet.")
    [request_id] = gateway.devices.pending
    await frontend.expect_in_form(request_id)
    gateway.approve(request_id)
    await frontend.submit()
    await frontend.finish()
    await frontend.expect_no_repair("is waiting for approval")
    assert gateway.connections


@newest
async def test_an_option_is_kept(
    api: HomeAssistantApi, frontend: Frontend, entry: dict[str, Any]
) -> None:
    await frontend.open_options()
    await frontend.choose("Only on request")
    await frontend.submit()
    await frontend.finish()
    diagnostics = f"diagnostics/config_entry/{entry['entry_id']}"
    settings = data_of((await api.download(diagnostics)).decode())["settings"]
    assert settings["options"]["self_test_schedule"] == "off"


@newest
async def test_what_is_removed_is_gone(
    api: HomeAssistantApi, frontend: Frontend, entry: dict[str, Any]
) -> None:
    await frontend.open_integration()
    await frontend.remove_entry()
    assert not await api.command(ENTRIES, domain=DOMAIN)
    entities = await api.command("config/entity_registry/list")
    assert not [e for e in entities if e["config_entry_id"] == entry["entry_id"]]
