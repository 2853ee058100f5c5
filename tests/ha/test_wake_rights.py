"""Rights to wake the main session."""

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.clawd.const import DOMAIN
from tests.simulator import GatewaySimulator

from .states import AGENT


@pytest.fixture
def child(hass: HomeAssistant) -> str:
    """Return a user without admin rights."""
    user = MockUser().add_to_hass(hass)
    user.mock_policy({"entities": True})
    return user.id


async def wake(hass: HomeAssistant, user_id: str | None, **data: str) -> None:
    """Wake the agent."""
    await hass.services.async_call(
        DOMAIN,
        "wake",
        {"agent": AGENT, "text": "It rings.", **data},
        blocking=True,
        context=Context(user_id=user_id),
    )


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    "agent_settings",
    [
        {"permissions": "administrators"},
        {"permissions": "guarded"},
        {"permissions": "read_only", "agent": "kitchen"},
    ],
)
async def test_main_session_lends_its_rights_to_nobody(
    hass: HomeAssistant, gateway: GatewaySimulator, child: str
) -> None:
    with pytest.raises(Unauthorized):
        await wake(hass, child)
    assert not gateway.received("wake")
    await wake(hass, child, session="us")
    await wake(hass, MockUser(is_owner=True).add_to_hass(hass).id)
    await wake(hass, None)

    assert len(gateway.received("wake")) == 3


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("agent_settings", [{"permissions": "gateway"}])
async def test_everyone_wakes_who_restricts_nobody(
    hass: HomeAssistant, gateway: GatewaySimulator, child: str
) -> None:
    await wake(hass, child)

    assert len(gateway.received("wake")) == 1
