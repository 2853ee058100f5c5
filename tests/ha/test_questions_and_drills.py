"""Questions during a drill."""

import asyncio
from collections.abc import Callable
from typing import Any

from homeassistant.components.conversation import ConversationResult
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
import pytest

import custom_components.clawd as integration
from custom_components.clawd.assist.ask import async_run
from custom_components.clawd.assist.question import Question
from custom_components.clawd.gateway import NotConnectedError, RunRequest
from custom_components.clawd.selftest import drill_tools, is_running
from custom_components.clawd.util.drill_lock import drill_lock
from tests.simulator import GatewaySimulator, Pause, Reply

from .assist_client import Conversation, speech
from .fault_harness import FaultHarness, poll
from .self_test import RUNS_LONG, problems, run_self_test, statuses
from .states import AGENT, state_of

ANSWER = "It is on."
QUESTION = Question(text="Is it on?", conversation_id="conversation", language="en")


def _drill(harness: FaultHarness, *checks: str) -> asyncio.Task[dict[str, Any]]:
    return asyncio.create_task(
        run_self_test(harness.hass, mode="drill", checks=list(checks))
    )


def _before(harness: FaultHarness, name: str, call: Callable[[], object]) -> None:
    """Call something before a tool of the drills."""
    real: Any = getattr(drill_tools, name)

    async def tool(*args: object, **more: object) -> object:
        call()
        return await real(*args, **more)

    harness.monkeypatch.setattr(drill_tools, name, tool)


async def _ask(harness: FaultHarness) -> str:
    """Ask the agent as an entity does that has been asked before a reload."""
    [subentry] = harness.entry.subentries.values()
    async with async_run(harness.hass, harness.entry, subentry, QUESTION) as run:
        return (await run.result()).text


async def test_a_question_waits_for_the_drill_and_the_next_drill_for_it(
    harness: FaultHarness,
) -> None:
    harness.gateway.script(Reply(ANSWER), Pause())
    harness.gateway.hold("connect")
    drill = _drill(harness, "drill_abort", "entry_reload")
    await harness.gateway.wait_for_request("connect", 2)
    assert harness.hass.states.get(AGENT)
    question = asyncio.create_task(_ask(harness))
    await asyncio.sleep(0)
    assert harness.gateway.received("agent") == []

    harness.gateway.release("connect")
    report = await drill

    assert statuses(report) == {"drill_abort": "pass", "entry_reload": "skip"}
    assert "must not be interrupted" in report["checks"][1]["message"]
    harness.gateway.proceed()
    assert await question == ANSWER


async def test_a_question_that_waited_for_a_reload_is_answered(
    harness: FaultHarness,
) -> None:
    harness.gateway.script(Reply(ANSWER))
    questions: list[asyncio.Task[str]] = []
    _before(
        harness, "reload", lambda: questions.append(asyncio.create_task(_ask(harness)))
    )
    before = harness.runtime

    report = await _drill(harness, "entry_reload")

    assert problems(report) == {}
    assert harness.runtime is not before
    assert [await question for question in questions] == [ANSWER]


