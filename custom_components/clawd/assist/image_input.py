"""Image input of the models."""

from contextlib import suppress
from typing import TYPE_CHECKING

from homeassistant.const import CONF_MODEL

from ..const import CONF_AGENT
from ..coordinator import get_runtime
from ..gateway import MIN_PROTOCOL, InvalidFrameError, RequestFailedError
from .errors import translated_error

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry

    from ..coordinator import ClawdConfigEntry
    from ..gateway import Model


async def async_require_image_input(
    entry: ClawdConfigEntry, subentry: ConfigSubentry
) -> None:
    """Raise if the model is known to take texts only.

    Raises:
        HomeAssistantError: it takes no pictures.
        GatewayConnectionError: the Gateway did not answer.

    """
    if model := await async_find_text_only_model(entry, subentry):
        raise translated_error("model_without_sight", model=model.name)


async def async_find_text_only_model(
    entry: ClawdConfigEntry, subentry: ConfigSubentry
) -> Model | None:
    """Return an agent's model that takes only texts.

    None unless the Gateway says so.

    Raises:
        GatewayConnectionError: the Gateway did not answer.

    """
    runtime = get_runtime(entry)
    hello = runtime.client.hello
    # Clawdbot does not say it.
    if hello is not None and hello.protocol == MIN_PROTOCOL:
        return None
    agent = runtime.coordinator.agents.get(subentry.data[CONF_AGENT])
    ref = subentry.data.get(CONF_MODEL) or (agent.model if agent else None)
    with suppress(RequestFailedError, InvalidFrameError):
        for model in await runtime.client.models.list(details=True):
            if model.ref == ref and model.sees is False:
                return model
    return None
