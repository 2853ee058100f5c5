"""Image input of the models."""

from contextlib import suppress
from typing import TYPE_CHECKING

from homeassistant.const import CONF_MODEL

from ..const import CONF_AGENT
from ..coordinator import get_runtime
from ..gateway import InvalidFrameError, RequestFailedError
from .errors import translated_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from homeassistant.config_entries import ConfigSubentry

    from ..coordinator import ClawdConfigEntry
    from ..gateway import Model


async def async_require_image_input(
    entry: ClawdConfigEntry, subentry: ConfigSubentry
) -> None:
    """Require a model with image input.

    Raises:
        HomeAssistantError: it takes no pictures.
        GatewayConnectionError: the Gateway did not answer.

    """
    models = await async_list_models(entry)
    if model := find_text_only_model(entry, subentry, models):
        raise translated_error("model_without_sight", model=model.name)


async def async_list_models(entry: ClawdConfigEntry) -> tuple[Model, ...]:
    """Return the models with their inputs; none if the Gateway does not say.

    Raises:
        GatewayConnectionError: the Gateway did not answer.

    """
    client = get_runtime(entry).client
    if client.hello is not None and not client.hello.describes_models:
        return ()
    with suppress(RequestFailedError, InvalidFrameError):
        return await client.models.list(details=True)
    return ()


def find_text_only_model(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, models: Iterable[Model]
) -> Model | None:
    """Return an agent's model if it is known to take texts only."""
    agent = get_runtime(entry).coordinator.agents.get(subentry.data[CONF_AGENT])
    ref = subentry.data.get(CONF_MODEL) or (agent.model if agent else None)
    found = (model for model in models if model.ref == ref and model.sees is False)
    return next(found, None)
