"""Speech on Assist satellites."""

import asyncio
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from homeassistant.components.media_player import (
    ATTR_MEDIA_VOLUME_LEVEL,
    ATTR_MEDIA_VOLUME_MUTED,
)
from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_SUPPORTED_FEATURES,
    STATE_IDLE,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER

if TYPE_CHECKING:
    from homeassistant.core import State

# Seconds until a satellite has to be idle: it listens, answers or announces.
IDLE_TIMEOUT: Final = 120.0
# Seconds until it must have finished speaking; ESPHome allows five minutes.
SPEECH_TIMEOUT: Final = 330.0

# Failed after it may have begun to speak.
FAILED: Final = "device_failed"
CANNOT_SPEAK: Final = "device_cannot_speak"

# One speaker at a time: a satellite refuses a second announcement.
_TURNS: Final[HassKey[WeakValueDictionary[str, asyncio.Lock]]] = HassKey(
    f"{DOMAIN}_satellite_turns"
)


class CannotSpeakError(HomeAssistantError):
    """Device cannot speak.

    Attributes:
        code: why, for counters.

    """

    def __init__(self, code: str) -> None:
        """Initialize the error.

        The code is its translation key, too.
        """
        super().__init__(translation_domain=DOMAIN, translation_key=code)
        self.code = code


async def async_speak(
    hass: HomeAssistant,
    device_id: str | None,
    message: str,
    *,
    start_conversation: bool = False,
    extra_system_prompt: str | None = None,
) -> None:
    """Speak a message on a satellite.

    With `start_conversation` it listens to an answer. `device_id` may also be the
    entity id of a satellite. One that is busy is waited for: it would be interrupted.

    Raises:
        CannotSpeakError: it is gone, unavailable, muted, too long busy, cannot
            announce or start a conversation, or failed, maybe after it has spoken.

    """
    entity_id = find_satellite(hass, device_id)
    if entity_id is None:
        raise CannotSpeakError("device_gone")
    # Its requirements are installed only where it is set up.
    from homeassistant.components.assist_satellite import AssistSatelliteEntityFeature  # noqa: PLC0415

    feature = AssistSatelliteEntityFeature.ANNOUNCE
    action, data = "announce", {"message": message}
    if start_conversation:
        feature = AssistSatelliteEntityFeature.START_CONVERSATION
        action, data = "start_conversation", {"start_message": message}
        if extra_system_prompt:
            data["extra_system_prompt"] = extra_system_prompt
    turn = get_turn(hass, entity_id)
    try:
        async with asyncio.timeout(IDLE_TIMEOUT):
            await turn.acquire()
            try:
                await _async_wait_until_idle(hass, entity_id, feature)
            except BaseException:
                turn.release()
                raise
    except TimeoutError:
        raise CannotSpeakError("device_busy") from None
    idle = hass.states.get(entity_id)
    try:
        async with asyncio.timeout(SPEECH_TIMEOUT):
            await hass.services.async_call(
                Platform.ASSIST_SATELLITE,
                action,
                {ATTR_ENTITY_ID: entity_id, **data},
                blocking=True,
            )
    except Exception as err:
        LOGGER.debug("A satellite could not %s: %s", action, type(err).__name__)
        # It leaves the state idle before it says anything. Home Assistant refuses a
        # conversation if the assistant of the device cannot hold one.
        silent = hass.states.get(entity_id) is idle
        refused = start_conversation and silent and isinstance(err, HomeAssistantError)
        raise CannotSpeakError(CANNOT_SPEAK if refused else FAILED) from err
    finally:
        turn.release()


@callback
def get_turn(hass: HomeAssistant, entity_id: str) -> asyncio.Lock:
    """Return the lock of a satellite."""
    turns = hass.data.setdefault(_TURNS, WeakValueDictionary())
    return turns.setdefault(entity_id, asyncio.Lock())


@callback
def find_satellite(hass: HomeAssistant, device_id: str | None) -> str | None:
    """Return the satellite of a device."""
    if device_id is None or Platform.ASSIST_SATELLITE not in hass.config.components:
        return None
    if device_id.startswith(f"{Platform.ASSIST_SATELLITE}."):
        return device_id
    return next(iter(_entities(hass, device_id, Platform.ASSIST_SATELLITE)), None)


@callback
def is_muted(state: State | None) -> bool:
    """Return whether a player is muted.

    Or turned down to nothing.
    """
    return state is not None and (
        state.attributes.get(ATTR_MEDIA_VOLUME_MUTED) is True
        or state.attributes.get(ATTR_MEDIA_VOLUME_LEVEL) == 0
    )


async def _async_wait_until_idle(
    hass: HomeAssistant, entity_id: str, feature: int
) -> None:
    """Wait until a satellite is idle.

    Raises:
        CannotSpeakError: it cannot say anything, whether idle or not.

    """
    changed = asyncio.Event()
    unsubscribe = async_track_state_change_event(
        hass, entity_id, lambda _: changed.set()
    )
    try:
        while require_audible(hass, entity_id, feature).state != STATE_IDLE:
            changed.clear()
            await changed.wait()
    finally:
        unsubscribe()


@callback
def require_audible(hass: HomeAssistant, entity_id: str, feature: int) -> State:
    """Return the state of a satellite that can be heard, sooner or later.

    Raises:
        CannotSpeakError: it is gone, unavailable, muted, or lacks the feature.

    """
    state = hass.states.get(entity_id)
    if state is None:
        raise CannotSpeakError("device_gone")
    if state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        raise CannotSpeakError("device_unavailable")
    if not state.attributes.get(ATTR_SUPPORTED_FEATURES, 0) & feature:
        raise CannotSpeakError(CANNOT_SPEAK)
    if _has_muted_player(hass, entity_id):
        raise CannotSpeakError("device_muted")
    return state


def _has_muted_player(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether a satellite's speaker is muted."""
    satellite = er.async_get(hass).async_get(entity_id)
    if satellite is None or satellite.device_id is None:
        return False
    players = _entities(hass, satellite.device_id, Platform.MEDIA_PLAYER)
    return any(is_muted(hass.states.get(player)) for player in players)


def _entities(hass: HomeAssistant, device_id: str, domain: str) -> list[str]:
    entries = er.async_entries_for_device(er.async_get(hass), device_id)
    return sorted(entry.entity_id for entry in entries if entry.domain == domain)
