"""Blueprint for tasks whose answers are pictures and files."""

from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.simulator import GatewaySimulator, Media, Reply

from .ai_tasks import cleaned_up
from .test_agent_blueprints import Blueprints, blueprints, start

__all__ = ["blueprints"]


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
