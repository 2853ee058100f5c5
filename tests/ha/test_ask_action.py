"""Action `clawd.ask`."""

from pathlib import Path
from typing import Any

from homeassistant.auth.models import User
from homeassistant.components import media_source
from homeassistant.components.media_source import PlayMedia
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from custom_components.clawd.assist.session_turns import async_take_turn
from custom_components.clawd.const import DOMAIN
from custom_components.clawd.coordinator import ClawdConfigEntry
from tests.simulator import GatewaySimulator, Pause, Refuse, Reply

from .action_calls import STRUCTURE, ask, call
from .ai_tasks import cleaned_up, file
from .assist_client import wait_processed
from .pictures import add_camera, picture
from .states import AGENT, CONNECTIVITY

pytestmark = pytest.mark.usefixtures("no_deletion_delays")


async def test_an_answer_comes_with_what_it_took(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("<think>Hm.</think>Hello you."))

    answer = await ask(hass)

    [request] = gateway.received("agent")
    assert answer == {
        "text": "Hello you.",
        "data": None,
        "run_id": request.params["idempotencyKey"],
        "model": "mock/mock",
        "usage": {
            "input_tokens": 10,
            "output_tokens": 20,
            "cache_read_tokens": 0,
            "cache_write_tokens": 0,
            "total_tokens": 30,
            "cost": 0,
        },
        "delivery": None,
        "media": [],
        "media_errors": [],
    }
    assert "language of the conversation" in request.params["extraSystemPrompt"]
    await cleaned_up(entry)
    assert gateway.runs.sessions == {}


@pytest.mark.usefixtures("entry")
async def test_an_action_needs_no_response(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    data = {"agent": AGENT, "text": "Hello"}
    await hass.services.async_call(DOMAIN, "ask", data, blocking=True)
    assert gateway.received("agent")


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("protocol", [3])
async def test_clawdbot_answers_without_a_cost(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply('{"people": 2}'))
    answer = await ask(hass, structure=STRUCTURE)
    assert answer["data"] == {"people": 2}
    assert answer["usage"]["cost"] is None
    assert gateway.received("sessions.delete") == []


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    "agent_settings",
    [{"instructions": "Speak to {{ user }}.", "share_user_name": True}],
)
async def test_the_agent_gets_its_instructions(
    hass: HomeAssistant, gateway: GatewaySimulator, hass_admin_user: User
) -> None:
    context = Context(user_id=hass_admin_user.id)
    await call(hass, "ask", context, agent=AGENT, text="Hello")
    [request] = gateway.received("agent")
    prompt = request.params["extraSystemPrompt"]
    assert prompt.endswith(f"Speak to {hass_admin_user.name}.")


async def test_a_named_session_remembers(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    await ask(hass, session="House hold")
    await ask(hass, session="House hold")
    await cleaned_up(entry)
    assert {request.params["sessionKey"] for request in gateway.received("agent")} == {
        "agent:main:ha-house_hold"
    }
    assert [*gateway.runs.sessions] == ["agent:main:ha-house_hold"]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("agent_settings", [{"idle_timeout": 0.01}])
@pytest.mark.parametrize("action", ["ask", "wake"])
async def test_two_questions_in_a_session_wait_for_each_other(
    hass: HomeAssistant, gateway: GatewaySimulator, entry: ClawdConfigEntry, action: str
) -> None:
    [subentry] = entry.subentries.values()
    async with async_take_turn(entry, subentry, "agent:main:ha-x", 1):
        with pytest.raises(HomeAssistantError) as error:
            await call(hass, action, agent=AGENT, text="Hello", session="x")
    assert error.value.translation_key == "session_busy"
    assert not gateway.received("sessions.patch")


@pytest.mark.usefixtures("entry")
async def test_a_question_has_settings_of_its_own(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    await ask(hass, model="mock/thinker", session="x")
    await ask(hass, "Again", session="x")
    before, after = gateway.received("sessions.patch")
    assert before.params == {
        "key": "agent:main:ha-x",
        "model": "mock/thinker",
        "permissionMode": "guarded",
    }
    assert after.params == {"key": "agent:main:ha-x", "model": None}
    order = [
        r.method for r in gateway.requests if r.method in ("agent", "sessions.patch")
    ]
    assert order == ["sessions.patch", "agent", "sessions.patch", "agent"]


@pytest.mark.usefixtures("entry")
async def test_a_thinking_level_that_is_none_is_told(hass: HomeAssistant) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, thinking="high")
    assert error.value.translation_key == "thinking_unsupported"


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("agent_settings", [{"permissions": "gateway"}])
async def test_a_model_that_is_none_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.edit("sessions.patch", lambda payload: payload.clear())
    gateway.script(Refuse())
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, model="mock/none", session="x")
    assert error.value.translation_key == "request_failed"


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("agent_settings", [{"permissions": "gateway"}])
async def test_a_model_that_the_gateway_refuses_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.refuse_method("sessions.patch")
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, model="mock/none", session="x")
    assert error.value.translation_key == "request_failed"
    assert not gateway.received("agent")