async def test_a_question_that_waited_for_a_reload_that_failed_says_so(
    harness: FaultHarness,
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    questions: list[asyncio.Task[str]] = []
    _before(
        harness, "reload", lambda: questions.append(asyncio.create_task(_ask(harness)))
    )
    harness.monkeypatch.setattr(integration, "async_get_endpoint", fail)

    await _drill(harness, "entry_reload")

    with pytest.raises(NotConnectedError):
        await questions[0]


async def test_a_question_that_starts_holds_the_drill_off(
    harness: FaultHarness,
) -> None:
    harness.gateway.script(Reply(ANSWER), Pause())
    harness.gateway.hold("agent")
    question = asyncio.create_task(_ask(harness))
    await harness.gateway.wait_for_request("agent")
    # Not accepted yet, so the runs do not refuse the drill.
    harness.monkeypatch.setattr(
        "custom_components.clawd.selftest.runner._refuse_interruption", lambda _: None
    )
    drill = _drill(harness, "drill_abort")
    await asyncio.sleep(0)
    assert harness.runtime.client.statistics.drops == 0

    harness.gateway.release("agent")
    report = await drill

    assert statuses(report) == {"drill_abort": "skip"}
    harness.gateway.proceed()
    assert await question == ANSWER


async def test_a_drill_does_not_wait_for_ever_for_a_question(
    harness: FaultHarness,
) -> None:
    harness.monkeypatch.setattr(
        "custom_components.clawd.selftest.runner.DRILL_TIMEOUT", 0.1
    )
    async with drill_lock(harness.entry).question():
        report = await _drill(harness, "drill_abort")

    assert statuses(report) == {"drill_abort": "skip"}
    assert "must not be interrupted" in report["checks"][0]["message"]


@pytest.mark.parametrize(
    ("check", "tool"),
    [("task_growth", "reconnect"), ("entry_reload", "reload")],
)
async def test_a_run_that_starts_in_a_drill_ends_it(
    harness: FaultHarness, check: str, tool: str
) -> None:
    harness.gateway.script(Reply(ANSWER), Pause())
    client = harness.runtime.client
    runs: list[Any] = []
    real: Any = getattr(drill_tools, tool)

    async def start_first(*args: object, **more: object) -> object:
        request = RunRequest("Is it on?", "agent:main:ha-drill")
        runs.append(await client.start_run(request))
        return await real(*args, **more)

    harness.monkeypatch.setattr(drill_tools, tool, start_first)

    report = await _drill(harness, check)

    assert statuses(report) == {check: "skip"}
    harness.gateway.proceed()
    assert (await runs[0].result()).text == ANSWER


async def test_a_question_that_waits_keeps_no_client_for_good(
    harness: FaultHarness, conversation: Conversation
) -> None:
    harness.gateway.script(Reply(ANSWER))
    questions: list[asyncio.Task[ConversationResult]] = []
    before = harness.runtime

    def ask() -> None:
        # Between both reloads, so that it waits with the client of the first one.
        if harness.runtime is not before:
            question = conversation.say("Is it on?")
            questions.append(asyncio.create_task(question, eager_start=True))

    _before(harness, "reload", ask)

    report = await _drill(harness, "instances")

    assert statuses(report) == {"instances": "skip"}
    assert [speech(await question) for question in questions] == [ANSWER]


async def test_a_run_in_a_measurement_of_memory_is_no_leak(
    harness: FaultHarness,
) -> None:
    harness.gateway.script(Reply("word " * 20_000))
    client = harness.runtime.client
    texts: list[str] = []
    real: Any = drill_tools.reconnect

    async def ask_after(*args: object) -> None:
        await real(*args)
        run = await client.start_run(RunRequest("Hello", "agent:main:ha-memory"))
        texts.append((await run.result()).text)

    harness.monkeypatch.setattr(drill_tools, "reconnect", ask_after)

    report = await _drill(harness, "memory")

    assert statuses(report) == {"memory": "skip"}
    assert len(texts) == 2


@RUNS_LONG
async def test_no_reply_is_lost_to_drills(
    hass: HomeAssistant,
    harness: FaultHarness,
    conversation: Conversation,
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(ANSWER))
    drill = _drill(harness)
    await poll(lambda: is_running(hass, harness.entry))
    answers = []
    while not drill.done():
        # While the entry is reloaded, Home Assistant knows no agent to ask.
        await poll(lambda: state_of(hass, AGENT).state != STATE_UNAVAILABLE)
        answers.append(speech(await conversation.say("Is it on?")))

    report = await drill

    assert set(answers) == {ANSWER}
    assert problems(report) == {}
    assert {o.code for o in harness.runtime.client.introspection.run_outcomes} <= {"ok"}
