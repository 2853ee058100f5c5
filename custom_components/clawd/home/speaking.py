"""Announcements on voice devices."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Context, HomeAssistant, State, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_track_state_change_event

from ..const import LOGGER
from ..coordinator import async_create_background_task
from ..gateway import NodeCallError
from .quiet_hours import is_quiet
from .satellites import CannotSpeakError, async_speak, get_turn, require_audible
from .text import one_line
from .voice_devices import ASSIST_SATELLITE, START_CONVERSATION, list_devices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from homeassistant.core import Event, EventStateChangedData

    from ..coordinator import ClawdConfigEntry
    from .caller import Caller
    from .messages import Message
    from .voice_devices import VoiceDevice

QUIET_HOURS: Final = "QUIET_HOURS"
DEVICE_IN_USE: Final = "DEVICE_IN_USE"
NOT_ANNOUNCED: Final = "NOT_ANNOUNCED"
NOT_ASKED: Final = "NOT_ASKED"
# Maximum age of a request to count as current, in seconds.
MAX_REQUEST_AGE: Final = 120.0
MAX_SENTENCE: Final = 500
LISTENING: Final = "listening"


@callback
def require_time_to_speak(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    caller: Caller,
    devices: Sequence[VoiceDevice],
    now: float,
) -> None:
    """Check the quiet hours.

    They do not apply to a voice request: the user and the area are awake.

    Raises:
        NodeCallError: the home is quiet now.

    """
    if not is_quiet(hass, entry):
        return
    origin = caller.origin
    if origin and origin.device_id and origin.by_person and caller.in_own_run:
        device = dr.async_get(hass).async_get(origin.device_id)
        area = device.area_id if device else None
        is_now = now - origin.asked_at <= MAX_REQUEST_AGE
        if is_now and area and all(one.area_id == area for one in devices):
            return
    raise NodeCallError(
        QUIET_HOURS,
        "Not done: the home has quiet hours now, so nothing is announced or asked. "
        "You can send a notification by home_notify instead.",
    )


@callback
def devices_to_announce_on(
    caller: Caller, devices: Sequence[VoiceDevice]
) -> list[VoiceDevice]:
    """Return the devices for an announcement.

    Not the device of the current conversation. To announce there would interrupt the
    conversation that this call is part of.

    Raises:
        NodeCallError: there is no other one.

    """
    found = [one for one in devices if not _in_conversation(caller, one)]
    if not found:
        raise _in_use("Say it in your answer")
    return found


@callback
def device_to_ask_on(
    hass: HomeAssistant, caller: Caller, devices: Sequence[VoiceDevice]
) -> VoiceDevice:
    """Return the idle device for a question.

    Raises:
        NodeCallError: there is none, or more than one.

    """
    failed: dict[str, str] = {}
    audible = [one for one in devices if _is_audible(hass, one, failed)]
    if not audible:
        raise NodeCallError(NOT_ASKED, f"Nothing was asked ({_reasons(failed)}).")
    idle = [one for one in audible if one.idle]
    if len(idle) == 1:
        return idle[0]
    if idle:
        raise NodeCallError(
            DEVICE_IN_USE,
            "More than one voice device is there; name the one to ask on by the "
            f"argument device: {list_devices(hass, idle)}.",
        )
    if all(_in_conversation(caller, one) for one in audible):
        raise _in_use("Ask in your answer, and end your turn")
    raise _busy(hass, audible)


async def async_announce(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    devices: Sequence[VoiceDevice],
    text: str,
    timeout: float,
) -> dict[str, Any]:
    """Announce a text; return the devices.

    Raises:
        NodeCallError: no device could announce it.

    """
    failed: dict[str, str] = {}

    async def async_announce_on(device: VoiceDevice) -> None:
        try:
            await async_speak(hass, device.entity_id, text)
        except CannotSpeakError as err:
            failed[device.name] = err.code

    tasks = {
        async_create_background_task(
            hass, entry, async_announce_on(device), "clawd announcement"
        ): device.name
        for device in devices
    }
    try:
        done, pending = await asyncio.wait(tasks, timeout=timeout)
    except asyncio.CancelledError:
        # The agent was stopped.
        for task in tasks:
            task.cancel()
        raise
    announced = [tasks[task] for task in done if tasks[task] not in failed]
    LOGGER.debug(
        "Announcement: %s devices done, %s in progress, %s failed",
        len(announced),
        len(pending),
        len(failed),
    )
    if not announced and not pending:
        raise NodeCallError(
            NOT_ANNOUNCED, f"Nothing was announced ({_reasons(failed)})."
        )
    return {
        "announced": sorted(announced),
        **({"under_way": sorted(tasks[task] for task in pending)} if pending else {}),
        **({"not_announced": dict(sorted(failed.items()))} if failed else {}),
    }


async def async_ask(
    hass: HomeAssistant,
    device: VoiceDevice,
    message: Message,
    timeout: float,
    context: Context,
) -> dict[str, Any]:
    """Ask a question, and return the answer.

    Raises:
        NodeCallError: the device could not ask it.

    """
    listened = asyncio.Event()

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        # Anyone may fire an event, with any data.
        state = event.data.get("new_state")
        if isinstance(state, State) and state.state == LISTENING:
            listened.set()

    turn = get_turn(hass, device.entity_id)
    if turn.locked():
        raise _busy(hass, [device])
    LOGGER.debug("Asking a question on a voice device for up to %.0f s", timeout)
    unsubscribe = async_track_state_change_event(hass, device.entity_id, changed)
    try:
        async with asyncio.timeout(timeout), turn:
            response = await hass.services.async_call(
                ASSIST_SATELLITE,
                "ask_question",
                _question(device, message),
                blocking=True,
                context=context,
                return_response=True,
            )
    except TimeoutError:
        response = None
    except Exception as err:
        LOGGER.debug("A question was not answered: %s", type(err).__name__)
        # Home Assistant 2026.3 hands state changes over an iteration later.
        await asyncio.sleep(0)
        # Home Assistant raises where nobody answered, as where it cannot ask.
        if not (isinstance(err, HomeAssistantError) and listened.is_set()):
            raise NodeCallError(
                "FAILED", f'The voice device "{device.name}" could not ask.'
            ) from err
        response = None
    finally:
        unsubscribe()
    sentence = str((response or {}).get("sentence") or "")
    LOGGER.debug("Answer on the voice device: %s characters", len(sentence))
    if not sentence.strip():
        return {"answered": False, "note": "Nobody answered in time."}
    assert response is not None  # noqa: S101 - it has a sentence
    return {
        "answered": True,
        "sentence": one_line(sentence, MAX_SENTENCE),
        **({"answer": response.get("id")} if message.answers else {}),
    }


def _question(device: VoiceDevice, message: Message) -> dict[str, Any]:
    answers = [
        {"id": variants[0], "sentences": list(variants)} for variants in message.answers
    ]
    return {
        ATTR_ENTITY_ID: device.entity_id,
        "question": message.text,
        **({"answers": answers} if answers else {}),
    }


@callback
def _is_audible(
    hass: HomeAssistant, device: VoiceDevice, failed: dict[str, str]
) -> bool:
    """Return whether a question can be heard, or note the reason."""
    try:
        require_audible(hass, device.entity_id, START_CONVERSATION)
    except CannotSpeakError as err:
        failed[device.name] = err.code
        return False
    return True


def _reasons(failed: Mapping[str, str]) -> str:
    """List devices that failed, with codes."""
    return ", ".join(f'"{name}": {code}' for name, code in sorted(failed.items()))


def _in_conversation(caller: Caller, device: VoiceDevice) -> bool:
    """Return whether a device has the conversation."""
    origin = caller.origin
    is_of_origin = origin is not None and origin.device_id == device.device_id
    return is_of_origin and device.device_id is not None and not device.idle


def _busy(hass: HomeAssistant, devices: Sequence[VoiceDevice]) -> NodeCallError:
    return NodeCallError(
        DEVICE_IN_USE,
        f"Not asked: in use just now is {list_devices(hass, devices)}. Try again "
        "later, or use another device.",
    )


def _in_use(instead: str) -> NodeCallError:
    return NodeCallError(
        DEVICE_IN_USE,
        f"The user is talking with you on this very device. {instead}.",
    )
