"""Blueprints with answers that are pictures and files."""

from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.simulator import GatewaySimulator, Media, Reply

from .ai_tasks import cleaned_up
from .test_agent_blueprints import (
    SATELLITE,
    Blueprints,
    Morning,
    announced,
    bell,
    blueprints,
    morning,
    ring,
    start,
    time,
)

__all__ = ["bell", "blueprints", "morning", "time"]


@pytest.fixture(autouse=True)
def _cache(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        hass.config, "cache_path", lambda *path: str(tmp_path.joinpath(*path))
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A cat.", "A cat."),
        ("", "cat.png, gone.png cannot be shown: it no longer exists, or is outside "),
    ],
)
async def test_an_answer_without_words_names_its_files(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    blueprints: Blueprints,
    text: str,
    told: str,
) -> None:
    gateway.http.files["/ws/cat.png"] = ("image/png", b"\x89PNG")
    gateway.script(
        *([Reply(text)] if text else []), Media(("/ws/cat.png", "/ws/gone.png"))
    )
    await blueprints.use("tell_when_a_task_is_done")
    await start(hass)
    await cleaned_up(entry)
    await hass.async_block_till_done()
    [message] = blueprints.messages
    assert message.startswith(told)


def draw(gateway: GatewaySimulator) -> None:
    """Have the agent answer with a picture only."""
    gateway.http.files["/ws/cat.png"] = ("image/png", b"\x89PNG")
    gateway.script(Media(("/ws/cat.png",)))


async def test_a_morning_with_nothing_but_a_picture_is_told(
    morning: Morning, gateway: GatewaySimulator, blueprints: Blueprints
) -> None:
    draw(gateway)

    await morning()

    told = "The agent did not answer."
    assert announced(blueprints.announced) == [([SATELLITE], told)]
    assert blueprints.messages == [told]


@pytest.mark.usefixtures("bell")
async def test_a_ring_that_is_not_described_in_words_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator, blueprints: Blueprints
) -> None:
    draw(gateway)

    await ring(hass)

    told = "Someone is at the door."
    assert announced(blueprints.announced) == [([SATELLITE], told)]
    assert blueprints.messages == [told]
