"""Optional scope of questions."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.agent_questions import get_agent_questions
from custom_components.clawd.const import CONF_ASK_QUESTIONS, DOMAIN
from custom_components.clawd.gateway import Endpoint, ScopeStatus
from custom_components.clawd.storage import DeviceTokenStore
from tests.simulator import GatewaySimulator

from .asking import approve, set_up_asking, wait_for_scopes
from .repair import Repair
from .self_test import problems, run_self_test

SCOPES = ["operator.read", "operator.write"]


def issue_of(
    hass: HomeAssistant, entry: MockConfigEntry, name: str
) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{name}_{entry.entry_id}")


async def test_the_owner_approves(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await set_up_asking(hass, new_entry)
    await wait_for_scopes(gateway, new_entry, ScopeStatus.PENDING)
    issue = issue_of(hass, new_entry, "questions_not_approved")
    assert issue
    assert issue.severity is ir.IssueSeverity.WARNING
    [pending] = gateway.devices.pending
    assert issue.translation_placeholders == {
        "title": "OpenClaw Gateway",
        "command": f"openclaw devices approve {pending}",
    }
    assert problems(await run_self_test(hass)) == {"scopes": "warn"}

    await approve(gateway, new_entry)
    await hass.async_block_till_done()
    assert issue_of(hass, new_entry, "questions_not_approved") is None
    assert problems(await run_self_test(hass)) == {}
    endpoint = Endpoint(gateway.host, gateway.port)
    store = DeviceTokenStore(hass, new_entry.entry_id, endpoint.origin)
    token = await store.async_load()
    assert token
    assert "operator.questions" in token.scopes

    # A restart asks for it at once.
    await hass.config_entries.async_reload(new_entry.entry_id)
    await hass.async_block_till_done()
    client = new_entry.runtime_data.client
    assert client.optional_scopes.status is ScopeStatus.GRANTED
    assert len(gateway.received("device.scopes.requestUpgrade")) == 1


async def test_the_owner_refuses(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    repair: Repair,
) -> None:
    await set_up_asking(hass, new_entry)
    await wait_for_scopes(gateway, new_entry, ScopeStatus.PENDING)
    client = new_entry.runtime_data.client
    gateway.reject(client.optional_scopes.request_id)
    await wait_for_scopes(gateway, new_entry, ScopeStatus.DENIED)
    assert issue_of(hass, new_entry, "questions_not_approved") is None
    assert issue_of(hass, new_entry, "questions_denied")
    assert problems(await run_self_test(hass)) == {"scopes": "warn"}
    assert client.hello
    assert list(client.hello.scopes) == SCOPES

    # A reload does not pester the owner; the repair asks again.
    await hass.config_entries.async_reload(new_entry.entry_id)
    await hass.async_block_till_done()
    assert issue_of(hass, new_entry, "questions_denied")
    assert len(gateway.received("device.scopes.requestUpgrade")) == 1
    assert (await repair.open(new_entry, "questions_denied"))["step_id"] == "confirm"
    assert (await repair.submit())["type"] == "create_entry"
    await wait_for_scopes(gateway, new_entry, ScopeStatus.PENDING)
    assert issue_of(hass, new_entry, "questions_denied") is None

    await repair.open(new_entry, "questions_not_approved")
    assert (await repair.submit())["errors"] == {"base": "not_fixed"}
    await approve(gateway, new_entry)
    await hass.async_block_till_done()
    assert (await repair.submit())["type"] == "create_entry"


async def test_who_opts_out_asks_for_less(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await set_up_asking(hass, new_entry)
    await approve(gateway, new_entry)
    assert get_agent_questions(new_entry)
    hass.config_entries.async_update_entry(
        new_entry, options={CONF_ASK_QUESTIONS: False}
    )
    await hass.async_block_till_done()
    assert get_agent_questions(new_entry) is None
    assert gateway.received("connect")[-1].params["scopes"] == SCOPES
    report = await run_self_test(hass)
    assert problems(report) == {}
    [check] = [one for one in report["checks"] if one["id"] == "questions"]
    assert check["status"] == "skip"


@pytest.mark.parametrize("protocol", [3])
async def test_clawdbot_cannot_be_asked(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    await set_up_asking(hass, new_entry)
    status = new_entry.runtime_data.client.optional_scopes.status
    assert status is ScopeStatus.UNSUPPORTED
    assert problems(await run_self_test(hass)) == {"scopes": "warn"}
