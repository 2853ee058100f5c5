"""Joining of spoken audio."""

from io import BytesIO
from typing import Final
import wave

# Formats whose parts can follow each other; Ogg calls that chaining.
_CHAINED: Final = ("mp3", "ogg", "aac")
WAV: Final = "wav"
MP3: Final = "mp3"

# Size in the header of a stream whose end is not known; ffmpeg, browsers and the
# `wave` module read on to its end.
_UNKNOWN_SIZE: Final = b"\xff\xff\xff\xff"
_RIFF_SIZE: Final = slice(4, 8)
_DATA_SIZE: Final = slice(40, 44)

# An ID3v2 tag: "ID3", version, flags, and its size without this header, 4 x 7 bits.
_ID3_HEADER: Final = 10
_ID3_FOOTER_FLAG: Final = 0x10
# An ID3v1 tag, at the end of a file.
_ID3V1_LENGTH: Final = 128

_MARKS: Final = {
    WAV: (b"RIFF",),
    MP3: (b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2"),
    "ogg": (b"OggS",),
    "flac": (b"fLaC",),
    "aac": (b"\xff\xf1", b"\xff\xf9"),
    "m4a": (b"",),
}


class AudioFormatError(Exception):
    """Audio parts cannot be joined."""


class AudioJoiner:
    """Joiner of audio parts."""

    def __init__(self, audio_format: str) -> None:
        """Initialize a stream of a format."""
        self._format = audio_format
        self._parameters: object = None

    def first(self, data: bytes) -> bytes:
        """Return the start of the stream.

        Raises:
            AudioFormatError: nothing can follow it.

        """
        if self._format == WAV:
            self._parameters, frames = _read_wav(data)
            return _wav_header(data) + frames
        if self._format not in _CHAINED:
            raise AudioFormatError(f"{self._format} cannot be joined")
        return data

    def following(self, audio_format: str, data: bytes) -> bytes:
        """Return the next part of the stream.

        Raises:
            AudioFormatError: it is of another format than the first.

        """
        if audio_format != self._format:
            raise AudioFormatError(f"{audio_format} follows {self._format}")
        if self._format != WAV:
            return _without_id3(data) if self._format == MP3 else data
        parameters, frames = _read_wav(data)
        if parameters != self._parameters:
            raise AudioFormatError("the sample rate changes")
        return frames


def is_audio(audio_format: str, data: bytes) -> bool:
    """Return whether data matches an audio format."""
    if audio_format == WAV:
        try:
            return bool(_read_wav(data)[1])
        except AudioFormatError:
            return False
    return data.startswith(_MARKS[audio_format])


def _read_wav(data: bytes) -> tuple[object, bytes]:
    """Return parameters and frames of a WAV file.

    Raises:
        AudioFormatError: it is no WAV file of plain samples.

    """
    try:
        with wave.open(BytesIO(data)) as file:
            parameters = (
                file.getnchannels(),
                file.getsampwidth(),
                file.getframerate(),
            )
            return parameters, file.readframes(file.getnframes())
    except (wave.Error, EOFError) as err:
        raise AudioFormatError("no WAV file of plain samples") from err


def _wav_header(data: bytes) -> bytes:
    """Return a WAV header of unknown length."""
    header = BytesIO()
    with wave.open(BytesIO(data)) as source, wave.open(header, "wb") as target:
        target.setnchannels(source.getnchannels())
        target.setsampwidth(source.getsampwidth())
        target.setframerate(source.getframerate())
        target.writeframes(b"")
    content = bytearray(header.getvalue())
    content[_RIFF_SIZE] = content[_DATA_SIZE] = _UNKNOWN_SIZE
    return bytes(content)


def _without_id3(data: bytes) -> bytes:
    """Return MP3 frames without tags."""
    if data.startswith(b"ID3") and len(data) > _ID3_HEADER:
        size = 0
        for byte in data[6:_ID3_HEADER]:
            size = size << 7 | byte & 0x7F
        footer = _ID3_HEADER if data[5] & _ID3_FOOTER_FLAG else 0
        data = data[_ID3_HEADER + size + footer :]
    if data[-_ID3V1_LENGTH:].startswith(b"TAG"):
        data = data[:-_ID3V1_LENGTH]
    return data
