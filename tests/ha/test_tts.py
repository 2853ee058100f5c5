"""The voice of a Gateway."""

import asyncio
from collections.abc import AsyncGenerator
from io import BytesIO
import json
from pathlib import Path
import wave

from homeassistant.components import tts
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.simulator import GatewaySimulator, Speech
from tests.simulator.speech import ID3, MP3_FRAME, mp3, samples, wav

from .downloads import Download
from .leftovers import platforms_with_entities
from .self_test import run_self_test, statuses
from .states import CONNECTIVITY, wait_for_state

VOICE = "tts.openclaw_gateway_voice"
# No ffmpeg is at hand: what is asked for is what the Gateway gives.
AS_WAV = {tts.ATTR_PREFERRED_FORMAT: "wav"}


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Disable the cache of speech."""
    monkeypatch.setattr(tts, "_init_tts_cache_dir", lambda *_: str(tmp_path))


@pytest.fixture
def speech(gateway: GatewaySimulator) -> Speech:
    """Give the Gateway a provider."""
    gateway.speech = Speech()
    return gateway.speech


@pytest.fixture
async def voice(
    hass: HomeAssistant, speech: Speech, new_entry: MockConfigEntry
) -> Speech:
    """Set up an entry for a Gateway with a provider."""
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()
    return speech


def stream_of(
    hass: HomeAssistant, options: dict[str, str] | None = None
) -> tts.ResultStream:
    return tts.async_create_stream(hass, VOICE, options=options or AS_WAV)


async def audio_of(stream: tts.ResultStream) -> bytes:
    return b"".join([chunk async for chunk in stream.async_stream_result()])


async def spoken(
    hass: HomeAssistant, text: str, options: dict[str, str] | None = None
) -> bytes:
    stream = stream_of(hass, options)
    stream.async_set_message(text)
    return await audio_of(stream)


def samples_of(content: bytes) -> bytes:
    with wave.open(BytesIO(content)) as file:
        return bytes(file.readframes(file.getnframes()))


async def error_of(hass: HomeAssistant, text: str) -> str | None:
    with pytest.raises(HomeAssistantError) as caught:
        await spoken(hass, text)
    return caught.value.translation_key


async def announce_change(gateway: GatewaySimulator, entry: MockConfigEntry) -> None:
    """Tell of a changed configuration, and wait until the status was read."""
    count = len(gateway.received("tts.status"))
    gateway.broadcast("config.changed", {"path": "config.json", "hash": "x"})
    await gateway.wait_for_request("tts.status", count + 1)
    await entry.runtime_data.client.request("health")


@pytest.mark.usefixtures("voice")
async def test_a_sentence_is_spoken_as_it_is(hass: HomeAssistant) -> None:
    state = hass.states.get(VOICE)
    assert state
    assert state.state == STATE_UNKNOWN
    assert state.name == "OpenClaw Gateway Voice"
    assert await spoken(hass, "The light is on.") == wav("The light is on.")
    assert hass.states.get(VOICE) != state


async def test_a_text_is_spoken_sentence_by_sentence(
    hass: HomeAssistant, voice: Speech
) -> None:
    text = "It is warm. It is dry. It is late."
    content = await spoken(hass, text)
    assert voice.spoken == ["It is warm.", "It is dry.", "It is late."]
    assert samples_of(content) == samples("".join(voice.spoken))


async def test_mp3_files_are_joined(hass: HomeAssistant, voice: Speech) -> None:
    voice.file_format, voice.mime_type = "mp3", "audio/mpeg"
    voice.synthesize = mp3
    content = await spoken(hass, "One. Two.", {tts.ATTR_PREFERRED_FORMAT: "mp3"})
    assert content.count(MP3_FRAME) == 8
    # Home Assistant replaces the tag by its own.
    assert content.count(ID3[:3]) == 1


async def test_the_first_sentence_is_heard_before_the_text_is_complete(
    hass: HomeAssistant, voice: Speech
) -> None:
    go_on = asyncio.Event()

    async def text() -> AsyncGenerator[str]:
        yield "It is warm. It"
        await go_on.wait()
        yield " is late."

    stream = stream_of(hass)
    assert stream.supports_streaming_input
    stream.async_set_message_stream(text())
    chunks = stream.async_stream_result()
    assert samples_of(await anext(chunks)) == samples("It is warm.")
    assert voice.spoken == ["It is warm."]
    go_on.set()
    assert [chunk async for chunk in chunks] == [samples("It is late.")]


@pytest.mark.usefixtures("voice")
async def test_every_language_of_home_assistant_is_offered(hass: HomeAssistant) -> None:
    entity = hass.data[tts.DATA_COMPONENT].get_entity(VOICE)
    assert entity
    assert {"en", "de", "es", "fr", "nl"} <= set(entity.supported_languages)
    assert entity.default_language == "en"
    # The Gateway takes nothing but the text.
    assert entity.supported_options is None
    assert entity.async_get_supported_voices("en") is None


async def test_the_language_is_that_of_home_assistant(
    hass: HomeAssistant, speech: Speech, new_entry: MockConfigEntry
) -> None:
    for language, expected in (("de", "de"), ("tlh", "en")):
        hass.config.language = language
        assert await hass.config_entries.async_setup(new_entry.entry_id)
        [entity] = hass.data[tts.DATA_COMPONENT].entities
        assert entity.default_language == expected
        assert await hass.config_entries.async_unload(new_entry.entry_id)
    assert speech.spoken == []


@pytest.mark.parametrize("text", ["…", "```\ncode\n```"])
async def test_a_text_without_words_is_an_error(
    hass: HomeAssistant, voice: Speech, text: str
) -> None:
    assert await error_of(hass, text) == "nothing_to_speak"
    assert voice.spoken == []


async def test_a_provider_that_fails_is_an_error(
    hass: HomeAssistant, voice: Speech
) -> None:
    voice.failing = lambda _: True
    assert await error_of(hass, "It is warm.") == "speech_failed"


async def test_a_provider_that_fails_in_the_middle_is_an_error(
    hass: HomeAssistant, voice: Speech
) -> None:
    voice.failing = lambda text: "dry" in text
    stream = stream_of(hass)
    stream.async_set_message("It is warm. It is dry. It is late.")
    chunks = stream.async_stream_result()
    # What was spoken before is heard.
    assert samples_of(await anext(chunks)) == samples("It is warm.")
    with pytest.raises(HomeAssistantError) as caught:
        await anext(chunks)
    assert caught.value.translation_key == "speech_failed"
    assert caught.value.translation_placeholders == {"code": "UNAVAILABLE"}


@pytest.mark.parametrize("text", ["It is warm.", "It is warm. It is dry."])
async def test_audio_that_cannot_be_used_is_an_error(
    hass: HomeAssistant, voice: Speech, text: str
) -> None:
    voice.file_format, voice.mime_type = "pcm", "audio/pcm"
    assert await error_of(hass, text) == "speech_format"


async def test_files_that_cannot_be_joined_are_an_error(
    hass: HomeAssistant, voice: Speech
) -> None:
    voice.file_format, voice.mime_type = "flac", "audio/flac"
    assert await error_of(hass, "It is warm. It is dry.") == "speech_format"


async def test_a_change_of_the_format_in_the_middle_is_an_error(
    hass: HomeAssistant, voice: Speech
) -> None:
    voice.synthesize = lambda text: wav(text, 16_000 if "dry" in text else 8_000)
    assert await error_of(hass, "It is warm. It is dry.") == "speech_format"


async def test_a_lost_connection_is_an_error(
    hass: HomeAssistant, voice: Speech, gateway: GatewaySimulator
) -> None:
    assert await spoken(hass, "It is warm.")
    gateway.hold("tts.speak")
    stream = stream_of(hass)
    stream.async_set_message("It is dry.")
    task = asyncio.create_task(audio_of(stream))
    await gateway.wait_for_request("tts.speak", 2)
    gateway.drop()
    with pytest.raises(HomeAssistantError) as caught:
        await task
    assert caught.value.translation_key == "connection_lost"
    assert voice.spoken == ["It is warm."]


async def test_without_a_provider_nothing_is_set_up(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    assert entry.runtime_data.speech.data.configured is False
    assert hass.states.get(VOICE) is None
    # Neither are the components below it.
    assert "tts" not in hass.config.components


@pytest.mark.parametrize("protocol", [3])
async def test_clawdbot_has_no_voice(
    hass: HomeAssistant,
    speech: Speech,
    gateway: GatewaySimulator,
    new_entry: MockConfigEntry,
) -> None:
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    assert hass.states.get(VOICE) is None
    assert gateway.received("tts.status") == []
    assert speech.spoken == []


async def test_a_provider_appears_goes_and_comes_back(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.speech = Speech()
    await announce_change(gateway, entry)
    # Another change does not set the platform up twice.
    await announce_change(gateway, entry)
    await wait_for_state(hass, VOICE, STATE_UNKNOWN)
    assert await spoken(hass, "It is warm.")

    gateway.speech.configured = False
    await announce_change(gateway, entry)
    await wait_for_state(hass, VOICE, STATE_UNAVAILABLE)
    assert await error_of(hass, "It is dry.") == "no_speech_provider"

    gateway.speech.configured = True
    await announce_change(gateway, entry)
    assert await spoken(hass, "It is late.")
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await spoken(hass, "It is cold.")


@pytest.mark.usefixtures("voice")
async def test_the_voice_follows_the_connection(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    assert gateway.speech
    await gateway.suspend()
    await wait_for_state(hass, VOICE, STATE_UNAVAILABLE)
    gateway.speech.configured = False
    await gateway.resume()
    await wait_for_state(hass, CONNECTIVITY, "on")
    await gateway.wait_for_request("tts.status", 2)
    await new_entry.runtime_data.client.request("health")
    await wait_for_state(hass, VOICE, STATE_UNAVAILABLE)
    # A status that cannot be read changes nothing.
    gateway.speech.configured = True
    gateway.refuse_method("tts.status")
    await announce_change(gateway, new_entry)
    await wait_for_state(hass, VOICE, STATE_UNAVAILABLE)


async def test_an_entry_that_is_unloaded_meanwhile_leaves_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.speech = Speech()
    speech = entry.runtime_data.speech
    await speech.async_refresh_status()
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    # A listener that is late finds no connection.
    await speech.async_refresh_status()
    assert platforms_with_entities(hass) == []


async def test_the_self_test_speaks_a_word(hass: HomeAssistant, voice: Speech) -> None:
    report = await run_self_test(hass, checks=["text_to_speech"])
    assert statuses(report) == {"text_to_speech": "pass"}
    assert "(wav)" in report["checks"][0]["message"]
    assert voice.spoken == ["Test"]


async def test_the_diagnostics_count_what_was_spoken(
    hass: HomeAssistant, voice: Speech, download: Download
) -> None:
    voice.failing = lambda text: "dry" in text
    assert await spoken(hass, "It is warm.")
    assert await error_of(hass, "It is dry.") == "speech_failed"
    content = await download()
    section = json.loads(content)["data"]["speech"]
    assert section.pop("slowest") >= 0
    assert section == {
        "configured": True,
        "loaded": True,
        "spoken": 1,
        "failed": {"UNAVAILABLE": 1},
        "formats": {"wav": 1},
    }
    assert "It is" not in content


@pytest.mark.usefixtures("speech")
async def test_a_component_that_is_broken_leaves_the_rest(
    hass: HomeAssistant, new_entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> bool:
        return False

    monkeypatch.setattr(tts, "async_setup", fail)
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    assert hass.states.get(CONNECTIVITY)
    assert not await async_setup_component(hass, "tts", {})
