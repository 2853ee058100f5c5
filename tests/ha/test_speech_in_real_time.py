"""Pauses of a real-time player."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
import re
import time
from typing import Any
from unittest.mock import patch

from homeassistant.components import tts
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.simulator import GatewaySimulator, Reply, Tool
from tests.simulator.script import Step

from .voice_pipeline import (
    STEP,
    RealTimePlayer,
    StoppedClock,
    add_player,
    create_pipeline,
)

pytestmark = pytest.mark.parametrize("protocol", [3, 4])

MAX_PAUSE = 3.0
SCRATCH = "I should look up the sensor first."
LONG = (
    "The garden is wet and the garage is dry as far as I know by now. The two lamps "
    "in the hall were on this morning, and someone turned them off at noon. The "
    "heating in the bath runs since six, which is earlier than on other days. The "
    "door of the balcony is shut. I will look at the sensors now. "
)
ANSWER = "It is 21 degrees."
ANSWERED = Reply(ANSWER)
# The turn goes on, however long the agent needs.
STAYS: dict[str, Any] = {"handoff_after": 0}
EVERYTHING: dict[str, Any] = {**STAYS, "spoken_part": "everything"}
PHRASES = (
    "One moment, please.",
    "I am still working on it.",
    "This is taking a little longer.",
)


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return the settings of an agent that hands nothing off."""
    return STAYS


@dataclass(frozen=True, slots=True)
class Heard:
    """Spoken text and the pipeline's result."""

    player: RealTimePlayer
    speech: str
    microphone_open: bool
    waited: float

    @property
    def sentences(self) -> list[str]:
        """Return the sentences that were said."""
        return [sentence.text for sentence in self.player.said]


type Ask = Callable[..., Awaitable[Heard]]


