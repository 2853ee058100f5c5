"""Brand images for Home Assistant and HACS."""

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pytest

from .sources import COMPONENT, ROOT

BRAND = COMPONENT / "brand"
SOURCES = ROOT / "docs" / "brand"
IMAGES = ("icon", "logo", "dark_logo")  # the icon is legible on dark, too
SIGNATURE = b"\x89PNG\r\n\x1a\n"
RGBA = 6


class Header(NamedTuple):
    """Header of a PNG."""

    width: int
    height: int
    color: int

    @property
    def transparent(self) -> bool:
        """Whether the pixels have an alpha channel."""
        return self.color == RGBA


def header(content: bytes) -> Header:
    """Read the header of a PNG."""
    assert content[:8] == SIGNATURE
    assert content[12:16] == b"IHDR"
    width, height = content[16:20], content[20:24]
    return Header(int.from_bytes(width), int.from_bytes(height), content[25])


def _proportions(source: Path) -> tuple[int, int]:
    box = ET.parse(source).getroot().attrib["viewBox"].split()  # noqa: S314 - our own
    return int(box[2]), int(box[3])


def test_the_folder_has_every_image_and_no_other() -> None:
    expected = {f"{name}{scale}.png" for name in IMAGES for scale in ("", "@2x")}
    assert {path.name for path in BRAND.iterdir()} == expected


def test_every_image_has_its_source() -> None:
    assert {path.stem for path in SOURCES.glob("*.svg")} == set(IMAGES)


@pytest.mark.parametrize("path", sorted(BRAND.iterdir()), ids=lambda path: path.name)
def test_an_image_is_transparent_and_has_the_proportions_of_its_source(
    path: Path,
) -> None:
    image = header(path.read_bytes())
    width, height = _proportions(SOURCES / f"{path.stem.partition('@')[0]}.svg")

    assert image.transparent
    assert image.width * height == image.height * width


@pytest.mark.parametrize(("scale", "side"), [("", 256), ("@2x", 512)])
def test_an_image_is_as_large_as_it_may_be(scale: str, side: int) -> None:
    icon = header((BRAND / f"icon{scale}.png").read_bytes())
    logos = [
        header((BRAND / f"{name}{scale}.png").read_bytes())
        for name in ("logo", "dark_logo")
    ]

    assert (icon.width, icon.height) == (side, side)
    assert {logo.height for logo in logos} == {side}
    assert all(logo.width >= logo.height for logo in logos)


def test_an_opaque_image_is_caught() -> None:
    size = (256).to_bytes(4) * 2
    chunk = b"\0\0\0\rIHDR" + size
    assert not header(SIGNATURE + chunk + b"\x08\x02").transparent
    assert header(SIGNATURE + chunk + b"\x08\x06") == Header(256, 256, RGBA)
