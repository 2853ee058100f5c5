"""The config flow, as a user goes through it."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Mapping
import json
from ssl import SSLError
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section

from custom_components.clawd.const import DOMAIN
from tests.simulator import GatewaySimulator


async def start(hass: HomeAssistant, answers: dict[str, Any]) -> ConfigFlowResult:
    """Fill in the first form."""
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "user"
    assert not form["errors"]
    return await go_on(hass, form, answers)


async def go_on(
    hass: HomeAssistant, flow: ConfigFlowResult, answers: dict[str, Any] | None = None
) -> ConfigFlowResult:
    """Submit a form, or look at it or at what came of a progress."""
    return await hass.config_entries.flow.async_configure(flow["flow_id"], answers)


async def wait(hass: HomeAssistant, progress: ConfigFlowResult) -> ConfigFlowResult:
    """Return what a progress leads to."""
    assert progress["type"] is FlowResultType.SHOW_PROGRESS
    await hass.async_block_till_done(wait_background_tasks=True)
    return await go_on(hass, progress)


async def loaded(hass: HomeAssistant, result: ConfigFlowResult) -> dict[str, Any]:
    """Return the data of the entry that a flow made; unload it."""
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    entry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(entry.entry_id)
    return dict(entry.data)


def shown(form: ConfigFlowResult) -> dict[str, Any]:
    """Return what a form shows of what was entered."""
    assert form["data_schema"]
    return _suggested(form["data_schema"].schema)


def text_of(flow: ConfigFlowResult, name: str) -> str:
    """Return what a step puts into its text."""
    assert flow["description_placeholders"]
    return flow["description_placeholders"][name]


def read_aloud(fingerprint: str) -> str:
    """Return a fingerprint as `openssl` prints it, in two lines."""
    digits = bytes.fromhex(fingerprint).hex(":").upper()
    return f"{digits[:48]}\n{digits[48:]}"


def expect_broken_handshakes(loop: asyncio.AbstractEventLoop) -> None:
    """Let a client leave that expects another TLS; the Gateway is on its loop."""
    handler = loop.get_exception_handler()
    assert handler

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), ConnectionResetError | SSLError):
            handler(loop, context)

    loop.set_exception_handler(handle)


def secrets_told(gateway: GatewaySimulator) -> list[dict[str, Any]]:
    """Return what was shown to a Gateway to be let in."""
    return [request.params["auth"] for request in gateway.received("connect")]


def _suggested(schema: Mapping[Any, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, field in schema.items():
        if isinstance(field, section):
            values |= _suggested(field.schema.schema)
        elif name.description:
            values[str(name)] = name.description["suggested_value"]
    return values


def setup_link(gateway: GatewaySimulator, **content: str) -> str:
    """Return a setup link as `openclaw` makes them, with a bootstrap token."""
    content |= {"url": gateway.url, "bootstrapToken": "bootstrap"}
    code = urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    return f"oc-pair://{code}"
