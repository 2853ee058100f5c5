"""Tests of the config flow started by zeroconf."""

from collections.abc import AsyncGenerator
from ipaddress import ip_address
from pathlib import Path

from homeassistant.components.zeroconf.discovery import info_from_service
from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_ZEROCONF,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import CONF_ADDRESS, CONF_HOST, CONF_SSL, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.loader import async_get_zeroconf
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    mock_config_flow,
    mock_integration,
    mock_platform,
)
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from custom_components.clawd.const import CONF_FINGERPRINT, DOMAIN
from tests.simulator import GatewaySimulator
from tests.simulator.tls import certificate, fingerprint, server_context

from .flows import (
    created_entry_data,
    formatted_fingerprint,
    ignore_failed_handshakes,
    placeholder,
    sent_credentials,
    start_user_flow,
    submit,
)

TYPE = "_openclaw-gw._tcp.local."
NAME = f"study (OpenClaw).{TYPE}"


def _advertisement(
    gateway: GatewaySimulator, address: str = "127.0.0.1", **properties: str
) -> AsyncServiceInfo:
    """Return an advertisement with TXT properties that lead elsewhere."""
    all_properties = {
        "role": "gateway",
        "displayName": "Study",
        "lanHost": "elsewhere.local",
        "gatewayPort": "1",
        "transport": "gateway",
        **properties,
    }
    return AsyncServiceInfo(
        TYPE,
        NAME,
        port=gateway.port,
        properties=all_properties,
        server="study.local.",
        addresses=[ip_address(address).packed],
    )


async def _discover(
    hass: HomeAssistant, advertisement: AsyncServiceInfo
) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_ZEROCONF},
        data=info_from_service(advertisement),
    )


@pytest.fixture(autouse=True)
async def _core(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "homeassistant", {})


async def test_a_discovered_gateway_is_added_after_confirmation(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    form = await _discover(hass, _advertisement(gateway))

    assert form["step_id"] == "zeroconf_confirm"
    assert form["description_placeholders"] == {
        "name": "Study",
        "address": f"ws://127.0.0.1:{gateway.port}",
        "fingerprint": "-",
    }
    form = await submit(hass, form)
    assert form["step_id"] == "zeroconf_confirm"
    assert not form["errors"]
    assert gateway.attempts == 0

    form = await submit(hass, form, {CONF_TOKEN: "wrong"})
    assert form["step_id"] == "zeroconf_confirm"
    assert form["errors"] == {CONF_TOKEN: "invalid_token"}

    result = await submit(hass, form, {CONF_TOKEN: gateway.token})
    assert result["title"] == "Study"
    assert result["result"].unique_id == gateway.device_id
    data = await created_entry_data(hass, result)
    assert (data[CONF_HOST], data[CONF_SSL]) == ("127.0.0.1", False)


@pytest.fixture
async def secure_gateway(
    hass: HomeAssistant, tmp_path: Path
) -> AsyncGenerator[tuple[GatewaySimulator, str]]:
    """Run a Gateway with TLS; return it with its fingerprint."""
    ignore_failed_handshakes(hass.loop)
    path = certificate(tmp_path)
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        yield gateway, fingerprint(path)


async def test_an_advertised_fingerprint_is_shown_but_not_trusted(
    hass: HomeAssistant, secure_gateway: tuple[GatewaySimulator, str]
) -> None:
    gateway, pin = secure_gateway
    properties = {"gatewayTls": "1", "gatewayTlsSha256": pin}
    form = await _discover(hass, _advertisement(gateway, **properties))
    assert placeholder(form, "fingerprint") == formatted_fingerprint(pin)

    form = await submit(hass, form, {CONF_TOKEN: gateway.token})
    assert form["step_id"] == "certificate"
    assert form["errors"] == {"base": "certificate_unknown"}
    assert placeholder(form, "fingerprint") == formatted_fingerprint(pin)
    assert sent_credentials(gateway) == []

    data = await created_entry_data(hass, await submit(hass, form, {}))
    assert data[CONF_FINGERPRINT] == pin


async def test_a_certificate_that_was_not_advertised_is_an_error(
    hass: HomeAssistant, secure_gateway: tuple[GatewaySimulator, str]
) -> None:
    gateway, _ = secure_gateway
    properties = {"gatewayTls": "1", "gatewayTlsSha256": "ab" * 32}
    form = await _discover(hass, _advertisement(gateway, **properties))

    form = await submit(hass, form, {CONF_TOKEN: gateway.token})

    assert form["step_id"] == "certificate"
    assert form["errors"] == {"base": "certificate_not_announced"}


async def test_an_advertised_gateway_with_tls_is_not_probed_without(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    form = await _discover(hass, _advertisement(gateway, gatewayTls="1"))

    form = await submit(hass, form, {CONF_TOKEN: gateway.token})

    assert form["errors"] == {"base": "tls_failed"}
    assert sent_credentials(gateway) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "study.local"])
