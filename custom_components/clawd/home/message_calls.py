"""Calls of the message tools."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ..gateway import NodeCallError
from .arguments import INVALID_ARGUMENTS
from .caller import refusal
from .limits import RESULT_MARGIN
from .messages import (
    MAX_NOTIFICATION,
    MAX_TITLE,
    MESSAGE,
    QUESTION,
    MessageTool,
    read_message,
)
from .recipients import async_find_administrators, async_find_recipients, async_notify
from .settings import HomeAccess, agent_homes
from .speaking import (
    async_announce,
    async_ask,
    device_to_ask_on,
    devices_to_announce_on,
    require_time_to_speak,
)
from .targets import Targets
from .text import plain
from .voice_devices import ANNOUNCE, START_CONVERSATION, resolve_voice_devices

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from homeassistant.core import Context, HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from ..gateway import NodeCall, Payload
    from .caller import Caller
    from .messages import Message

INVALID_PARAMS: Final = "INVALID_PARAMS"


@dataclass(frozen=True, slots=True)
class PreparedMessage:
    """Validated message of an agent.

    Its targets are not checked yet.

    Attributes:
        targets: entities that the asking user must be allowed to control, if any.

    """

    targets: Targets | None
    async_send: Callable[[Context], Awaitable[dict[str, Any]]]


async def async_prepare_message(  # noqa: PLR0913, PLR0917 - state of the call
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    caller: Caller,
    tool: MessageTool,
    call: NodeCall,
    to_speech: Callable[[str], str],
    now: float,
) -> PreparedMessage:
    """Return the message of a call.

    With its devices or recipients.

    Raises:
        NodeCallError: an argument is not valid, or it cannot be said now.

    """
    message = read_message(tool, call)
    if tool is MessageTool.NOTIFY:
        return await _async_prepare_notification(hass, caller, message)
    message = _spoken(message, to_speech)
    is_question = tool is MessageTool.ASK
    devices = resolve_voice_devices(
        hass,
        START_CONVERSATION if is_question else ANNOUNCE,
        area=message.area,
        name=message.device,
    )
    require_time_to_speak(hass, entry, caller, devices, now)
    timeout = max(call.timeout - RESULT_MARGIN, call.timeout / 2)
    if is_question:
        device = device_to_ask_on(hass, caller, devices)
        return PreparedMessage(
            Targets(frozenset({device.entity_id})),
            lambda context: async_ask(hass, device, message, timeout, context),
        )
    devices = devices_to_announce_on(caller, devices)
    return PreparedMessage(
        Targets(frozenset(device.entity_id for device in devices)),
        lambda _: async_announce(hass, entry, devices, message.text, timeout),
    )


async def async_prepare_notification(
    hass: HomeAssistant, entry: ClawdConfigEntry, call: NodeCall
) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Return the function to show a notification.

    The notification is from the Gateway, for the administrators. Without an agent or
    session, it counts as from elsewhere: it is allowed if any agent may act from there.

    Raises:
        NodeCallError: it is not allowed, or not valid.

    """
    if not any(
        home.access is home.from_elsewhere is HomeAccess.CONTROL
        for home in agent_homes(entry)
    ):
        raise refusal(
            "Home Assistant shows no notifications of the Gateway. Its owner can allow "
            "them: to control the home from elsewhere, in the settings of an agent."
        )
    title = _param(call.arguments, "title", MAX_TITLE)
    body = _param(call.arguments, "body", MAX_NOTIFICATION)
    if not (title or body):
        raise NodeCallError(INVALID_PARAMS, "The notification is empty.")
    # macOS's "overlay" is shown on the screen alone.
    quietly = (
        call.arguments.get("delivery") == "overlay"
        or call.arguments.get("priority") == "passive"
    )
    recipients = await async_find_administrators(hass)
    text, heading = (body, title or None) if body else (title, None)
    return lambda: async_notify(hass, recipients, text, heading, devices=not quietly)


async def _async_prepare_notification(
    hass: HomeAssistant, caller: Caller, message: Message
) -> PreparedMessage:
    recipients = await async_find_recipients(hass, caller.origin, message.person)
    return PreparedMessage(
        # To notify others, a user has to have all rights; to notify oneself, none.
        None if recipients.own or message.person is None else Targets(complete=False),
        lambda _: async_notify(hass, recipients, message.text, message.title),
    )


def _spoken(message: Message, to_speech: Callable[[str], str]) -> Message:
    """Return a message as spoken text.

    Raises:
        NodeCallError: nothing is left of it.

    """
    text = " ".join(to_speech(message.text).split())
    if not text:
        argument = QUESTION if message.tool is MessageTool.ASK else MESSAGE
        raise NodeCallError(
            INVALID_ARGUMENTS, f"The argument {argument} has no words to be spoken."
        )
    return replace(message, text=text)


def _param(params: Payload, name: str, limit: int) -> str:
    """Return a text of a notification.

    Raises:
        NodeCallError: it is none, or too long.

    """
    value = params.get(name) or ""
    if not isinstance(value, str):
        raise NodeCallError(INVALID_PARAMS, f"{name} is not a text.")
    if len(value) > limit:
        raise NodeCallError(
            INVALID_PARAMS, f"{name} is longer than {limit} characters."
        )
    return plain(value).strip()
