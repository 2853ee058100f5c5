"""Pictures that a Gateway refuses."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from tests.simulator import GatewaySimulator, Refuse

from .ai_tasks import generate, media, more_subentries, settings
from .pictures import add_camera

pytestmark = pytest.mark.usefixtures("entry")
__all__ = ["more_subentries", "settings"]

# Where the list of models does not have the model.
BLIND = Refuse(
    "UnsupportedAttachmentError: attachment picture-1.jpg: active model does not "
    "accept image inputs"
)


async def error_of(hass: HomeAssistant, *, picture: bool) -> HomeAssistantError:
    """Return the error of a task."""
    more = {"attachments": media(await add_camera(hass))} if picture else {}
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass, **more)
    return error.value


async def test_a_picture_that_the_gateway_refuses_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.script(BLIND)
    error = await error_of(hass, picture=True)
    assert error.translation_key == "pictures_refused"
    assert "Its model may not accept them" in str(error)


@pytest.mark.parametrize(
    ("refusal", "picture"), [(BLIND, False), (Refuse("no", "FORBIDDEN"), True)]
)
async def test_another_refusal_is_not_blamed_on_pictures(
    hass: HomeAssistant, gateway: GatewaySimulator, refusal: Refuse, *, picture: bool
) -> None:
    gateway.script(refusal)
    error = await error_of(hass, picture=picture)
    assert error.translation_key == "request_failed"
