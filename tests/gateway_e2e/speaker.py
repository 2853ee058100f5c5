"""Text-to-speech command for tests.

    speaker.py FILE TEXT

A text with the word FAIL fails. OpenClaw's provider `tts-local-cli` runs it.
"""

import sys
from typing import Any
import wave

PROVIDER = "tts-local-cli"
RATE = 8000
SECONDS_PER_WORD = 0.1
FAIL = "FAIL"


def speech_settings(command: str, *args: str) -> dict[str, Any]:
    """Return the configuration of a command that speaks."""
    provider = {"command": command, "args": [*args], "outputFormat": "wav"}
    return {"tts": {"provider": PROVIDER, "providers": {PROVIDER: provider}}}


SPEAKING = speech_settings(sys.executable, __file__, "{{OutputPath}}", "{{Text}}")


def frames_of(text: str) -> int:
    """Return the number of samples of a text."""
    return round(len(text.split()) * SECONDS_PER_WORD * RATE)


def main(file: str, text: str) -> None:
    """Speak a text into a file."""
    if FAIL in text.split():
        raise SystemExit(1)
    with wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(RATE)
        audio.writeframes(bytes(2 * frames_of(text)))


if __name__ == "__main__":
    main(*sys.argv[1:])
