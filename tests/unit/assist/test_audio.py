"""Joining of spoken audio."""

from io import BytesIO
import wave

import pytest

from custom_components.clawd.assist.audio import AudioFormatError, AudioJoiner, is_audio
from tests.simulator.speech import ID3, MP3_FRAME, mp3, samples, wav


def read_wav(content: bytes) -> tuple[int, bytes]:
    with wave.open(BytesIO(content)) as file:
        return file.getframerate(), file.readframes(file.getnframes())


def test_the_samples_of_wav_files_follow_each_other() -> None:
    joiner = AudioJoiner("wav")
    content = joiner.first(wav("ab")) + joiner.following("wav", wav("cde"))
    assert read_wav(content) == (8000, samples("abcde"))
    # Nothing but the header says how long it is, and it does not know yet.
    assert content[4:8] == content[40:44] == b"\xff" * 4


def test_mp3_files_keep_one_tag() -> None:
    joiner = AudioJoiner("mp3")
    first, tag = mp3("a"), b"TAG" + bytes(125)
    assert joiner.first(first) == first
    assert joiner.following("mp3", mp3("bc")) == MP3_FRAME * 2
    assert joiner.following("mp3", MP3_FRAME + tag) == MP3_FRAME
    footer = b"ID3\x04\x00\x10" + ID3[6:] + bytes(10)
    assert joiner.following("mp3", footer + MP3_FRAME) == MP3_FRAME
    assert joiner.following("mp3", b"ID3") == b"ID3"


@pytest.mark.parametrize("audio_format", ["ogg", "aac"])
def test_streams_are_chained(audio_format: str) -> None:
    joiner = AudioJoiner(audio_format)
    assert joiner.first(b"a") + joiner.following(audio_format, b"b") == b"ab"


@pytest.mark.parametrize(
    ("audio_format", "first"),
    [("flac", b"fLaC"), ("m4a", b"x"), ("wav", b""), ("wav", b"RIFFxxxxWAVE")],
)
def test_what_cannot_be_joined_says_so(audio_format: str, first: bytes) -> None:
    with pytest.raises(AudioFormatError):
        AudioJoiner(audio_format).first(first)


@pytest.mark.parametrize(
    ("audio_format", "data"),
    [("mp3", mp3("b")), ("wav", wav("b", rate=16_000)), ("wav", b"no audio")],
)
def test_a_part_of_another_format_says_so(audio_format: str, data: bytes) -> None:
    joiner = AudioJoiner("wav")
    joiner.first(wav("a"))
    with pytest.raises(AudioFormatError):
        joiner.following(audio_format, data)


@pytest.mark.parametrize(
    ("audio_format", "data", "expected"),
    [
        ("wav", wav("a"), True),
        ("wav", wav(""), False),
        ("wav", b"RIFF", False),
        ("mp3", mp3("a"), True),
        ("mp3", MP3_FRAME, True),
        ("mp3", wav("a"), False),
        ("ogg", b"OggS", True),
        ("flac", b"OggS", False),
    ],
)
def test_audio_is_told_from_other_data(
    audio_format: str, data: bytes, expected: object
) -> None:
    assert is_audio(audio_format, data) is expected
