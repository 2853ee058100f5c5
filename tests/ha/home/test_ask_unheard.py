"""Questions of agents on devices that nobody hears."""

from homeassistant.core import HomeAssistant
import pytest

from tests.ha.voice_devices import Player, add

from .harness import Home
from .message_calls import ASK, use
from .speakers import Speaker, add_speaker, device_of

pytestmark = pytest.mark.usefixtures("voice")


async def mute(hass: HomeAssistant, speaker: Speaker) -> None:
    """Mute the speaker of a voice device."""
    player = Player(f"{speaker.entity_id} player", muted=True)
    await add(hass, player, device_of(hass, speaker))


@pytest.mark.parametrize("reason", ["device_unavailable", "device_muted"])
async def test_nothing_is_asked_and_the_reason_is_told(
    hass: HomeAssistant, home: Home, kitchen: Speaker, reason: str
) -> None:
    if reason == "device_muted":
        await mute(hass, kitchen)
    else:
        kitchen.go(available=False)

    told = await use(home, ASK, question="Shall I?", area="Kitchen")

    assert told == f'NOT_ASKED: Nothing was asked ("Oven": {reason}).'
    assert kitchen.asked == []


async def test_the_other_device_of_the_area_asks(
    hass: HomeAssistant, home: Home, kitchen: Speaker
) -> None:
    await mute(hass, kitchen)
    other = await add_speaker(hass, "Fridge", "Kitchen")
    other.answer = "yes"

    data = await use(home, ASK, question="Shall I?", area="Kitchen")

    assert data == {"answered": True, "sentence": "yes"}
    assert (kitchen.asked, other.asked) == ([], ["Shall I?"])
