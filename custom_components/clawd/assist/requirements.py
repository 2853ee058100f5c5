"""Requirements of a question: a connection, the agent, its thinking level."""

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_MODEL
from homeassistant.exceptions import HomeAssistantError

from ..const import CONF_AGENT, CONF_THINKING
from ..error_mapping import action_error
from ..gateway import GatewayError, NotConnectedError, RequestFailedError
from ..util.drill_lock import drill_lock
from .errors import translated_error

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry

    from ..coordinator import ClawdConfigEntry, ClawdCoordinator
    from ..gateway import Hello, ThinkingLevel

# Code of OpenClaw's error for a model that does not accept images.
INVALID_REQUEST: Final = "INVALID_REQUEST"


async def async_require_hello(entry: ClawdConfigEntry) -> Hello:
    """Return the hello of the Gateway.

    A drill in progress ends first.

    Raises:
        NotConnectedError: it is not connected.

    """
    async with drill_lock(entry).question():
        # The drill has reloaded the entry.
        loaded = entry.state is ConfigEntryState.LOADED
        if loaded and (hello := entry.runtime_data.client.hello):
            return hello
    raise NotConnectedError("the Gateway is not connected")


async def async_require_agent(
    coordinator: ClawdCoordinator, subentry: ConfigSubentry
) -> None:
    """Raise if the agent is gone.

    Raises:
        HomeAssistantError: the Gateway does not have the agent any more.
        GatewayError: the Gateway did not answer.

    """
    # Clawdbot (v3) would run an unknown agent, and create a workspace for it.
    if not (coordinator.agents_current and _has_agent(coordinator, subentry)):
        await _async_refresh_agent(coordinator, subentry)


async def async_require_thinking_level(
    coordinator: ClawdCoordinator, subentry: ConfigSubentry
) -> None:
    """Check the thinking level against the model.

    Raises:
        HomeAssistantError: the model does not have it.
        GatewayError: the Gateway did not answer.

    """
    # OpenClaw takes a run with any level, and then fails with `UNAVAILABLE`.
    if (level := subentry.data.get(CONF_THINKING)) is None:
        return
    levels = await _async_thinking_levels(coordinator, subentry)
    known = [known.id for known in levels]
    if known and level not in known:
        raise translated_error(
            "thinking_unsupported",
            agent=subentry.title,
            level=level,
            levels=", ".join(known),
        )


async def async_ask_error(
    coordinator: ClawdCoordinator,
    subentry: ConfigSubentry,
    err: GatewayError,
    *,
    delivers: bool = False,
    pictures: bool = False,
) -> HomeAssistantError:
    """Return the error for a failed question.

    `delivers`: its answer is to be delivered to a channel; `pictures`: it has some.
    """
    if isinstance(err, RequestFailedError):
        try:
            with suppress(GatewayError):
                await _async_refresh_agent(coordinator, subentry)
                await async_require_thinking_level(coordinator, subentry)
        except HomeAssistantError as reason:
            return reason
    # Not the failure of a run: the Gateway refuses one with an unknown channel.
    if delivers and type(err) is RequestFailedError:
        return translated_error("delivery_refused", code=str(err.code))
    # A model that is not in the list of models, or whose inputs are not.
    if pictures and type(err) is RequestFailedError and err.code == INVALID_REQUEST:
        return translated_error("pictures_refused", code=err.code)
    return action_error(err)


async def _async_thinking_levels(
    coordinator: ClawdCoordinator, subentry: ConfigSubentry
) -> tuple[ThinkingLevel, ...]:
    client = coordinator.client
    if ref := subentry.data.get(CONF_MODEL):
        models = await client.models.list()
        if model := next((model for model in models if model.ref == ref), None):
            return model.thinking_levels
    agent = coordinator.agents.get(subentry.data[CONF_AGENT])
    return agent.thinking_levels if agent else ()


async def _async_refresh_agent(
    coordinator: ClawdCoordinator, subentry: ConfigSubentry
) -> None:
    await coordinator.async_refresh_agents()
    if not _has_agent(coordinator, subentry):
        raise translated_error("agent_deleted", agent=subentry.title)


def _has_agent(coordinator: ClawdCoordinator, subentry: ConfigSubentry) -> bool:
    return coordinator.agents.get(subentry.data[CONF_AGENT]) is not None
