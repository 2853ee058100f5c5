"""Gateways that announce themselves in the network."""

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
    expect_broken_handshakes,
    go_on,
    loaded,
    read_aloud,
    secrets_told,
    start,
    text_of,
)

TYPE = "_openclaw-gw._tcp.local."
NAME = f"study (OpenClaw).{TYPE}"


def _advertisement(
    gateway: GatewaySimulator, address: str = "127.0.0.1", **hints: str
) -> AsyncServiceInfo:
    """Return what a Gateway says of itself, with hints that lead elsewhere."""
    properties = {
        "role": "gateway",
        "displayName": "Study",
        "lanHost": "elsewhere.local",
        "gatewayPort": "1",
        "transport": "gateway",
        **hints,
    }
    return AsyncServiceInfo(
        TYPE,
        NAME,
        port=gateway.port,
        properties=properties,
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


async def test_a_gateway_is_shown_and_added_when_it_is_confirmed(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    form = await _discover(hass, _advertisement(gateway))

    assert form["step_id"] == "zeroconf_confirm"
    assert form["description_placeholders"] == {
        "name": "Study",
        "address": f"ws://127.0.0.1:{gateway.port}",
        "fingerprint": "-",
    }
    form = await go_on(hass, form)
    assert form["step_id"] == "zeroconf_confirm"
    assert not form["errors"]
    assert gateway.attempts == 0

    form = await go_on(hass, form, {CONF_TOKEN: "wrong"})
    assert form["step_id"] == "zeroconf_confirm"
    assert form["errors"] == {CONF_TOKEN: "invalid_token"}

    result = await go_on(hass, form, {CONF_TOKEN: gateway.token})
    assert result["title"] == "Study"
    assert result["result"].unique_id == gateway.device_id
    data = await loaded(hass, result)
    assert (data[CONF_HOST], data[CONF_SSL]) == ("127.0.0.1", False)


@pytest.fixture
async def secure_gateway(
    hass: HomeAssistant, tmp_path: Path
) -> AsyncGenerator[tuple[GatewaySimulator, str]]:
    """Run a Gateway with TLS; give it with its fingerprint."""
    expect_broken_handshakes(hass.loop)
    path = certificate(tmp_path)
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        yield gateway, fingerprint(path)


async def test_an_announced_fingerprint_is_shown_and_not_trusted_by_itself(
    hass: HomeAssistant, secure_gateway: tuple[GatewaySimulator, str]
) -> None:
    gateway, pin = secure_gateway
    hints = {"gatewayTls": "1", "gatewayTlsSha256": pin}
    form = await _discover(hass, _advertisement(gateway, **hints))
    assert text_of(form, "fingerprint") == read_aloud(pin)

    form = await go_on(hass, form, {CONF_TOKEN: gateway.token})
    assert form["step_id"] == "certificate"
    assert form["errors"] == {"base": "certificate_unknown"}
    assert text_of(form, "fingerprint") == read_aloud(pin)
    assert secrets_told(gateway) == []

    data = await loaded(hass, await go_on(hass, form, {}))
    assert data[CONF_FINGERPRINT] == pin


async def test_another_certificate_than_the_announced_one_is_shown_as_such(
    hass: HomeAssistant, secure_gateway: tuple[GatewaySimulator, str]
) -> None:
    gateway, _ = secure_gateway
    hints = {"gatewayTls": "1", "gatewayTlsSha256": "ab" * 32}
    form = await _discover(hass, _advertisement(gateway, **hints))

    form = await go_on(hass, form, {CONF_TOKEN: gateway.token})

    assert form["step_id"] == "certificate"
    assert form["errors"] == {"base": "certificate_not_announced"}


async def test_an_announced_gateway_with_tls_is_not_asked_without(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    form = await _discover(hass, _advertisement(gateway, gatewayTls="1"))

    form = await go_on(hass, form, {CONF_TOKEN: gateway.token})

    assert form["errors"] == {"base": "tls_failed"}
    assert secrets_told(gateway) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "study.local"])
async def test_a_configured_gateway_is_recognised_and_not_moved(
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


async def test_a_configured_gateway_at_a_new_address_is_not_moved_either(
    hass: HomeAssistant, gateway: GatewaySimulator, new_entry: MockConfigEntry
) -> None:
    data = {**new_entry.data, CONF_HOST: "192.168.1.5"}
    hass.config_entries.async_update_entry(
        new_entry, data=data, unique_id=gateway.device_id
    )
    form = await _discover(hass, _advertisement(gateway))

    result = await go_on(hass, form, {CONF_TOKEN: gateway.token})

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert new_entry.data == data


async def test_a_gateway_is_offered_once(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    await _discover(hass, _advertisement(gateway))

    result = await _discover(hass, _advertisement(gateway))

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_in_progress"


async def test_a_gateway_that_is_added_by_hand_is_not_offered_any_more(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    await _discover(hass, _advertisement(gateway))
    answers = {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}

    await loaded(hass, await start(hass, answers))

    assert hass.config_entries.flow.async_progress() == []


async def test_a_gateway_that_an_entry_was_led_to_is_not_offered_any_more(
    hass: HomeAssistant, gateway: GatewaySimulator, new_entry: MockConfigEntry
) -> None:
    old = {**new_entry.data, CONF_HOST: "192.168.1.5"}
    hass.config_entries.async_update_entry(new_entry, data=old)
    await _discover(hass, _advertisement(gateway))
    form = await new_entry.start_reconfigure_flow(hass)

    await go_on(hass, form, {CONF_ADDRESS: gateway.url})

    assert hass.config_entries.flow.async_progress() == []
    await hass.async_block_till_done()


async def test_another_gateway_is_still_offered(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    await _discover(hass, _advertisement(gateway, address="192.168.1.5"))
    answers = {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}

    await loaded(hass, await start(hass, answers))

    assert len(hass.config_entries.flow.async_progress()) == 1


class _OtherFlow(ConfigFlow):
    """What another integration finds in the network."""

    async def async_step_zeroconf(
        self, discovery_info: ZeroconfServiceInfo
    ) -> ConfigFlowResult:
        """Offer it."""
        self.context["title_placeholders"] = {"name": discovery_info.name}
        return self.async_show_form(step_id="zeroconf")


async def test_what_another_integration_found_there_is_still_offered(
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

        await loaded(hass, await start(hass, answers))

        assert len(hass.config_entries.flow.async_progress()) == 1


async def test_a_gateway_that_is_ignored_stays_so(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id=NAME).add_to_hass(
        hass
    )

    result = await _discover(hass, _advertisement(gateway))

    assert result["reason"] == "already_configured"


async def test_an_advertisement_without_hints_will_do(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    hints = {"displayName": "", "gatewayTlsSha256": "no fingerprint"}

    form = await _discover(hass, _advertisement(gateway, **hints))

    assert text_of(form, "name") == "study (OpenClaw)"
    assert text_of(form, "fingerprint") == "-"


async def test_home_assistant_finds_a_real_advertisement(
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
        heard = AsyncServiceInfo(TYPE, NAME)
        assert await heard.async_request(listener.zeroconf, 3000)
        await announced

        form = await _discover(hass, heard)

    assert form["step_id"] == "zeroconf_confirm"
    assert text_of(form, "address") == f"ws://127.0.0.1:{gateway.port}"


async def test_home_assistant_listens_for_both_editions(hass: HomeAssistant) -> None:
    heard = await async_get_zeroconf(hass)

    for service in (TYPE, "_clawdbot-gw._tcp.local."):
        assert {"domain": DOMAIN} in heard[service]
