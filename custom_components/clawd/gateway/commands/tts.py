"""Text to speech by the Gateway."""

from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from ..exceptions import InvalidFrameError
from ..models import READ_SCOPE, WRITE_SCOPE
from .base import Commands, Method

if TYPE_CHECKING:
    from ..models import Json, Payload

# Seconds; OpenClaw's own limit for a local command that speaks.
SPEAK_TIMEOUT: Final = 120.0

# Bytes of base64; a frame has at most 26,214,400.
MAX_ENCODED_AUDIO: Final = 25_000_000

# {"mimeType": "audio/mpeg", "fileExtension": ".mp3"}; values are names of formats that
# ffmpeg knows, too.
_EXTENSIONS: Final = {
    "mp3": "mp3",
    "wav": "wav",
    "ogg": "ogg",
    "oga": "ogg",
    "opus": "ogg",
    "flac": "flac",
    "aac": "aac",
    "m4a": "m4a",
}
_MIME_TYPES: Final = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/ogg": "ogg",
    "audio/opus": "ogg",
    "audio/flac": "flac",
    "audio/aac": "aac",
    "audio/mp4": "m4a",
}


@dataclass(frozen=True, slots=True)
class SpeechStatus:
    """Status of the Gateway's text-to-speech.

    Attributes:
        provider: id of the provider that speaks; empty if there is none.
        configured: whether it, or its fallback, is ready to use.

    """

    provider: str = ""
    configured: bool = False

    @classmethod
    def from_payload(cls, payload: Json) -> Self:
        """Read the response to `tts.status`.

        Raises:
            InvalidFrameError: the response names no provider.

        """
        match payload:
            case {"provider": str(provider), "providerStates": list(states)}:
                ready = [
                    state.get("id")
                    for state in states
                    if isinstance(state, dict) and state.get("configured") is True
                ]
                stand_ins = payload.get("fallbackProviders")
                usable = [provider, *(stand_ins if isinstance(stand_ins, list) else ())]
                return cls(provider, any(one in usable for one in ready if one))
        raise InvalidFrameError("the response to tts.status has no provider")


@dataclass(frozen=True, slots=True)
class SpokenAudio:
    """Audio data and its file extension."""

    data: bytes = field(repr=False)
    format: str

    @classmethod
    def from_payload(cls, payload: Json) -> Self:
        """Read the response to `tts.speak`.

        Raises:
            InvalidFrameError: the response holds no audio, too much, or of a format
                that is not known.

        """
        match payload:
            case {"audioBase64": str(encoded)} if len(encoded) <= MAX_ENCODED_AUDIO:
                return cls(_decode(encoded), _format_of(payload))
        raise InvalidFrameError("the response to tts.speak has no audio")


class TtsCommands(Commands):
    """Commands on text to speech."""

    STATUS: Final = Method("tts.status", READ_SCOPE, optional=True)
    SPEAK: Final = Method("tts.speak", WRITE_SCOPE, optional=True)

    async def status(self) -> SpeechStatus:
        """Return the status of text-to-speech.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        return SpeechStatus.from_payload(await self._call(self.STATUS, {}))

    async def speak(self, text: str) -> SpokenAudio:
        """Convert text to speech, up to 4,096 characters.

        Raises:
            GatewayError: the Gateway did not answer, or its provider failed.

        """
        answer = await self._call(self.SPEAK, {"text": text}, SPEAK_TIMEOUT)
        return SpokenAudio.from_payload(answer)


def _decode(encoded: str) -> bytes:
    try:
        data = b64decode(encoded, validate=True)
    except ValueError as err:
        # Also of characters that are not ASCII.
        raise InvalidFrameError("the audio is no base64") from err
    if not data:
        raise InvalidFrameError("the audio is empty")
    return data


def _format_of(payload: Payload) -> str:
    extension = str(payload.get("fileExtension") or "").lower().lstrip(".")
    mime_type = str(payload.get("mimeType") or "").lower().partition(";")[0]
    found = _EXTENSIONS.get(extension) or _MIME_TYPES.get(mime_type.strip())
    if found is None:
        raise InvalidFrameError("the format of the audio is not known")
    return found
