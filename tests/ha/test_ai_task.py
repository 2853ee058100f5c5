"""AI tasks: texts and data."""

import asyncio
from dataclasses import dataclass
import json
from typing import Any

from homeassistant.components import ai_task
from homeassistant.components.conversation import Attachment, trace
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import llm
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.coordinator import ClawdConfigEntry
from custom_components.clawd.util.drill_lock import drill_lock
from tests.simulator import Fail, GatewaySimulator, Pause, Refuse, Reply

from .ai_tasks import (
    RIGHT,
    STRUCTURE,
    TASK,
    cleaned_up,
    entity,
    generate,
    more_subentries,
    settings,
)
from .assist_client import wait_processed
from .states import CONNECTIVITY, state_of, wait_for_state

pytestmark = pytest.mark.usefixtures("no_deletion_delays", "short_image_polls")
__all__ = ["more_subentries", "settings"]


@pytest.mark.usefixtures("entry")
async def test_a_text_comes_from_the_model_alone(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("<think>Hm.</think>Two people."))

    assert await generate(hass) == "Two people."

    [request] = gateway.received("agent")
    assert request.params["modelRun"] is True
    assert request.params["message"].endswith("\n\nCount.")
    assert "Home Assistant expert" in request.params["message"]
    assert gateway.runs.sessions == {}
    assert state_of(hass, TASK).state != "unknown"


@pytest.mark.usefixtures("entry")
async def test_data_has_the_structure_that_the_model_was_shown(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply(RIGHT))

    assert await generate(hass, structure=STRUCTURE) == {"people": 2, "parcel": False}

    [request] = gateway.received("agent")
    schema = json.loads(request.params["message"].partition("nothing else:\n")[2])
    assert schema["properties"]["people"]["description"] == "How many"
    assert schema["required"] == ["people"]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    "reply",
    [
        f"```json\n{RIGHT}\n```",
        f"Here it is:\n```\n{RIGHT}\n```\nAnything else?",
        f"The data is {RIGHT}. Anything else?",
        f"<think>{{}}</think>{RIGHT}",
    ],
)
async def test_data_is_found_in_the_reply(
    hass: HomeAssistant, gateway: GatewaySimulator, reply: str
) -> None:
    gateway.script(Reply(reply))
    assert (await generate(hass, structure=STRUCTURE))["people"] == 2
    assert len(gateway.received("agent")) == 1


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("Two people.", "no JSON"),
        ('{"people": 2', "no JSON"),
        ("{people", "no JSON"),
        ('{\n"people": 2 // two\n}', "no JSON"),
        ('{"people": "2"}', "expected number at people"),
        ('{"people": true}', "expected number at people"),
        ('{"people": 2, "parcel": "false"}', "expected boolean at parcel"),
        ('{"people": 2, "names": [1]}', "expected string at names[0]"),
        ('{"people": 11}', "people"),
        ('{"people": 2, "dogs": 1}', "dogs"),
        ("{}", "people"),
        ("[]", "expected object"),
    ],
)
async def test_a_wrong_reply_is_shown_to_the_model_once(
    hass: HomeAssistant, gateway: GatewaySimulator, wrong: str, problem: str
) -> None:
    gateway.script_once(Reply(wrong))
    gateway.script_once(Reply(RIGHT))

    assert (await generate(hass, structure=STRUCTURE))["people"] == 2

    first, second = gateway.received("agent")
    repair = second.params["message"]
    assert "Count." in repair
    assert wrong.strip() in repair
    assert problem in repair.partition("It cannot be used: ")[2]
    assert first.params["idempotencyKey"] != second.params["idempotencyKey"]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("wrong", "key", "placeholders"),
    [
        ("I cannot help with that.", "answer_no_json", None),
        ("{}", "answer_not_valid", {"field": "people"}),
        ('{"people": 2, "secret": 1}', "answer_not_valid", {"field": "-"}),
        ("[]", "answer_not_valid", {"field": "-"}),
        ('{"people": 1, "names": [2]}', "answer_not_valid", {"field": "names[0]"}),
        ("", "empty_reply", None),
        ("<think>Hm", "unfinished_reply", None),
        ("x" * 2_000_000, "answer_too_long", {"size": "2000000"}),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_structure_that_no_reply_has_is_an_error(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    wrong: str,
    key: str,
    placeholders: dict[str, str] | None,
) -> None:
    gateway.script(Reply(chunks=(wrong,)))

    with pytest.raises(HomeAssistantError) as error:
        await generate(hass, structure=STRUCTURE)

    assert error.value.translation_key == key
    assert error.value.translation_placeholders == placeholders
    assert len(gateway.received("agent")) == (2 if key.startswith("answer_n") else 1)


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("step", "key"),
    [
        (Fail("the provider refuses"), "agent_failed_because"),
        (Refuse(), "request_failed"),
    ],
)
async def test_a_failure_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator, step: Fail | Refuse, key: str
) -> None:
    gateway.script(step)
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass)
    assert error.value.translation_key == key


