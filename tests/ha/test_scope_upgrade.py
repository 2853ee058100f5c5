"""Repair of missing scopes."""

import logging

from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.gateway import Cause, DeviceToken, Endpoint
from custom_components.clawd.storage import DeviceTokenStore, async_get_identity
from tests.simulator import GatewaySimulator

from .self_test import problems, run_self_test
from .states import CONNECTIVITY, wait_for_state


async def test_it_goes_on_by_itself_after_the_approval(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    identity = await async_get_identity(hass)
    own = DeviceToken("the-token-for-reading", ("operator.read",))
    gateway.pairing = True
    gateway.devices.approved[identity.device_id] = {"operator.read"}
    gateway.devices.tokens[identity.device_id] = own.token
    origin = Endpoint(gateway.host, gateway.port).origin
    await DeviceTokenStore(hass, new_entry.entry_id, origin).async_save(own)
    data = {key: value for key, value in new_entry.data.items() if key != CONF_TOKEN}
    hass.config_entries.async_update_entry(new_entry, data=data)

    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await gateway.wait_for_request("device.scopes.waitUpgrade")
    await hass.async_block_till_done()

    issues = ir.async_get(hass)
    issue_id = f"pairing_required_{new_entry.entry_id}"
    [pending] = gateway.devices.pending
    issue = issues.async_get_issue(DOMAIN, issue_id)
    assert issue
    assert issue.translation_placeholders
    assert issue.translation_placeholders["request_id"] == pending
    assert "scopes" in problems(await run_self_test(hass))
    warnings = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert [r.getMessage() for r in warnings if "fewer scopes" in r.getMessage()]

    gateway.approve(pending)
    await wait_for_state(hass, CONNECTIVITY, "off")
    await wait_for_state(hass, CONNECTIVITY, "on")
    await hass.async_block_till_done()

    assert issues.async_get_issue(DOMAIN, issue_id) is None
    assert problems(await run_self_test(hass)) == {}
    stored = await DeviceTokenStore(hass, new_entry.entry_id, origin).async_load()
    assert stored
    assert stored.token == gateway.devices.tokens[identity.device_id] != own.token
    client = new_entry.runtime_data.client
    causes = [change.cause for change in client.introspection.transitions]
    assert causes.count(Cause.LIMITED) == 1
    # The client has closed the connection itself, to use the new rights.
    assert "Connection to the Gateway lost (1000)" in caplog.text
    warnings = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert not [r for r in warnings if "lost" in r.getMessage()]
