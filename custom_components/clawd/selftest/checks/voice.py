"""Checks of text-to-speech."""

from dataclasses import replace
import time
from typing import TYPE_CHECKING, Final

from ...assist.audio import is_audio
from ...assist.warm_up import get_warm_ups
from ...gateway import GatewayError, InvalidFrameError, TtsCommands
from ...reports import Mode, Origin, Status
from ..model import CheckResult, Component, check, expect_none
from ..prerequisites import connected

if TYPE_CHECKING:
    from ..model import CheckContext

WORD: Final = "Test"
# Seconds; a local model may have to be loaded first.
SPEECH_TIMEOUT: Final = 60.0


@check(
    component=Component.GATEWAY,
    mode=Mode.ACTIVE,
    origin=Origin.GATEWAY,
    requires=(connected,),
    timeout=SPEECH_TIMEOUT,
)
async def check_text_to_speech(context: CheckContext) -> CheckResult:
    """Voice of the Gateway, with one test word.

    Otherwise, devices with this voice stay mute.
    """
    client, known = context.runtime.client, context.runtime.speech.data
    if not (client.hello and TtsCommands.SPEAK.name in client.hello.methods):
        return CheckResult(status=Status.SKIP, reason="no_voice")
    status = await client.tts.status()
    if status != known:
        return CheckResult(
            status=Status.FAIL,
            observed=int(known.configured),
            expected=int(status.configured),
            reason="voice_status",
            origin=Origin.INTEGRATION,
        )
    if not status.configured:
        return CheckResult(status=Status.SKIP, reason="no_voice")
    return await _speak(context)


@check(
    component=Component.GATEWAY,
    mode=Mode.ACTIVE,
    requires=(connected,),
)
async def check_warm_up(context: CheckContext) -> CheckResult:
    """Warm-ups, at most one per Gateway start.

    Each costs a request to the model, and the Gateway lists each session.
    """
    warm_ups = get_warm_ups(context.entry)
    if not warm_ups.session or warm_ups.running:
        return CheckResult(status=Status.SKIP, reason="no_warm_up")
    count, repeated = len(warm_ups.starts), warm_ups.repeated
    result = expect_none(repeated, "runs", count=count, repeated=repeated)
    # What is still to be deleted is known, and tried again with the next one.
    left = warm_ups.session not in context.runtime.ended_sessions and (
        await context.runtime.client.sessions.describe(warm_ups.session)
    )
    if repeated or not left:
        return result
    return replace(result, status=Status.FAIL, observed=1, reason="warm_up_session")


async def _speak(context: CheckContext) -> CheckResult:
    started = time.monotonic()
    try:
        audio = await context.runtime.client.tts.speak(WORD)
    except InvalidFrameError as err:
        return _failed(type(err).__name__)
    except GatewayError as err:
        # Who does not use this voice need not care.
        return CheckResult(
            status=Status.WARN,
            observed=err.code,
            placeholders={"code": err.code},
        )
    if not is_audio(audio.format, audio.data):
        return _failed(audio.format)
    milliseconds = round((time.monotonic() - started) * 1000, 3)
    return CheckResult(
        status=Status.PASS,
        observed=milliseconds,
        unit="ms",
        placeholders={"format": audio.format, "duration": milliseconds},
    )


def _failed(code: str) -> CheckResult:
    return CheckResult(status=Status.FAIL, observed=code, placeholders={"code": code})
