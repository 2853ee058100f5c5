"""Text-to-speech of protocol 4."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
import wave

from .recordings import Frame
from .request_errors import RequestError, invalid_request

MAX_CHARACTERS = 4096
RATE = 8000
# Bytes of a frame of MPEG 2, layer 3, 8 kbit/s, 16 kHz: a header and silence.
MP3_FRAME = b"\xff\xf3\x18\xc4" + bytes(32)
ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)


def wav(text: str, rate: int = RATE) -> bytes:
    """Return a sample for each character of a text."""
    content = BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples(text))
    return content.getvalue()


def samples(text: str) -> bytes:
    """Return the samples of a text."""
    return text.encode("utf-16-le")


def mp3(text: str) -> bytes:
    """Return a frame for each character of a text, after a tag."""
    return ID3 + MP3_FRAME * len(text)


@dataclass
class Speech:
    """Provider of speech.

    ``file_format``: extension of its files; ``synthesize``: makes the audio;
    ``configured``: whether it has what it needs; ``failing``: the texts that it fails
    to speak; ``spoken``: the texts so far.
    """

    file_format: str = "wav"
    mime_type: str = "audio/wav"
    synthesize: Callable[[str], bytes] = wav
    configured: bool = True
    failing: Callable[[str], bool] = lambda _: False
    spoken: list[str] = field(default_factory=list)


def speech_status(speech: Speech | None) -> Frame:
    """Return the response to `tts.status`."""
    states = [
        {"id": "openai", "label": "OpenAI", "configured": False},
        {"id": "xai", "label": "xAI", "configured": False},
    ]
    if speech:
        state = {"id": "tts-local-cli", "label": "Local CLI"}
        states.append({**state, "configured": speech.configured})
    return {
        "enabled": False,
        "auto": "off",
        "provider": "tts-local-cli" if speech else "",
        "persona": None,
        "personas": [],
        "fallbackProvider": None,
        "fallbackProviders": [],
        "prefsPath": "/home/clawd/.openclaw/settings/tts.json",
        "providerStates": states,
    }


def speak(speech: Speech | None, text: str) -> Frame:
    """Return the response to `tts.speak`.

    Raises:
        RequestError: there is nothing to speak, too much, or the provider fails.
    """
    if not text.strip():
        raise invalid_request("tts.speak requires text")
    if len(text) > MAX_CHARACTERS:
        length = f"{len(text)} chars, max {MAX_CHARACTERS}"
        raise invalid_request(f"tts.speak text too long ({length})")
    if speech is None or not speech.configured:
        raise _unavailable(": no provider registered")
    if speech.failing(text):
        raise _unavailable("tts-local-cli: CLI TTS exit 1: ")
    speech.spoken.append(text)
    return {
        "audioBase64": b64encode(speech.synthesize(text)).decode(),
        "provider": "tts-local-cli",
        "outputFormat": speech.file_format,
        "mimeType": speech.mime_type,
        "fileExtension": f".{speech.file_format}",
    }


def _unavailable(reason: str) -> RequestError:
    message = f"TTS conversion failed: {reason}; openai: not configured"
    return RequestError({"code": "UNAVAILABLE", "message": message})
