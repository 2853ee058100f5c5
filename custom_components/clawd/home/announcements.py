"""Delivery of unsolicited messages.

By the device of the listener, else by a media player of its area, else as a
notification to the user.
"""

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
import re
import time
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.start import async_at_started

from ..const import LOGGER
from ..sentences import async_get_text
from .notifications import async_notify_user
from .players import async_play
from .quiet_hours import is_quiet
from .satellites import FAILED, CannotSpeakError, async_speak

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ..coordinator import ClawdConfigEntry, DeliveryStatistics

# Characters to speak, in about a minute; the rest is shown.
MAX_SPOKEN: Final = 800
# Seconds for a delivery: twice the wait for the satellite (as a question, as an
# announcement) and its speech, or players; then notifications.
MAX_DELIVERY_TIME: Final = 1200.0

# Also of Arabic, Urdu and Hindi.
_SENTENCE_END: Final = re.compile(
    r"[.!?…\u061f\u06d4\u0964]+[\"'”»)\]]*(?=\s)|[\u3002\uff01\uff1f]|\n"
)


class Delivery(StrEnum):
    """Way of a delivery."""

    ANNOUNCED = "announced"
    CONVERSATION = "conversation"
    MEDIA_PLAYER = "media_player"
    NOTIFICATION = "notification"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Recipient of a message.

    Attributes:
        device_id: of the voice device, or the entity id of its satellite.
        satellite_id: of the satellite that was spoken to, if known: a device may have
            more than one.
        user_id: of the user, for a notification instead of speech.

    """

    device_id: str | None = None
    satellite_id: str | None = None
    user_id: str | None = None
    language: str = "en"


async def async_deliver(  # noqa: PLR0913 - three have a default
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    listener: Listener,
    message: str,
    *,
    question: bool = False,
    title: str | None = None,
    extra_system_prompt: str | None = None,
    media: Callable[[], Awaitable[str]] | None = None,
) -> Delivery:
    """Deliver a message in the first possible way.

    Before Home Assistant has started, none does, so its start is waited for.
    `question`: the message asks for an answer, so the device listens to one.
    `media` returns Markdown of pictures and files, shown by notifications only.
    """
    await async_wait_for_start(hass)
    statistics = entry.runtime_data.deliveries
    with _pending(statistics):
        delivery = await _async_say(
            hass, entry, listener, message, question, extra_system_prompt
        )
        # Fetch media after speech: it would delay the words.
        shown = await media() if media else ""
        if delivery is None or len(message) > MAX_SPOKEN or shown:
            await async_notify_user(hass, listener.user_id, message, title, shown)
        delivery = delivery or Delivery.NOTIFICATION
        LOGGER.debug("Message of %s characters delivered: %s", len(message), delivery)
        statistics.outcomes[delivery] += 1
        return delivery


async def async_wait_for_start(hass: HomeAssistant) -> None:
    """Wait until Home Assistant has started.

    Voice devices and phones are available from then on.
    """
    started = asyncio.Event()

    @callback
    def set_started(_: HomeAssistant) -> None:
        started.set()

    unsubscribe = async_at_started(hass, set_started)
    try:
        await started.wait()
    finally:
        unsubscribe()


async def _async_say(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    listener: Listener,
    message: str,
    question: bool,  # noqa: FBT001
    extra_system_prompt: str | None,
) -> Delivery | None:
    """Speak a message near its listener.

    Return the way, or None if there is none.
    """
    if listener.device_id is None or is_quiet(hass, entry):
        return None
    failures = entry.runtime_data.deliveries.failures
    spoken = await async_shorten(hass, message, listener.language)
    speaker = listener.device_id
    if listener.satellite_id and hass.states.get(listener.satellite_id):
        speaker = listener.satellite_id
    ways = [Delivery.ANNOUNCED, Delivery.MEDIA_PLAYER]
    # A long message has its question in the unspoken part.
    if question and spoken == message:
        ways.insert(0, Delivery.CONVERSATION)
    for way in ways:
        try:
            if way is Delivery.MEDIA_PLAYER:
                await async_play(hass, listener.device_id, spoken)
            else:
                await async_speak(
                    hass,
                    speaker,
                    spoken,
                    start_conversation=way is Delivery.CONVERSATION,
                    extra_system_prompt=extra_system_prompt,
                )
        except CannotSpeakError as err:
            LOGGER.debug("Message not delivered: %s, %s", way, err.code)
            failures[err.code] += 1
            if err.code == FAILED:
                # It may have been heard: do not repeat it in another way.
                return None
        else:
            return way
    return None


async def async_shorten(hass: HomeAssistant, message: str, language: str) -> str:
    """Shorten a message for speech.

    To whole sentences, and a hint at the rest.
    """
    if len(message) <= MAX_SPOKEN:
        return message
    head = message[:MAX_SPOKEN]
    ends = [match.end() for match in _SENTENCE_END.finditer(head)]
    # "Dear Dr. Miller, …": so early, it may be no end, and leaves nothing to hear. Nor
    # does the only space of a Chinese text.
    cuts = (ends[-1] if ends else 0, head.rfind(" "))
    end = next((cut for cut in cuts if cut > MAX_SPOKEN / 2), MAX_SPOKEN)
    rest = await async_get_text(hass, language, "rest_in_notification")
    return f"{head[:end].rstrip()} {rest}"


@contextmanager
def _pending(statistics: DeliveryStatistics) -> Iterator[None]:
    """Track a delivery for the self-test."""
    token = object()
    statistics.pending[token] = time.monotonic()
    try:
        yield
    finally:
        del statistics.pending[token]
