"""The brand images, as the frontend gets them."""

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from tests.contracts.sources import COMPONENT


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("icon.png", "icon.png"),
        ("dark_icon@2x.png", "icon@2x.png"),
        ("logo.png", "logo.png"),
        ("dark_logo.png", "dark_logo.png"),
    ],
)
async def test_home_assistant_shows_our_own(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, asked: str, shown: str
) -> None:
    assert await async_setup_component(hass, "brands", {})
    browser = await hass_client()

    response = await browser.get(f"/api/brands/integration/clawd/{asked}")

    assert response.status == 200
    assert await response.read() == (COMPONENT / "brand" / shown).read_bytes()
