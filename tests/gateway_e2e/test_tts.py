"""Text-to-speech by the Gateway."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from io import BytesIO
import shutil
import time
from typing import cast
import wave

from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.clawd.assist.audio import is_audio
from custom_components.clawd.assist.synthesis import async_speak
from custom_components.clawd.gateway import (
    GatewayClient,
    RequestFailedError,
    SpeechStatus,
    TtsCommands,
)
from custom_components.clawd.runtime.speech import SpeechCoordinator, SpeechStatistics
from tests.simulator import GatewaySimulator, Speech
from tests.simulator.speech import wav

from .clients import new_client, running
from .gateway_harness import GatewayHarness, RealGatewayHarness, SimulatedGatewayHarness
from .gateways import serve_gateway
from .speaker import FAIL, PROVIDER, RATE, frames_of, speech_settings

ESPEAK = shutil.which("espeak-ng")
CONFIGURED = SpeechStatus(PROVIDER, configured=True)
TEXT = "It is warm in the kitchen. It is cold outside. Good night."
# The simulator speaks a sample for each character.
SAMPLES = {"real": frames_of(TEXT), "simulated": len(TEXT) - 2}


@pytest.fixture(params=["real", "simulated"])
def origin(request: pytest.FixtureRequest) -> str:
    """Return whether the Gateway is real or simulated."""
    return str(request.param)


@pytest.fixture
async def speaking_client(
    origin: str, request: pytest.FixtureRequest
) -> AsyncGenerator[GatewayClient]:
    """Return a client of a Gateway with a provider of speech."""
    if origin == "real":
        harness: GatewayHarness = RealGatewayHarness(
            request.getfixturevalue("equipped_gateway")
        )
        async with running(new_client(harness)) as client:
            yield client
        return
    speech = Speech(failing=lambda text: FAIL in text)
    async with (
        GatewaySimulator(speech=speech) as simulator,
        running(new_client(SimulatedGatewayHarness(simulator))) as client,
    ):
        yield client


@dataclass
class Voice:
    """Stand-in for the coordinator of speech."""

    client: GatewayClient
    data: SpeechStatus = CONFIGURED
    statistics: SpeechStatistics = field(default_factory=SpeechStatistics)


async def chunks_of(text: str) -> AsyncGenerator[str]:
    """Yield a text as a model writes it."""
    for word in text.split(" "):
        yield f"{word} "


async def speak(client: GatewayClient, text: str) -> AsyncGenerator[bytes]:
    """Yield the audio of a text."""
    voice = cast("SpeechCoordinator", Voice(client))
    audio_format, audio = await async_speak(voice, chunks_of(text))
    assert audio_format == "wav"
    async for part in audio:
        yield part


@pytest.mark.parametrize("protocol", [4], ids=["v4"])
async def test_without_provider_nothing_speaks(client: GatewayClient) -> None:
    assert await client.tts.status() == SpeechStatus("", configured=False)
    with pytest.raises(RequestFailedError) as caught:
        await client.tts.speak("Hello")
    assert caught.value.code == "UNAVAILABLE"


@pytest.mark.parametrize("protocol", [3], ids=["v3"])
async def test_clawdbot_cannot_speak(client: GatewayClient) -> None:
    assert client.hello
    assert TtsCommands.SPEAK.name not in client.hello.methods


async def test_provider_is_known(speaking_client: GatewayClient) -> None:
    assert await speaking_client.tts.status() == CONFIGURED


async def test_sentences_are_joined(
    origin: str, speaking_client: GatewayClient
) -> None:
    started, times, content = time.monotonic(), [], b""
    async for part in speak(speaking_client, TEXT):
        times.append(time.monotonic() - started)
        content += part
    assert len(times) == 3
    print(f"{origin}: sentences spoken after {[round(at, 3) for at in times]} s")
    with wave.open(BytesIO(content)) as audio:
        assert audio.getframerate() == RATE
        assert len(audio.readframes(audio.getnframes())) == 2 * SAMPLES[origin]


async def test_provider_that_fails_in_the_middle_is_an_error(
    speaking_client: GatewayClient,
) -> None:
    parts = speak(speaking_client, f"It is warm. {FAIL} it does. It is late.")
    assert await anext(parts)
    with pytest.raises(HomeAssistantError) as caught:
        await anext(parts)
    assert caught.value.translation_key == "speech_failed"


@pytest.mark.parametrize(
    ("text", "code"),
    [(" ", "INVALID_REQUEST"), ("x" * 4097, "INVALID_REQUEST")],
    ids=["blank", "too long"],
)
async def test_text_is_refused(
    speaking_client: GatewayClient, text: str, code: str
) -> None:
    with pytest.raises(RequestFailedError) as caught:
        await speaking_client.tts.speak(text)
    assert caught.value.code == code


async def test_longest_text_is_spoken(speaking_client: GatewayClient) -> None:
    audio = await speaking_client.tts.speak("x" * 4096)
    assert is_audio(audio.format, audio.data)


# In CI, another command speaks with a Gateway that is shared.
@pytest.mark.slow
@pytest.mark.skipif(ESPEAK is None, reason="espeak-ng is not installed")
async def test_espeak_speaks() -> None:
    args = ("-w", "{{OutputPath}}", "{{Text}}")
    settings = speech_settings(str(ESPEAK), *args)
    with serve_gateway(4, settings=settings) as gateway:
        async with running(new_client(RealGatewayHarness(gateway))) as client:
            started, times, content = time.monotonic(), [], b""
            async for part in speak(client, TEXT):
                times.append(time.monotonic() - started)
                content += part
    with wave.open(BytesIO(content)) as audio:
        frames = audio.readframes(audio.getnframes())
        seconds = len(frames) / 2 / audio.getframerate()
    print(f"espeak-ng: {seconds:.1f} s of speech, parts after {times} s")
    assert 3 < seconds < 8
    # It is not silent.
    assert max(frames) > 0
    assert content.startswith(wav("")[:4])
