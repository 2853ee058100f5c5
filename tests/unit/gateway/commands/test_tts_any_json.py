"""Answers about speech of any kind."""

from base64 import b64encode
from contextlib import suppress

from hypothesis import given
import pytest

from custom_components.clawd.gateway import InvalidFrameError, SpeechStatus, SpokenAudio
from tests.simulator.recordings import Frame
from tests.simulator.speech import Speech, speech_status
from tests.unit.json_values import with_changed_value

STATUS = {**speech_status(Speech()), "fallbackProviders": ["xai", "openai"]}
AUDIO = {
    "audioBase64": b64encode(b"a").decode(),
    "mimeType": "audio/mpeg",
    "fileExtension": ".mp3",
}


@given(with_changed_value(STATUS))
def test_any_status_raises_only_gateway_errors(payload: Frame) -> None:
    with suppress(InvalidFrameError):
        assert isinstance(SpeechStatus.from_payload(payload).configured, bool)


@given(with_changed_value(AUDIO))
def test_any_audio_raises_only_gateway_errors(payload: Frame) -> None:
    with suppress(InvalidFrameError):
        assert SpokenAudio.from_payload(payload).data


@pytest.mark.parametrize(
    "changes",
    [
        {"providerStates": [{"id": ["x"], "configured": True}]},
        {"fallbackProviders": 5},
        {"fallbackProviders": [{"id": "xai"}]},
    ],
)
def test_an_odd_value_costs_only_itself(changes: Frame) -> None:
    assert not SpeechStatus.from_payload(
        {"provider": "x", "providerStates": [], **changes}
    ).configured


def test_audio_beyond_ascii_is_invalid() -> None:
    with pytest.raises(InvalidFrameError):
        SpokenAudio.from_payload({**AUDIO, "audioBase64": "é"})
