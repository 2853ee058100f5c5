"""Text-to-speech of the Gateway."""

from base64 import b64encode
from typing import Any

import pytest

from custom_components.clawd.gateway import (
    InvalidFrameError,
    RequestFailedError,
    SpeechStatus,
    SpokenAudio,
)
from custom_components.clawd.gateway.commands import tts
from tests.simulator import GatewaySimulator, Speech
from tests.simulator.speech import wav
from tests.unit.clients import connected

CLI = "tts-local-cli"
AUDIO = {"audioBase64": "YQ==", "fileExtension": ".mp3", "mimeType": "audio/mpeg"}


@pytest.fixture
def protocol() -> int:
    return 4


async def test_the_status_names_the_provider(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        assert await client.tts.status() == SpeechStatus("", configured=False)
        gateway.speech = Speech()
        assert await client.tts.status() == SpeechStatus(CLI, configured=True)
        gateway.speech.configured = False
        assert await client.tts.status() == SpeechStatus(CLI, configured=False)


async def test_a_text_is_answered_with_its_audio(gateway: GatewaySimulator) -> None:
    gateway.speech = Speech()
    async with connected(gateway) as client:
        assert await client.tts.speak("hello") == SpokenAudio(wav("hello"), "wav")


@pytest.mark.parametrize(
    ("text", "code"),
    [(" ", "INVALID_REQUEST"), ("x" * 4097, "INVALID_REQUEST"), ("x", "UNAVAILABLE")],
)
async def test_a_refusal_is_an_error(
    gateway: GatewaySimulator, text: str, code: str
) -> None:
    gateway.speech = Speech(failing=lambda _: True)
    async with connected(gateway) as client:
        with pytest.raises(RequestFailedError) as caught:
            await client.tts.speak(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("fallbacks", "configured"), [([], False), (["xai"], True), (None, False)]
)
def test_a_provider_may_have_one_that_stands_in(
    fallbacks: list[str] | None, configured: object
) -> None:
    states = [{"id": "openai"}, {"id": "xai", "configured": True}, "odd", {}]
    status = {"provider": "openai", "providerStates": states}
    payload = {**status, "fallbackProviders": fallbacks}
    assert SpeechStatus.from_payload(payload).configured is configured


@pytest.mark.parametrize("payload", [None, {}, {"provider": ""}, {"provider": 1}])
def test_a_status_without_provider_is_invalid(payload: object) -> None:
    with pytest.raises(InvalidFrameError):
        SpeechStatus.from_payload(payload)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "mp3"),
        ({"fileExtension": None}, "mp3"),
        ({"fileExtension": ".OPUS"}, "ogg"),
        ({"fileExtension": "", "mimeType": "audio/ogg; codecs=opus"}, "ogg"),
        ({"fileExtension": ".wav", "mimeType": None}, "wav"),
    ],
)
def test_the_format_is_that_of_the_file(changes: dict[str, Any], expected: str) -> None:
    assert SpokenAudio.from_payload({**AUDIO, **changes}) == SpokenAudio(b"a", expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"audioBase64": None},
        {"audioBase64": ""},
        {"audioBase64": "a"},
        {"audioBase64": "#YQ=="},
        {"fileExtension": ".pcm", "mimeType": "audio/pcm"},
        {"fileExtension": "; rm", "mimeType": "text/html"},
    ],
)
def test_an_answer_without_audio_is_invalid(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidFrameError):
        SpokenAudio.from_payload({**AUDIO, **changes})


def test_too_much_audio_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tts, "MAX_ENCODED_AUDIO", 8)
    encoded = b64encode(bytes(6)).decode()
    assert SpokenAudio.from_payload({**AUDIO, "audioBase64": encoded}).data == bytes(6)
    with pytest.raises(InvalidFrameError):
        SpokenAudio.from_payload({**AUDIO, "audioBase64": encoded + "YQ=="})