async def test_a_configured_gateway_is_recognized_and_not_changed(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    new_entry: MockConfigEntry,
    host: str,
) -> None:
    data = {**new_entry.data, CONF_HOST: host}
    hass.config_entries.async_update_entry(new_entry, data=data)

    result = await _discover(hass, _advertisement(gateway))

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert new_entry.data == data


async def test_a_configured_gateway_at_a_new_address_is_not_changed(
    hass: HomeAssistant, gateway: GatewaySimulator, new_entry: MockConfigEntry
) -> None:
    data = {**new_entry.data, CONF_HOST: "192.168.1.5"}
    hass.config_entries.async_update_entry(
        new_entry, data=data, unique_id=gateway.device_id
    )
    form = await _discover(hass, _advertisement(gateway))

    result = await submit(hass, form, {CONF_TOKEN: gateway.token})

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert new_entry.data == data


async def test_a_gateway_is_discovered_once(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    await _discover(hass, _advertisement(gateway))

    result = await _discover(hass, _advertisement(gateway))

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_in_progress"


async def test_adding_a_gateway_by_hand_aborts_its_discovery_flow(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    await _discover(hass, _advertisement(gateway))
    answers = {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}

    await created_entry_data(hass, await start_user_flow(hass, answers))

    assert hass.config_entries.flow.async_progress() == []


async def test_reconfiguring_an_entry_aborts_the_discovery_flow_of_its_gateway(
    hass: HomeAssistant, gateway: GatewaySimulator, new_entry: MockConfigEntry
) -> None:
    old = {**new_entry.data, CONF_HOST: "192.168.1.5"}
    hass.config_entries.async_update_entry(new_entry, data=old)
    await _discover(hass, _advertisement(gateway))
    form = await new_entry.start_reconfigure_flow(hass)

    await submit(hass, form, {CONF_ADDRESS: gateway.url})

    assert hass.config_entries.flow.async_progress() == []
    await hass.async_block_till_done()


async def test_the_discovery_flow_of_another_gateway_stays(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    await _discover(hass, _advertisement(gateway, address="192.168.1.5"))
    answers = {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}

    await created_entry_data(hass, await start_user_flow(hass, answers))

    assert len(hass.config_entries.flow.async_progress()) == 1


class _OtherFlow(ConfigFlow):
    """Discovery flow of another integration."""

    async def async_step_zeroconf(
        self, discovery_info: ZeroconfServiceInfo
    ) -> ConfigFlowResult:
        """Show a form."""
        self.context["title_placeholders"] = {"name": discovery_info.name}
        return self.async_show_form(step_id="zeroconf")


async def test_the_discovery_flow_of_another_integration_stays(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    mock_integration(hass, MockModule("test"))
    mock_platform(hass, "test.config_flow")
    with mock_config_flow("test", _OtherFlow):
        await hass.config_entries.flow.async_init(
            "test",
            context={"source": SOURCE_ZEROCONF},
            data=info_from_service(_advertisement(gateway)),
        )
        answers = {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}

        await created_entry_data(hass, await start_user_flow(hass, answers))

        assert len(hass.config_entries.flow.async_progress()) == 1


async def test_an_ignored_gateway_stays_ignored(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id=NAME).add_to_hass(
        hass
    )

    result = await _discover(hass, _advertisement(gateway))

    assert result["reason"] == "already_configured"


async def test_an_advertisement_without_properties_is_accepted(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    properties = {"displayName": "", "gatewayTlsSha256": "no fingerprint"}

    form = await _discover(hass, _advertisement(gateway, **properties))

    assert placeholder(form, "name") == "study (OpenClaw)"
    assert placeholder(form, "fingerprint") == "-"


async def test_home_assistant_discovers_a_real_advertisement(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    # Listening first, and without a contest for the name, nothing waits a second.
    async with (
        AsyncZeroconf(interfaces=["127.0.0.1"]) as listener,
        AsyncZeroconf(interfaces=["127.0.0.1"]) as announcer,
    ):
        announced = await announcer.async_register_service(
            _advertisement(gateway), cooperating_responders=True
        )
        found = AsyncServiceInfo(TYPE, NAME)
        assert await found.async_request(listener.zeroconf, 3000)
        await announced

        form = await _discover(hass, found)

    assert form["step_id"] == "zeroconf_confirm"
    assert placeholder(form, "address") == f"ws://127.0.0.1:{gateway.port}"


async def test_home_assistant_listens_for_both_editions(hass: HomeAssistant) -> None:
    found = await async_get_zeroconf(hass)

    for service in (TYPE, "_clawdbot-gw._tcp.local."):
        assert {"domain": DOMAIN} in found[service]
