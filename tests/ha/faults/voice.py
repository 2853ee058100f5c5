"""Faults of text-to-speech."""

import asyncio
import time

from custom_components.clawd.assist import warm_up
from custom_components.clawd.gateway import SpeechStatus
from custom_components.clawd.gateway.commands import SessionCommands
from tests.simulator import Speech

from ..fault_harness import Fault, FaultHarness, poll
from ..report_assertions import Expected


async def _provide(harness: FaultHarness, speech: Speech) -> None:
    """Let the Gateway have a provider that is known, without its entity."""
    harness.gateway.speech = speech
    harness.runtime.speech.data = await harness.runtime.client.tts.status()


async def failing_provider(harness: FaultHarness) -> None:
    """Let the Gateway's provider of speech fail."""
    await _provide(harness, Speech(failing=lambda _: True))


async def broken_audio(harness: FaultHarness) -> None:
    """Let the Gateway return invalid audio."""
    await _provide(harness, Speech(synthesize=lambda _: b"no audio"))


async def unknown_audio(harness: FaultHarness) -> None:
    """Let the Gateway speak in a format that is not known."""
    await _provide(harness, Speech(file_format="pcm", mime_type="audio/pcm"))


async def missed_provider(harness: FaultHarness) -> None:
    """Give the Gateway a provider of speech without telling of it."""
    harness.gateway.speech = Speech()


async def lost_provider(harness: FaultHarness) -> None:
    """Take away the Gateway's provider of speech without telling of it."""
    harness.runtime.speech.data = SpeechStatus("openai", configured=True)


async def repeated_warm_up(harness: FaultHarness) -> None:
    """Warm up a Gateway twice after one start."""
    await _warm_up(harness)
    with harness.monkeypatch.context() as patch:
        patch.setattr(warm_up, "is_same_start", lambda *_: False)
        await harness.reconnect()
        await _wait_idle(harness)


async def kept_session(harness: FaultHarness) -> None:
    """Leave the session of a warm-up on the Gateway."""

    async def keep(*_: object) -> bool:
        return True

    harness.monkeypatch.setattr(SessionCommands, "delete", keep)
    await _warm_up(harness)


async def _warm_up(harness: FaultHarness) -> None:
    """Let the Gateway have started just now."""
    harness.monkeypatch.setattr(warm_up, "MAX_UPTIME", 60.0)
    harness.gateway.started_at = time.monotonic()
    await harness.reconnect()
    await _wait_idle(harness)


async def _wait_idle(harness: FaultHarness) -> None:
    """Wait until nothing of a warm-up is left to do."""
    await poll(lambda: bool(harness.runtime.background_tasks))
    while tasks := harness.runtime.background_tasks:
        await asyncio.wait(tasks)
        await asyncio.sleep(0)


CHECK = "text_to_speech"
FAULTS = [
    Fault(
        failing_provider,
        CHECK,
        Expected("UNAVAILABLE", {"code": "UNAVAILABLE"}),
        status="warn",
        protocols=(4,),
    ),
    Fault(broken_audio, CHECK, Expected("wav", {"code": "wav"}), protocols=(4,)),
    Fault(
        unknown_audio,
        CHECK,
        Expected("InvalidFrameError", {"code": "InvalidFrameError"}),
        protocols=(4,),
    ),
    Fault(missed_provider, CHECK, Expected(0, reason="voice_status"), protocols=(4,)),
    Fault(
        repeated_warm_up,
        "warm_up",
        Expected(1, {"count": 2, "repeated": 1}),
        protocols=(4,),
    ),
    Fault(
        kept_session, "warm_up", Expected(1, reason="warm_up_session"), protocols=(4,)
    ),
    Fault(lost_provider, CHECK, Expected(1, reason="voice_status"), protocols=(4,)),
]