async def test_the_model_of_a_session_is_not_reset_without_an_entry(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Late."))
    task = hass.async_create_task(ask(hass, model="mock/thinker", session="x"))
    await gateway.wait_paused()
    await wait_processed(entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(HomeAssistantError):
        await task
    assert len(gateway.received("sessions.patch")) == 1


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("protocol", [3])
@pytest.mark.parametrize(
    ("action", "field", "data"),
    [
        ("ask", "model", {"text": "Hello", "model": "mock/mock"}),
        ("wake", "session", {"text": "It rings.", "session": "x"}),
    ],
)
async def test_what_only_openclaw_can_do_is_told(
    hass: HomeAssistant, action: str, field: str, data: dict[str, Any]
) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, action, agent=AGENT, **data)
    assert error.value.translation_key == "needs_openclaw"
    assert error.value.translation_placeholders == {"field": field}


@pytest.mark.usefixtures("entry")
async def test_a_timeout_stops_the_agent(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Late."))
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, timeout=1)
    assert error.value.translation_key == "run_stopped"


@pytest.mark.usefixtures("entry")
async def test_a_cancelled_action_stops_the_agent(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Late."))
    task = hass.async_create_task(ask(hass))
    await gateway.wait_paused()
    task.cancel()
    await gateway.wait_for_request("chat.abort")
    await gateway.wait_until(lambda: not gateway.runs.active())


@pytest.mark.usefixtures("entry")
async def test_a_reply_goes_to_a_channel(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    def deliver(payload: dict[str, Any]) -> None:
        payload["result"]["deliveryStatus"] = {"status": "sent"}

    gateway.edit("agent", deliver)
    answer = await ask(hass, channel="telegram", target="42")
    [request] = gateway.received("agent")
    assert request.params["deliver"] is True
    assert (request.params["channel"], request.params["to"]) == ("telegram", "42")
    assert answer["delivery"] == "sent"


@pytest.mark.usefixtures("entry")
async def test_pictures_of_cameras_and_media_are_shown(
    hass: HomeAssistant, gateway: GatewaySimulator, tmp_path: Path
) -> None:
    door = await add_camera(hass)
    media_id = await file(hass, tmp_path, "a.png", picture(8, 8, "PNG"))
    attachments = [
        door,
        {"media_content_id": f"media-source://camera/{door}"},
        media_id,
        {"media_content_id": media_id, "media_content_type": "image/png"},
    ]
    await ask(hass, attachments=attachments)
    [request] = gateway.received("agent")
    assert len(request.params["attachments"]) == 4
    assert "front_door" not in str(request.params)


@pytest.mark.usefixtures("entry")
async def test_one_attachment_needs_no_list(
    hass: HomeAssistant, gateway: GatewaySimulator, tmp_path: Path
) -> None:
    media_id = await file(hass, tmp_path, "note.txt", b"The milk is out.")
    answer = await ask(hass, attachments=media_id)
    [request] = gateway.received("chat.send")
    assert request.params["attachments"][0]["mimeType"] == "text/plain"
    # Told by the session's history only.
    assert answer["usage"]["total_tokens"] == 50
    assert answer["model"] == "mock/mock"


@pytest.mark.usefixtures("entry")
async def test_a_camera_that_is_off_is_told(hass: HomeAssistant) -> None:
    door = await add_camera(hass, is_on=False)
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, attachments=["image.none", door])
    assert error.value.translation_key == "attachment_missing"
    assert error.value.translation_placeholders == {"number": "1"}
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, attachments=[door])
    assert error.value.translation_key == "attachment_missing"


@pytest.mark.usefixtures("entry")
async def test_media_that_cannot_be_read_are_told(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, attachments="media-source://none/x")
    assert error.value.translation_key

    async def resolve(*_: object) -> PlayMedia:
        return PlayMedia("http://192.0.2.1/x.png", "image/png")

    monkeypatch.setattr(media_source, "async_resolve_media", resolve)
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, attachments="media-source://radio/x")
    assert error.value.translation_key == "attachment_missing"