@pytest.mark.parametrize("settings", [{"agent": "gone"}])
@pytest.mark.usefixtures("entry")
async def test_an_agent_that_is_gone_is_told(hass: HomeAssistant) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass)
    assert error.value.translation_key == "agent_deleted"


@pytest.mark.parametrize("settings", [{"agent_tools": True}])
async def test_an_agent_answers_in_a_session_that_is_deleted(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script_once(Reply("Two."))
    gateway.script_once(Reply(RIGHT))

    assert (await generate(hass, structure=STRUCTURE))["people"] == 2

    first, second = gateway.received("agent")
    assert "modelRun" not in first.params
    assert first.params["sessionKey"] == second.params["sessionKey"]
    assert first.params["sessionKey"].startswith("agent:main:ha-task-")
    assert "NO_REPLY" in first.params["extraSystemPrompt"]
    # The session remembers the task.
    assert "Count." not in second.params["message"]
    await gateway.wait_for_request("sessions.delete")
    await cleaned_up(entry)
    assert gateway.runs.sessions == {}
    assert entry.runtime_data.ended_sessions == set()
    assert entry.runtime_data.background_tasks == set()


@pytest.mark.parametrize("settings", [{"agent_tools": True}])
async def test_a_session_is_deleted_once_its_run_has_ended(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Two."))
    refused = 0

    def refuse(payload: dict[str, Any]) -> None:
        nonlocal refused
        refused += 1
        if refused == 1:
            payload["session"]["sessionId"] = "another"

    gateway.edit("sessions.describe", refuse)
    await generate(hass)
    await cleaned_up(entry)
    assert refused == 2
    assert gateway.runs.sessions == {}
    assert entry.runtime_data.ended_sessions == set()


@pytest.mark.parametrize("settings", [{"agent_tools": True}])
async def test_a_session_that_cannot_be_deleted_is_tried_later(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Two."))
    gateway.edit(
        "sessions.describe", lambda payload: payload["session"].update(sessionId="x")
    )
    await generate(hass)
    await cleaned_up(entry)
    assert len(entry.runtime_data.ended_sessions) == 1

    gateway.edit("sessions.describe", lambda _: None)
    await generate(hass)
    await cleaned_up(entry)
    assert entry.runtime_data.ended_sessions == set()
    assert gateway.runs.sessions == {}


@pytest.mark.parametrize("settings", [{"agent_tools": True}])
async def test_a_session_waits_for_the_connection(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Two."))
    task = hass.async_create_task(generate(hass))
    await gateway.wait_paused()
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await cleaned_up(entry)
    assert len(entry.runtime_data.ended_sessions) == 1


@pytest.mark.parametrize("settings", [{}, {"agent_tools": True}])
async def test_a_cancelled_task_stops_its_run(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Two."))
    task = hass.async_create_task(generate(hass))
    await gateway.wait_paused()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await gateway.wait_for_request("chat.abort")
    await cleaned_up(entry)
    await gateway.wait_until(lambda: not gateway.runs.active())
    assert gateway.runs.sessions == {}


@pytest.mark.parametrize("settings", [{"agent_tools": True, "deadline": 0.01}])
@pytest.mark.usefixtures("new_entry")
async def test_a_task_that_takes_too_long_is_told(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    gateway.script(Pause(), Reply("Two."))
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass)
    assert error.value.translation_key == "run_stopped"


@pytest.mark.usefixtures("entry")
async def test_a_lost_connection_is_told(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Two."))
    task = hass.async_create_task(generate(hass))
    await gateway.wait_paused()
    await wait_processed(entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(HomeAssistantError) as error:
        await task
    assert error.value.translation_key == "run_lost"


async def test_a_task_waits_for_a_drill_and_does_not_outlive_the_entry(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> None:
    async with drill_lock(entry).drill():
        task = hass.async_create_task(generate(hass))
        await asyncio.sleep(0)
        await wait_processed(entry)
        assert not task.done()
        assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(HomeAssistantError) as error:
        await task
    assert error.value.translation_key == "not_connected"


async def test_the_second_turn_waits_for_a_drill(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Two."))
    task = hass.async_create_task(generate(hass, structure=STRUCTURE))
    await gateway.wait_paused()
    async with drill_lock(entry).drill():
        gateway.proceed()
        await gateway.wait_until(lambda: not gateway.runs.active())
        await wait_processed(entry)
        assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(HomeAssistantError) as error:
        await task
    assert error.value.translation_key == "not_connected"


@pytest.mark.usefixtures("entry")
async def test_an_api_of_home_assistant_is_refused(hass: HomeAssistant) -> None:
    context = llm.LLMContext("test", None, "en", "conversation", None)
    api = await llm.async_get_api(hass, llm.LLM_API_ASSIST, context)
    with pytest.raises(HomeAssistantError) as error:
        await ai_task.async_generate_data(
            hass,
            task_name="test",
            entity_id=TASK,
            instructions="Count.",
            llm_api=api.api,
        )
    assert error.value.translation_key == "llm_api_unsupported"


@pytest.mark.usefixtures("entry")
async def test_tokens_cost_and_model_are_traced(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.script_once(Reply("{}"))
    gateway.script_once(Reply(RIGHT))
    with trace.async_conversation_trace() as traced:
        await generate(hass, structure=STRUCTURE)
    [details] = [
        event["data"]
        for event in traced.as_dict()["events"]
        if "stats" in (event["data"] or {})
    ]
    assert details["stats"] == {
        "input_tokens": 20,
        "cached_input_tokens": 0,
        "output_tokens": 40,
        "cost": 0,
    }
    assert details["model"] == "mock/mock"


@dataclass
class Estimate:
    """Stand-in for an estimate of Home Assistant 2026.11."""

    fields: dict[str, Any]


@dataclass
class EvaluationTask:
    """Task of Home Assistant 2026.11."""

    questions: dict[str, Any]
    state: Any = None
    attachments: list[Attachment] | None = None


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("state", [None, "It is late.", {"door": "open"}])
async def test_a_model_estimates_answers(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    state: object,
) -> None:
    for name in ("EvaluationTaskResult", "NoulAnswer", "ChoiceAnswer", "ScoreAnswer"):
        monkeypatch.setattr(
            ai_task, name, lambda **fields: Estimate(fields), raising=False
        )
    questions = {
        "home": {"type": "noul", "instructions": "Is anybody there?"},
        "who": {
            "type": "choice",
            "instructions": "Who?",
            "criteria": {"ann": "tall", "bob": "small"},
        },
        "mess": {
            "type": "score",
            "instructions": "How bad?",
            "criteria": ["tidy", "messy", "awful"],
        },
        "noise": {"type": "score", "instructions": "?", "criteria": ["low", "high"]},
    }
    estimates = {
        "home": 0.9,
        "who": {"ann": 0.3, "bob": 0.9},
        "mess": [0, 0.5, 0.5],
        "noise": [0, 0],
    }
    gateway.script_once(Reply(json.dumps({**estimates, "mess": [1]})))
    gateway.script_once(Reply(json.dumps(estimates)))

    task = EvaluationTask(questions, state)
    result = await entity(hass)._async_evaluate(task)  # noqa: SLF001 - HA calls it

    answers = {name: e.fields for name, e in result.fields["answers"].items()}
    assert answers == {
        "home": {"noul": 0.9},
        "who": {"choice": "bob", "probabilities": {"ann": 0.25, "bob": 0.75}},
        "mess": {"score": 1.5, "probabilities": [0, 0.5, 0.5]},
        "noise": {"score": 0.5, "probabilities": [0.5, 0.5]},
    }
    first, _ = gateway.received("agent")
    assert "Is anybody there?" in first.params["message"]
    assert ("The state:" in first.params["message"]) is (state is not None)
