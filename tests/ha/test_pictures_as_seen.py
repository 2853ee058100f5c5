"""Pictures of uncommon kinds, as a model sees them."""

from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from homeassistant.core import HomeAssistant
from PIL import Image
import pytest

from tests.simulator import GatewaySimulator, Reply

from .pictures import add_camera
from .test_broken_attachments import ask, refused

pytestmark = pytest.mark.usefixtures("entry")

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def square(mode: str, around: Any, within: Any, kind: str, **more: Any) -> bytes:  # noqa: ANN401 - as in PIL
    """Return a picture with a square in the middle."""
    picture = Image.new(mode, (60, 60), around)
    if mode == "P":
        picture.putpalette([*BLACK, 1, 1, 1] * 128)
    picture.paste(within, (20, 20, 40, 40))
    return encoded(picture, kind, **more)


def encoded(picture: Image.Image, kind: str, **more: Any) -> bytes:  # noqa: ANN401 - as in PIL
    """Return the file of a picture."""
    stream = BytesIO()
    picture.save(stream, kind, **more)
    return stream.getvalue()


def transparent() -> Iterator[tuple[str, bytes]]:
    """Yield black squares on nothing, which is black where it is not seen."""
    yield "RGBA", square("RGBA", (0, 0, 0, 0), (0, 0, 0, 255), "PNG")
    yield "LA", square("LA", (0, 0), (0, 255), "PNG")
    yield "WEBP", square("RGBA", (0, 0, 0, 0), (0, 0, 0, 255), "WEBP", lossless=True)
    yield "RGB", square("RGB", (0, 0, 1), BLACK, "PNG", transparency=(0, 0, 1))
    for kind in ("GIF", "PNG"):
        yield kind, square("P", 1, 0, kind, transparency=1)


async def colors_shown(
    hass: HomeAssistant, gateway: GatewaySimulator, content: bytes
) -> Any:  # noqa: ANN401 - as in PIL
    """Show an agent a picture; return the colors of corner and middle."""
    gateway.script(Reply("Seen."))
    await ask(hass, await add_camera(hass, content))
    [request] = gateway.received("agent")
    [sent] = request.params["attachments"]
    shown = Image.open(BytesIO(b64decode(sent["content"])))
    assert shown.size == (60, 60)
    return shown.getpixel((2, 2)), shown.getpixel((30, 30))


@pytest.mark.parametrize(
    "content", [pytest.param(content, id=kind) for kind, content in transparent()]
)
async def test_what_is_transparent_is_white(
    hass: HomeAssistant, gateway: GatewaySimulator, content: bytes
) -> None:
    assert await colors_shown(hass, gateway, content) == (WHITE, BLACK)


@pytest.mark.parametrize(
    ("mode", "low", "high", "kind"),
    [
        ("I;16", 20_000, 24_000, "PNG"),
        ("I;16", 20_000, 24_000, "TIFF"),
        ("I", 20_000, 24_000, "TIFF"),
        ("F", 0.2, 0.4, "TIFF"),
    ],
)
async def test_a_thermal_picture_is_neither_black_nor_white(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    mode: str,
    low: float,
    high: float,
    kind: str,
) -> None:
    assert await colors_shown(hass, gateway, square(mode, low, high, kind)) == (
        BLACK,
        WHITE,
    )


async def test_a_picture_of_one_level_is_read(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    content = encoded(Image.new("I;16", (60, 60), 20_000), "PNG")
    assert await colors_shown(hass, gateway, content) == (BLACK, BLACK)


@pytest.mark.parametrize("side", [9_500, 20_000])
async def test_a_picture_of_too_many_pixels_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator, side: int
) -> None:
    # A small file, but not when it is decoded.
    content = encoded(Image.new("1", (side, side)), "PNG")
    assert await refused(hass, await add_camera(hass, content)) == "picture_too_large"
    assert gateway.received("agent") == []