@pytest.mark.usefixtures("entry")
async def test_a_camera_that_a_user_may_not_see_is_not_shown(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    door = await add_camera(hass)
    user = MockUser().add_to_hass(hass)
    user.mock_policy({"entities": {"entity_ids": {AGENT: True}}})
    context = Context(user_id=user.id)
    with pytest.raises(Unauthorized):
        await call(hass, "ask", context, agent=AGENT, text="?", attachments=door)
    with pytest.raises(Unauthorized):
        await call(
            hass, "send_message", Context(user_id="none"), target="42", attachment=door
        )
    assert gateway.received("agent") == gateway.received("send") == []
    user.mock_policy({"entities": {"entity_ids": {AGENT: True, door: True}}})
    await call(hass, "ask", context, agent=AGENT, text="?", attachments=door)


@pytest.mark.usefixtures("entry")
async def test_an_agent_that_a_user_may_not_control_is_not_asked(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    user = MockUser().add_to_hass(hass)
    user.mock_policy({"entities": {"entity_ids": {AGENT: {"read": True}}}})
    for context in (Context(user_id=user.id), Context(user_id="none")):
        with pytest.raises(Unauthorized):
            await call(hass, "ask", context, agent=AGENT, text="Hello")
    assert gateway.received("agent") == []


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("agent", ["conversation.none", CONNECTIVITY])
async def test_an_agent_that_is_none_is_told(hass: HomeAssistant, agent: str) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "ask", agent=agent, text="Hello")
    assert error.value.translation_key == "no_such_agent"
    assert error.value.translation_placeholders == {"entity_id": agent}


async def test_an_agent_of_an_unloaded_gateway_is_told(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as error:
        await ask(hass)
    assert error.value.translation_key == "service_config_entry_not_loaded"


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    "data",
    [
        {"text": " "},
        {"channel": "telegram"},
        {"timeout": 0},
        {"structure": {"a": {}}},
        {"structure": {"a": {"selector": {"none": {}}}}},
        {"structure": []},
        {"attachments": [{"media_content_type": "image/png"}]},
        {"unknown": 1},
    ],
)
async def test_a_call_that_is_wrong_is_refused(
    hass: HomeAssistant, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await ask(hass, **{"text": "Hello", **data})


@pytest.mark.parametrize(
    ("admin", "parent", "agent_settings", "mode"),
    [
        (True, None, {}, None),
        (True, "1", {}, "guarded"),
        (False, None, {}, "guarded"),
        (None, None, {}, "guarded"),
        (True, None, {"permissions": "read_only"}, "read-only"),
    ],
)
async def test_an_action_has_the_rights_of_who_called_it(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    admin: bool | None,  # noqa: FBT001 - of the table
    parent: str | None,
    mode: str | None,
) -> None:
    user_id = None
    if admin is not None:
        user = MockUser(is_owner=admin).add_to_hass(hass)
        user.mock_policy({"entities": True})
        user_id = user.id
    context = Context(user_id=user_id, parent_id=parent)
    for fields in ({}, {"session": "us"}):
        await call(hass, "ask", context, agent=AGENT, text="Hello", **fields)
    await cleaned_up(entry)

    found = [
        request.params.get("permissionMode")
        for request in gateway.received("sessions.patch")
        if "archived" not in request.params
    ]
    # Others may ask in a named session, too.
    named = mode or "guarded"
    assert found == ([mode, named] if mode else [named])
    assert len(gateway.received("agent")) == 2
