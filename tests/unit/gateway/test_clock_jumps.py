"""Wall clock that is set while connected."""

import time

import pytest

from custom_components.clawd.gateway import RunRequest
from tests.simulator import GatewaySimulator, Pause, Reply
from tests.unit.clients import connected
from tests.wall_clock import WallClock

jumps = pytest.mark.parametrize("jump", [5 * 3600.0, -5 * 3600.0])
SESSION = "agent:main:ha-clock"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    """Return the wall clock."""
    return WallClock(monkeypatch)


@pytest.mark.parametrize("protocol", [4])
@jumps
async def test_a_question_expires_by_the_present_clock(
    gateway: GatewaySimulator, clock: WallClock, jump: float
) -> None:
    async with connected(gateway) as client:
        expires = time.time() + 600
        payload = {
            "id": "ask_1",
            "expiresAtMs": expires * 1000,
            "questions": [{"questionId": "a", "question": "Which?", "options": []}],
        }
        before = client.questions.read(payload)
        assert before == client.questions.read(payload)

        clock.jump(jump)
        after = client.questions.read(payload)

    assert after.expires_at - before.expires_at == pytest.approx(jump, abs=2)


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("early", [True, False])
@jumps
async def test_a_run_is_found_in_the_history(
    gateway: GatewaySimulator, clock: WallClock, jump: float, *, early: bool
) -> None:
    """Recover a run that was asked before the jump, or after it."""
    gateway.script(Pause(), Reply("It is done."))
    async with connected(gateway) as client:
        if early:
            clock.jump(jump)
        run = await client.start_run(RunRequest("Do it", SESSION))
        await gateway.wait_paused()
        if not early:
            clock.jump(jump)
        gateway.drop()
        await gateway.wait_for_request("agent.wait")
        gateway.proceed()
        result = await run.result()

    assert result.text == "It is done."
    assert len(gateway.received("agent")) == 1
