"""A run tells when its text begins."""

import time

from custom_components.clawd.gateway import RunRequest
from tests.unit.run_harness import RunHarness


async def test_the_time_is_that_of_the_first_text() -> None:
    harness = RunHarness()
    run = await harness.start()
    harness.send_event("lifecycle", {"phase": "start"})
    assert run.stream.first_text_at is None
    before = time.monotonic()
    harness.send_text("Hello")
    first = run.stream.first_text_at
    assert first
    assert before <= first <= time.monotonic()
    harness.send_text("Hello there")
    assert run.stream.first_text_at == first
    await run.abort()


def test_a_short_prompt_is_asked_for() -> None:
    params = RunRequest("Hi", "agent:main:x", lightweight=True).params
    assert params["bootstrapContextMode"] == "lightweight"
    assert params["promptMode"] == "minimal"
    assert "promptMode" not in RunRequest("Hi", "agent:main:x").params