@pytest.fixture
async def ask(  # noqa: PLR0913, PLR0917 - what a pipeline needs
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    tmp_path: Path,
    hass_ws_client: WebSocketGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> Ask:
    """Return a function that asks, and waits for the end of the reply."""

    async def run(*steps: Step, language: str = "en", rate: float = 15) -> Heard:
        with patch.object(tts, "_init_tts_cache_dir", lambda *_: str(tmp_path)):
            assert await async_setup_component(hass, "assist_pipeline", {})
        player = RealTimePlayer(rate)
        await add_player(hass, player)
        client = await hass_ws_client(hass)
        assist = await create_pipeline(client, player, language)
        gateway.script(*steps)
        clock = StoppedClock()
        with monkeypatch.context() as patched:
            patched.setattr(time, "monotonic", clock.monotonic)
            asked_at = clock.now
            await assist.ask(satellite)
            end = asyncio.create_task(assist.events_to("run-end"))
            await clock.run_until_done(entry, end)
            await player.done.wait()
        [result] = [
            event["intent_output"] for event in end.result() if "intent_output" in event
        ]
        return Heard(
            player,
            result["response"]["speech"]["plain"]["speech"],
            result["continue_conversation"],
            player.said[0].start - asked_at,
        )

    return run


def wait(seconds: float) -> Reply:
    """Return a step that takes so long and tells nothing."""
    return Reply(chunks=("",), delay=seconds)


def written(text: str, delay: float) -> Reply:
    """Return a reply of a word each so many seconds."""
    words = re.findall(r"\S+\s*", text)
    size = max(1, round(STEP / delay))
    chunks = ("".join(chunk) for chunk in batched(words, size, strict=False))
    return Reply(chunks=tuple(chunks), delay=size * delay)


# Seconds a word: a fast model, a usual one, a slow one or a small one at home, and one
# that writes more slowly than one speaks.
@pytest.mark.parametrize(
    ("speed", "latest"), [(0.025, 2.0), (0.1, 2.8), (0.3, 6.0), (0.4, 7.5)]
)
async def test_a_long_reply_is_heard_before_it_is_written(
    ask: Ask, speed: float, latest: float
) -> None:
    heard = await ask(written(LONG, speed))

    assert heard.waited < latest
    assert heard.player.longest_pause < MAX_PAUSE
    assert " ".join(heard.sentences) == heard.speech == LONG.strip()


@pytest.mark.parametrize("speed", [0.025, 0.3])
async def test_a_short_reply_is_heard_when_it_is_written(
    ask: Ask, speed: float
) -> None:
    heard = await ask(written(ANSWER, speed))

    assert heard.sentences == [ANSWER]
    assert heard.waited < len(ANSWER.split()) * speed + 1.5


@pytest.mark.parametrize("speed", [0.025, 0.3])
@pytest.mark.parametrize("agent_settings", [STAYS, EVERYTHING])
async def test_what_is_said_before_a_tool_waits_for_the_answer(
    ask: Ask, agent_settings: dict[str, Any], speed: float
) -> None:
    heard = await ask(written(SCRATCH, speed), Tool("look"), wait(8), ANSWERED)

    told = [SCRATCH, ANSWER] if agent_settings == EVERYTHING else [ANSWER]
    assert heard.sentences == told
    assert heard.waited > 8
    assert heard.player.longest_pause == 0
    assert heard.speech == "\n\n".join(told)


@pytest.mark.parametrize(
    ("speed", "seconds", "rate"),
    [(0.025, 8, 15), (0.025, 40, 20), (0.1, 40, 13), (0.3, 8, 20), (0.3, 40, 15)],
)
async def test_a_player_that_speaks_never_waits_for_a_tool(
    ask: Ask, speed: float, seconds: float, rate: float
) -> None:
    heard = await ask(
        written(LONG, speed), Tool("look"), wait(seconds), ANSWERED, rate=rate
    )

    assert heard.player.longest_pause < MAX_PAUSE
    own = [text for text in heard.sentences if text not in PHRASES]
    assert " ".join(own) == f"{LONG}{ANSWER}"
    # What was written comes before what is said in its place.
    assert heard.sentences[: len(own) - 1] == own[:-1]
    assert len(heard.sentences) - len(own) <= seconds / 3
    assert heard.speech == ANSWER


async def test_two_sentences_before_a_tool_are_not_taken_for_the_answer(
    ask: Ask,
) -> None:
    scratch = (
        "I should look up the sensor in the living room and the one outside first. "
        "Then I compare them."
    )
    heard = await ask(written(scratch, 0.05), Tool("look"), wait(8), ANSWERED)

    assert heard.sentences == [ANSWER]


async def test_a_pause_is_bridged_with_the_words_of_the_agent(ask: Ask) -> None:
    more = "Now the sensor in the attic."
    heard = await ask(
        written(LONG, 0.025),
        *(Tool("look"), wait(14), Reply(more), Tool("look"), wait(9)),
        *(Reply("And the cellar."), Tool("look"), wait(9), ANSWERED),
    )

    assert heard.player.longest_pause < MAX_PAUSE
    assert heard.sentences.index(more) == 5
    assert "And the cellar." in heard.sentences
    assert heard.speech == ANSWER


async def test_a_pause_is_bridged_in_the_language_of_the_question(ask: Ask) -> None:
    heard = await ask(
        written(LONG, 0.025), Tool("look"), wait(30), ANSWERED, language="de"
    )

    assert "Einen Moment, bitte." in heard.sentences
    assert heard.player.longest_pause < MAX_PAUSE


@pytest.mark.parametrize("agent_settings", [{"handoff_after": 12}])
async def test_what_takes_long_after_speech_has_begun_is_handed_off(ask: Ask) -> None:
    heard = await ask(written(LONG, 0.025), Tool("look"), wait(60), ANSWERED)

    assert heard.player.longest_pause < MAX_PAUSE
    assert heard.sentences[-1] == "I'm on it; I'll tell you when it's done."
    # One each two and a half seconds at most, and their own length.
    assert len([text for text in heard.sentences if text in PHRASES]) < 6
    assert ANSWER not in heard.sentences
    assert heard.speech.endswith(heard.sentences[-1])
    assert not heard.microphone_open


async def test_a_model_that_writes_more_slowly_than_it_is_read(ask: Ask) -> None:
    heard = await ask(written(LONG, 0.7))

    assert heard.player.longest_pause < MAX_PAUSE
    own = [text for text in heard.sentences if text not in PHRASES]
    assert " ".join(own) == heard.speech == LONG.strip()


@pytest.mark.parametrize("agent_settings", [EVERYTHING])
async def test_everything_is_spoken_as_it_comes_once_speech_has_begun(ask: Ask) -> None:
    heard = await ask(
        written(LONG, 0.1),
        *(Tool("look"), wait(14), Reply(SCRATCH), Tool("look"), wait(9), ANSWERED),
    )

    own = [text for text in heard.sentences if text not in PHRASES]
    assert " ".join(own) == f"{LONG}{SCRATCH} {ANSWER}"
    assert heard.speech == f"{LONG.strip()}\n\n{SCRATCH}\n\n{ANSWER}"
    assert heard.player.longest_pause < MAX_PAUSE
