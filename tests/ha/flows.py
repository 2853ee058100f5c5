"""Helpers for tests of the config flow."""

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

NO_ACCESS = {"home_access": "none"}


async def start_user_flow(
    hass: HomeAssistant, answers: dict[str, Any]
) -> ConfigFlowResult:
    """Start a flow and submit its first form."""
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "user"
    assert not form["errors"]
    return await submit(hass, form, answers)


async def submit(
    hass: HomeAssistant, flow: ConfigFlowResult, answers: dict[str, Any] | None = None
) -> ConfigFlowResult:
    """Submit a form; without answers, return the current step.

    The last step gives the agent no access to the home.
    """
    step = await configure(hass, flow, answers)
    return await configure(hass, step, NO_ACCESS) if is_home_step(step) else step


async def configure(
    hass: HomeAssistant, flow: ConfigFlowResult, answers: dict[str, Any] | None = None
) -> ConfigFlowResult:
    """Submit one form."""
    return await hass.config_entries.flow.async_configure(flow["flow_id"], answers)


def is_home_step(step: ConfigFlowResult) -> bool:
    """Return whether a flow asks for the access to the home."""
    return step["type"] is FlowResultType.FORM and step["step_id"] == "home"


async def wait_for_progress(
    hass: HomeAssistant, progress: ConfigFlowResult
) -> ConfigFlowResult:
    """Return the step after a progress."""
    assert progress["type"] is FlowResultType.SHOW_PROGRESS
    await hass.async_block_till_done(wait_background_tasks=True)
    return await submit(hass, progress)


async def created_entry_data(
    hass: HomeAssistant, result: ConfigFlowResult
) -> dict[str, Any]:
    """Unload the entry of a flow and return its data."""
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    entry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(entry.entry_id)
    return dict(entry.data)


def suggested_values(form: ConfigFlowResult) -> dict[str, Any]:
    """Return the suggested values of a form."""
    assert form["data_schema"]
    return _suggested(form["data_schema"].schema)


def placeholder(flow: ConfigFlowResult, name: str) -> str:
    """Return a description placeholder of a step."""
    assert flow["description_placeholders"]
    return flow["description_placeholders"][name]


def formatted_fingerprint(fingerprint: str) -> str:
    """Return a fingerprint as `openssl` prints it, in two lines."""
    digits = bytes.fromhex(fingerprint).hex(":").upper()
    return f"{digits[:48]}\n{digits[48:]}"


def ignore_failed_handshakes(loop: asyncio.AbstractEventLoop) -> None:
    """Ignore TLS handshakes that a client aborts; the Gateway is on its loop."""
    handler = loop.get_exception_handler()
    assert handler

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), ConnectionResetError | SSLError):
            handler(loop, context)

    loop.set_exception_handler(handle)


def sent_credentials(gateway: GatewaySimulator) -> list[dict[str, Any]]:
    """Return the `auth` objects that a Gateway received."""
    return [request.params["auth"] for request in gateway.received("connect")]


def _suggested(schema: Mapping[Any, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, field in schema.items():
        if isinstance(field, section):
            values |= _suggested(field.schema.schema)
        elif name.description:
            values[str(name)] = name.description["suggested_value"]
    return values


def setup_link(
    gateway: GatewaySimulator, url: str | None = None, **content: object
) -> str:
    """Return a setup link as `openclaw` makes them, with a bootstrap token."""
    content |= {"url": url or gateway.url, "bootstrapToken": "bootstrap"}
    code = urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    return f"oc-pair://{code}"
