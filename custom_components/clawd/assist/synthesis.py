"""Speech of the Gateway, sentence by sentence."""

from contextlib import aclosing
import time
from typing import TYPE_CHECKING

from ..const import LOGGER
from ..error_mapping import action_error
from ..gateway import GatewayError, InvalidFrameError, RequestFailedError
from .audio import AudioFormatError, AudioJoiner
from .errors import translated_error
from .speech_parts import speech_parts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable

    from ..gateway import SpokenAudio
    from ..runtime.speech import SpeechCoordinator


async def async_speak(
    coordinator: SpeechCoordinator, texts: AsyncIterable[str]
) -> tuple[str, AsyncGenerator[bytes]]:
    """Speak streamed text.

    Return format and audio once the first sentence has been spoken.

    Raises:
        HomeAssistantError: there is nothing to speak, or the Gateway failed.

    """
    if not coordinator.data.configured:
        raise translated_error("no_speech_provider")
    parts = speech_parts(texts)
    if (part := await anext(parts, None)) is None:
        raise translated_error("nothing_to_speak")
    text, alone = part
    audio = await _async_speak_part(coordinator, text)
    joiner = AudioJoiner(audio.format)
    try:
        first = audio.data if alone else joiner.first(audio.data)
    except AudioFormatError as err:
        raise translated_error("speech_format") from err
    return audio.format, _async_join(coordinator, joiner, first, parts)


async def _async_join(
    coordinator: SpeechCoordinator,
    joiner: AudioJoiner,
    first: bytes,
    parts: AsyncGenerator[tuple[str, bool]],
) -> AsyncGenerator[bytes]:
    async with aclosing(parts):
        yield first
        async for text, _ in parts:
            audio = await _async_speak_part(coordinator, text)
            try:
                data = joiner.following(audio.format, audio.data)
            except AudioFormatError as err:
                raise translated_error("speech_format") from err
            yield data


async def _async_speak_part(coordinator: SpeechCoordinator, text: str) -> SpokenAudio:
    """Return the audio of a part.

    Raises:
        HomeAssistantError: the Gateway failed.

    """
    started, statistics = time.monotonic(), coordinator.statistics
    try:
        audio = await coordinator.client.tts.speak(text)
    except GatewayError as err:
        LOGGER.debug("Text of %s characters not spoken: %s", len(text), err.code)
        statistics.failed[err.code or type(err).__name__] += 1
        match err:
            case InvalidFrameError():
                raise translated_error("speech_format") from err
            case RequestFailedError():
                raise translated_error("speech_failed", code=err.code) from err
        raise action_error(err) from err
    LOGGER.debug(
        "Text of %s characters spoken in %.1f s", len(text), time.monotonic() - started
    )
    statistics.spoken += 1
    statistics.formats[audio.format] += 1
    statistics.slowest = max(statistics.slowest, time.monotonic() - started)
    return audio
